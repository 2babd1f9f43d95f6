"""What runs under each profile.

``world`` and ``sizes`` train on generated worlds (``small``, ``gpu``), ``probe`` asks Gemma-3-270M as
it is (``small``), ``facts`` finetunes it (``gpu``), ``open`` finetunes T5 on public data (``paper``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method
from harness.suite import Experiment, Scale, Tuned
from methods.common.datasets import NQ_OPEN
from methods.common.gemma import SafeWeights
from methods.kaft.method import (
    JOINT,
    ContextAware,
    CounterfactualOnly,
    FineTuned,
    Kaft,
    Noisy,
    Oracle,
    Pretrained,
    RelevantOnly,
    Sabotaged,
)
from methods.kaft.prepare import Knowledge, PretrainedWorld
from methods.kaft.task import FactReading, WorldReading
from suites.kaft.cells import (
    BY_SIZE,
    CURVES,
    EQUAL,
    MAIN,
    SABOTAGES,
    SHOWN_ONLY,
    SIZES,
    TUNING_WORLD,
    WORLDS,
)

THIRD = 1 / 3
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Learning rates tried for every finetuned method, on a world and subjects of their own."""
GEMMA = SafeWeights()


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (_smoke(),)
    if scale.profile is Profile.SMALL:
        # Gemma's trials are the longest: started first, they leave no worker idle at the end.
        return (_probe(), _world(scale), _sizes(scale))
    if scale.profile is Profile.GPU:
        # Models of generated worlds are small enough to share a GPU.
        worlds = (replace(item, device_gb=3.0) for item in (_world(scale), _sizes(scale)))
        return (*worlds, _facts(scale))
    from suites.kaft.paper import open_experiment

    return (open_experiment(finetuned(), paired("lower")),)


def finetuned() -> dict[str, FineTuned]:
    """The mixtures, by id."""
    return {
        "relevant": RelevantOnly(),
        "noisy": Noisy(),
        "cf-only": CounterfactualOnly(),
        "kaft": Kaft(),
        "no-cf": Kaft(relevant=THIRD, irrelevant=THIRD, empty=THIRD, counterfactual=0.0),
        "no-irr": Kaft(relevant=0.5, irrelevant=0.0, empty=0.0, counterfactual=0.5),
        "gold": Kaft(targets="gold"),
        "no-tags": Kaft(tags=False),
        "easy": Kaft(hardness="easy"),
        "noise-50": Kaft(noise=0.5),
    }


def oracles() -> dict[str, Method[Any, Any]]:
    """Readers without a model."""
    return {
        "copy": Oracle(habit="copy"),
        "closed-book": Oracle(habit="closed-book"),
        "gated": Oracle(habit="gated"),
    }


def _tuned(method: Method[Any, Any], rates: Sequence[float], seed: int) -> Tuned:
    return Tuned(method=method, grid={"rate": tuple(rates)}, select=JOINT, seeds=(seed,))


def bases(size: str, worlds: Sequence[int]) -> tuple[PretrainedWorld, ...]:
    """Pretrained models of one size, one a world."""
    layers, hidden = SIZES[size]
    return tuple(PretrainedWorld(world=world, layers=layers, hidden=hidden) for world in worlds)


def _worlds(scale: Scale) -> tuple[int, ...]:
    return tuple(range(WORLDS[0], WORLDS[0] + 10)) if scale.full else WORLDS


def _world(scale: Scale) -> Experiment:
    """Every method on the main size; under ``gpu`` only those that are compared across sizes."""
    worlds = _worlds(scale)
    every = (*worlds, TUNING_WORLD)
    methods: dict[str, Any] = {"pretrained": Pretrained(), "cad": ContextAware(), **oracles()}
    methods |= {name: _tuned(method, RATES, TUNING_WORLD) for name, method in finetuned().items()}
    # A sabotage changes a target and nothing else, so it keeps KAFT's best rate.
    methods |= {bug: Sabotaged(bug=bug, rate=EQUAL["higher"]) for bug in SABOTAGES}
    for name, rate in EQUAL.items():
        methods |= {arm: replace(m, rate=rate) for arm, m in paired(name).items()}
    if scale.full:
        methods["noise-25"] = _tuned(Kaft(noise=0.25), RATES, TUNING_WORLD)
    if scale.profile is Profile.GPU and not scale.full:
        methods = {name: methods[name] for name in (*BY_SIZE, *oracles())}
    return Experiment(
        id="world",
        title="Finetuning on generated worlds, tested on subjects that no finetuning saw",
        tasks={MAIN: WorldReading(bases=bases(MAIN, every), others=_others(MAIN, every))},
        methods=methods,
        seeds=worlds,
        unit="question",
    )


