"""What runs under each profile.

``world`` and ``sizes`` train on generated worlds (``small``, ``gpu``), ``probe`` asks Gemma-3-270M as
it is (``small``), ``facts`` finetunes it (``gpu``, and ``small`` with ``--full``), ``open`` finetunes T5 on
public data (``paper``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import PerSeed
from harness.suite import Experiment, FirstSeed, Methods, Scale
from methods.common.datasets import NQ_OPEN
from methods.common.gemma import SafeWeights
from methods.common.recast import recast
from methods.kaft.method import FineTuned, Kaft, Noisy, Pretrained
from methods.kaft.prepare import Knowledge, PretrainedWorld
from methods.kaft.sabotage import UnopposedReading
from methods.kaft.task import FactReading, WorldReading
from suites.kaft import arms
from suites.kaft.cells import MAIN, OTHER_SIZES, SIZES
from suites.kaft.paper import open_experiment

FIRST = FirstSeed()
"""Of the smoke profile, which judges no claim; verdicts rest on :data:`suites.kaft.arms.UNSEEN`."""
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Learning rates tried for every finetuned method, on a world and subjects of their own."""
LORA_RATES = (1e-4, 3e-4, 1e-3)
"""The same for low-rank factors of Gemma-3-270M."""
GEMMA = SafeWeights()
KNOWLEDGE = Knowledge(source=GEMMA)
_ON_EVERY_SIZE = tuple(arm.method for arm in arms.BY_SIZE)


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (_smoke(),)
    if scale.profile is Profile.SMALL:
        # Gemma's trials are the longest: started first, they leave no worker idle at the end.
        finetuned = (_facts_on_cpu(),) if scale.full else ()
        return (*finetuned, _probe(scale), _world(scale), _sizes(scale))
    if scale.profile is Profile.GPU:
        # Models of generated worlds are small enough to share a GPU.
        worlds = (replace(item, device_gb=3.0) for item in (_world(scale), _sizes(scale)))
        return (*worlds, _facts(scale))
    return (open_experiment(),)


def _of_each_world(base: PretrainedWorld) -> PerSeed:
    return PerSeed(artifact=base, seed_field="world")


def _base(size: str) -> PerSeed:
    """The pretrained model of a size; a seed's world has its number."""
    layers, hidden = SIZES[size]
    return _of_each_world(PretrainedWorld(layers=layers, hidden=hidden))


def _reading(size: str) -> WorldReading:
    """What no model of another size knows is not asked ("head questions")."""
    return WorldReading(base=_base(size), others=tuple(_base(other) for other in SIZES if other != size))


def _worlds(scale: Scale) -> tuple[int, ...]:
    """Ten worlds, or as many as the time of a profile allows."""
    return arms.UNSEEN.take(10 if scale.full else 6 if scale.profile is Profile.SMALL else 5)


def _mixtures(scale: Scale) -> Mapping[str, FineTuned]:
    return {
        name: method for name, method in arms.FINETUNED.items() if scale.full or name not in arms.SHOWN_ONLY
    }


def _world(scale: Scale) -> Experiment:
    """Methods on the main size; under ``gpu`` only those that are compared across sizes."""
    methods: Methods = {**arms.UNTRAINED, **arms.tuned(_mixtures(scale), RATES)}
    # A sabotage changes a target and nothing else, so it keeps KAFT's best rate.
    methods |= arms.changed(arms.SABOTAGES, rate=arms.COMMON_RATES["higher"])
    for name, rate in arms.COMMON_RATES.items():
        methods |= arms.changed({**arms.paired(name), **arms.foreign(name)}, rate=rate)
    if scale.full:
        methods |= arms.tuned({"noise-25": Kaft(noise=0.25)}, RATES)
    if scale.profile is Profile.GPU and not scale.full:
        methods = {name: methods[name] for name in _ON_EVERY_SIZE}
    return Experiment(
        id="world",
        title="Finetuning on generated worlds, tested on subjects that no finetuning saw",
        tasks={MAIN: _reading(MAIN)},
        methods=methods,
        seeds=_worlds(scale),
        unit="question",
    )


def _sizes(scale: Scale) -> Experiment:
    """Few methods on a smaller and a larger model than the main one."""
    trained = {name: arms.FINETUNED[name] for name in _ON_EVERY_SIZE if name in arms.FINETUNED}
    return Experiment(
        id="sizes",
        title="A smaller and a larger model on the same generated worlds",
        tasks={size: _reading(size) for size in OTHER_SIZES},
        methods={
            "pretrained": Pretrained(),
            **arms.tuned(trained, RATES),
            "memory-targets": replace(arms.SABOTAGES["memory-targets"], rate=arms.COMMON_RATES["higher"]),
        },
        seeds=_worlds(scale),
        unit="question",
    )


def _smoke() -> Experiment:
    """The whole way on a tiny world that hardly learns anything."""
    base = PretrainedWorld(
        subjects=12, novel=4, objects=4, layers=1, hidden=16, steps=250, batch=16, pool=2000
    )
    kept = {"kaft": Kaft(steps=3, batch=4), "noisy": Noisy(steps=3, batch=4)}
    return Experiment(
        id="world",
        title="The whole way on a tiny world",
        tasks={MAIN: WorldReading(base=_of_each_world(base), draws=1)},
        methods={**arms.UNTRAINED, **kept},
        **FIRST.own(1),
        unit="question",
    )


def _probe(scale: Scale) -> Experiment:
    """Gemma-3-270M as it is, on facts that it knows."""
    task = FactReading(
        source=GEMMA,
        knowledge=KNOWLEDGE if scale.full else replace(KNOWLEDGE, share=0.6),
        shares=(0.1, 0.0),
        most=110,
        unknown=80,
        answer=5,
        batch=16,
        examples=0,
        shown=scale.full,
    )
    methods = {name: method for name, method in arms.UNTRAINED.items() if scale.full or name != "cad"}
    return Experiment(
        id="probe",
        title="Gemma-3-270M as it is, on facts that it knows",
        tasks={"gemma": task, "unopposed": recast(task, UnopposedReading)},
        methods=methods,
        seeds=arms.UNSEEN.take(1),
        unit="question",
        minutes=30.0,
        only=frozenset({*(("gemma", name) for name in methods), ("unopposed", "pretrained")}),
    )


def _facts_on_cpu() -> Experiment:
    """Few methods on Gemma-3-270M: an update of sixteen items takes three seconds of a core."""
    task = FactReading(
        source=GEMMA, knowledge=KNOWLEDGE, most=60, unknown=40, contexts=2, batch=16, examples=0, shown=False
    )
    lora: dict[str, Any] = {"rank": 8, "steps": 50, "batch": 16, "rate": 3e-4}
    trained = {name: arms.FINETUNED[name] for name in ("relevant", "noisy", "kaft")}
    broken = {name: arms.SABOTAGES[name] for name in ("memory-targets", "copied-distractors")}
    return Experiment(
        id="facts",
        title="Gemma-3-270M finetuned on half of the countries and elements, tested on the others",
        tasks={"gemma": task},
        methods={
            "pretrained": Pretrained(),
            **arms.tuned(arms.changed(trained, **lora), LORA_RATES),
            **arms.changed(broken, **lora),
        },
        seeds=arms.UNSEEN.take(5),
        unit="question",
        minutes=60.0,
    )


def _facts(scale: Scale) -> Experiment:
    """Gemma-3-270M finetuned; without ``--full`` planned for eleven minutes on one large GPU.

    An estimate: launching kernels takes some 50 ms an update, 50 updates and the answers five to six
    seconds a trial, 88 trained trials eight minutes; models of generated worlds take three more.
    """
    task = FactReading(
        source=GEMMA,
        knowledge=Knowledge(source=GEMMA, recalled=NQ_OPEN, recalled_most=500),
        recalled=NQ_OPEN,
        unknown=200,
        batch=256,
        dtype="bfloat16",
    )
    steps = 200 if scale.full else 50
    lora = {"rank": 8, "steps": steps, "rate": 3e-4}
    methods: Methods = {
        **arms.UNTRAINED,
        **arms.tuned(arms.changed(_mixtures(scale), **lora), LORA_RATES),
    }
    if scale.full:
        full = {f"{name}-full": arms.FINETUNED[name] for name in ("noisy", "kaft")}
        methods |= arms.tuned(arms.changed(full, steps=steps, rate=3e-5), (1e-5, 3e-5, 1e-4))
    methods |= arms.changed({**arms.paired("lower"), **arms.foreign("lower")}, **lora, every=0)
    methods |= arms.changed(arms.SABOTAGES, **lora)
    return Experiment(
        id="facts",
        title="Gemma-3-270M finetuned on half of the countries and elements, tested on the others",
        tasks={"gemma": task},
        methods=methods,
        seeds=_worlds(scale),
        unit="question",
        minutes=20.0,
    )