def paired(rate: str) -> dict[str, Kaft]:
    """KAFT and its variant with gold targets, to be trained at one rate."""
    found: dict[str, Kaft] = {f"kaft-{rate}": Kaft(), f"gold-{rate}": Kaft(targets="gold")}
    return {arm: replace(method, every=50 if arm in CURVES else 0) for arm, method in found.items()}


def _others(size: str, worlds: Sequence[int]) -> tuple[PretrainedWorld, ...]:
    """Models of the other sizes: what they do not know is not asked ("head questions")."""
    return tuple(base for other in SIZES if other != size for base in bases(other, worlds))


def _sizes(scale: Scale) -> Experiment:
    """Few methods on a smaller and a larger model than the main one."""
    worlds = _worlds(scale)
    every = (*worlds, TUNING_WORLD)
    others = [size for size in SIZES if size != MAIN]
    tasks = {size: WorldReading(bases=bases(size, every), others=_others(size, every)) for size in others}
    pairs = {(size, name) for size in others for name in (*BY_SIZE, *oracles())}
    pairs |= {("blind-s", "gated"), ("blind-l", "gated"), ("blind-l", "copy")}
    tasks |= {f"blind-{size}": replace(tasks[size], blind=True) for size in others}
    mixtures = finetuned()
    trained = {name: _tuned(mixtures[name], RATES, TUNING_WORLD) for name in BY_SIZE if name in mixtures}
    return Experiment(
        id="sizes",
        title="A smaller and a larger model on the same generated worlds",
        tasks=dict(tasks),
        methods={"pretrained": Pretrained(), **oracles(), **trained},
        seeds=worlds,
        unit="question",
        only=frozenset(pairs),
    )


def _smoke() -> Experiment:
    """The whole way on a tiny world that hardly learns anything."""
    base = PretrainedWorld(
        world=100, subjects=12, novel=4, objects=4, layers=1, hidden=16, steps=250, batch=16, pool=2000
    )
    kept = {"kaft": Kaft(steps=3, batch=4), "noisy": Noisy(steps=3, batch=4)}
    return Experiment(
        id="world",
        title="The whole way on a tiny world",
        tasks={MAIN: WorldReading(bases=(base,), draws=1)},
        methods={"pretrained": Pretrained(), "cad": ContextAware(), **oracles(), **kept},
        seeds=(100,),
        unit="question",
    )


def _probe() -> Experiment:
    """Gemma-3-270M as it is, on facts that it knows."""
    task = FactReading(
        source=GEMMA,
        knowledge=Knowledge(source=GEMMA),
        shares=(0.1, 0.0),
        most=60,
        answer=5,
        batch=16,
        examples=0,
    )
    return Experiment(
        id="probe",
        title="Gemma-3-270M as it is, on facts that it knows",
        tasks={"gemma": task},
        methods={"pretrained": Pretrained(), "cad": ContextAware(), **oracles()},
        seeds=WORLDS[:1],
        unit="question",
        minutes=30.0,
    )


def _facts(scale: Scale) -> Experiment:
    """Gemma-3-270M finetuned; without ``--full`` planned for ten minutes on one large GPU.

    An estimate: launching kernels takes some 50 ms an update, 50 updates and the answers five to six
    seconds a trial, 63 trained trials six minutes; models of generated worlds take three more.
    """
    task = FactReading(
        source=GEMMA,
        knowledge=Knowledge(source=GEMMA, recalled=NQ_OPEN, recalled_most=500),
        recalled=NQ_OPEN,
        unknown=200,
        batch=256,
        dtype="bfloat16",
    )
    steps, common = 200 if scale.full else 50, 3e-4
    methods: dict[str, Any] = {"pretrained": Pretrained(), "cad": ContextAware(), **oracles()}
    for name, method in finetuned().items():
        if scale.full or name not in SHOWN_ONLY:
            lora = replace(method, rank=8, steps=steps, rate=common)
            methods[name] = _tuned(lora, (1e-4, 3e-4, 1e-3), TUNING_WORLD)
    for name in ("noisy", "kaft") if scale.full else ():
        full = replace(finetuned()[name], steps=steps, rate=3e-5)
        methods[f"{name}-full"] = _tuned(full, (1e-5, 3e-5, 1e-4), TUNING_WORLD)
    for arm, method in paired("lower").items():
        methods[arm] = replace(method, rank=8, steps=steps, rate=common, every=0)
    methods |= {bug: Sabotaged(bug=bug, rank=8, steps=steps, rate=common) for bug in SABOTAGES}
    return Experiment(
        id="facts",
        title="Gemma-3-270M finetuned on half of the countries and elements, tested on the others",
        tasks={"gemma": task},
        methods=methods,
        seeds=_worlds(scale),
        unit="question",
        minutes=20.0,
    )
