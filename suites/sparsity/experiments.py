"""What runs under each profile.

The ids are the same everywhere. ``images`` holds the vision models of one size (causes, other
architectures, Top-k), ``sizes`` those of other depths and widths, all at one rate; ``noise`` trains longer,
until noisy labels are memorised; ``rates`` shows what the learning rate does; ``text`` trains language
models; ``gradient`` and ``second-layer`` train none. Under ``small`` ``noise``, ``rates``, Top-k and
the decoder are left to ``--full``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.suite import Experiment, FirstSeed, Scale, Timed, on_cpu
from methods.common.recast import recast
from methods.sparsity.activation import HiddenDropout, L1Penalty, RandomK, TopK, TopKAtInference
from methods.sparsity.initial_gradient import DrawSlopes, InitialGradientTask
from methods.sparsity.method import Train
from methods.sparsity.pretrained import C4, OPT_125M, T5_BASE, Read, ReadingTask
from methods.sparsity.sabotage import (
    ForgetfulProduct,
    RandomKAtInference,
    ReadShuffled,
    StoppedGradient,
    Untrained,
)
from methods.sparsity.sabotage_text import FixedOnTest
from methods.sparsity.second_layer import DenseProduct, SecondLayerTask, SparseProduct
from suites.sparsity.cells import LABEL_NOISE, NOISE_TASK, TOP, noise_tasks, rate_id
from suites.sparsity.plan import Plan, plan_of

FIRST = FirstSeed()
FRESH = FirstSeed(300, "Those from 100 and from 200 on were seen in runs after which training became longer.")
"""For what is trained; what trains nothing stays with the first."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a scale."""
    plan = plan_of(scale)
    exact: tuple[Experiment, ...] = (_gradient(plan), _second_layer(plan))
    if scale.profile is Profile.SMOKE:
        return (*exact, _smoke_images(plan), _text(plan, decoder=False))
    if scale.profile is not Profile.SMALL:
        exact = (*on_cpu(exact[:1]), *exact[1:])
    wide = scale.full or scale.profile is not Profile.SMALL
    found = [
        # The longest trials start first, so that no worker is idle at the end.
        *((_noise(plan, scale),) if wide else ()),
        _text(plan, decoder=wide),
        _sizes(plan),
        _images(plan, top_k=wide, every_k=scale.full),
        *((_rates(plan),) if wide else ()),
        *exact,
        _second_layer_time(plan),
    ]
    if scale.profile is Profile.PAPER:
        found.append(_pretrained())
    return found


def _experiment(plan: Plan, **fields: Any) -> Experiment:
    given: dict[str, Any] = {"seeds": FRESH.take(plan.seeds), "minutes": plan.minutes}
    given |= {"memory_gb": plan.memory_gb, "device_gb": plan.device_gb}
    return Experiment(**{**given, **fields})


def _smoke_images(plan: Plan) -> Experiment:
    return _experiment(
        plan,
        id="images",
        title="Vision models of a few steps",
        tasks={"real": plan.images, "mixer": plan.mixer, "mlp": plan.two_layers},
        methods={"dense": Train(rate=plan.rate), TOP: Train(activation=TopK(plan.keep))},
        unit="layer",
    )


def _images(plan: Plan, *, top_k: bool, every_k: bool) -> Experiment:
    real = plan.images
    curves = {
        "real": real,
        "random-labels": replace(real, labels="random"),
        "random-images": replace(real, images="random"),
        "fresh": replace(real, fresh=True),
    }
    tasks = {name: replace(task, curve=True) for name, task in curves.items()} | {
        "quarter": replace(real, share=0.25),
        "fiftieth": replace(real, share=0.02),
        "mixer": plan.mixer,
        "mlp": plan.two_layers,
        "mlp-fresh": replace(plan.two_layers, fresh=True),
    }
    keep = plan.keep
    arms: dict[str, Any] = {}
    if top_k:
        arms |= {TOP: TopK(keep), "top-1": TopK(1), "random-cut": RandomKAtInference(keep)}
    if every_k:
        arms |= {f"top-{k}": TopK(k) for k in plan.other_keeps}
        arms |= {"top-k-at-inference": TopKAtInference(keep), "random-k": RandomK(keep)}
    methods = {name: Train(activation=activation, rate=plan.rate) for name, activation in arms.items()}
    common = {"dense": Train(rate=plan.rate), "stopped": _stopped(plan.rate), "untrained": Untrained()}
    return _experiment(
        plan,
        id="images",
        title="Vision models of one size at one learning rate: causes, architectures, Top-k",
        tasks=tasks,
        methods=common | methods,
        # A row of the first parts is a layer, of the others an image.
        unit="row",
        only=frozenset(
            {(task, "dense") for task in tasks}
            | {(task, "stopped") for task in ("real", "mixer", "mlp")}
            | {("real", name) for name in ("untrained", *methods)}
        ),
    )


def _sizes(plan: Plan) -> Experiment:
    """Depths and widths, but for the common ones, which ``images`` has."""
    deepest = plan.depth_task(plan.depths[-1])
    tasks = {plan.depth_task(n): _resized(plan.images, layers=n) for n in plan.depths if n != plan.layers}
    tasks |= {plan.width_task(n): _resized(plan.images, d_ff=n) for n in plan.widths if n != plan.d_ff}
    return _experiment(
        plan,
        id="sizes",
        title="Vision transformers of other depths and widths at the same rate",
        tasks=tasks,
        methods={"dense": Train(rate=plan.rate), "stopped": _stopped(plan.rate)},
        seeds=FRESH.take(plan.dear_seeds),
        unit="layer",
        only=frozenset({(task, "dense") for task in tasks} | {(deepest, "stopped")}),
    )


def _stopped(rate: float) -> Train:
    return Train(activation=StoppedGradient(), rate=rate)


def _resized(task: Any, **changes: int) -> Any:
    return replace(task, size=replace(task.size, **changes))


def _noise(plan: Plan, scale: Scale) -> Experiment:
    keep = plan.keep
    methods: dict[str, Any] = {
        "dense": Train(rate=plan.noise_rate),
        TOP: Train(activation=TopK(keep), rate=plan.noise_rate),
        "random-cut": Train(activation=RandomKAtInference(keep), rate=plan.noise_rate),
    }
    if scale.full:
        methods |= _baselines(plan)
    # The strongest label noise belongs to wide grids.
    wide = scale.full or scale.profile is Profile.PAPER
    noises = LABEL_NOISE if wide else {NOISE_TASK: LABEL_NOISE[NOISE_TASK]}
    tasks = {"clean": plan.noise} | {task: replace(plan.noise, noise=share) for task, share in noises.items()}
    noisy = {(task, name) for name in methods for task in noise_tasks(name, plan) if task in tasks}
    return _experiment(
        plan,
        id="noise",
        title="Long training: label noise, input corruption, calibration",
        tasks=tasks,
        methods=methods,
        only=frozenset(noisy | {("clean", name) for name in methods}),
        unit="image",
    )


def _baselines(plan: Plan) -> dict[str, Any]:
    """What else makes activations few or models small, under ``--full``."""
    keep, rate = plan.keep, plan.noise_rate
    return {
        f"top-{keep // 2}": Train(activation=TopK(keep // 2), rate=rate),
        f"top-{2 * keep}": Train(activation=TopK(2 * keep), rate=rate),
        "top-k-at-inference": Train(activation=TopKAtInference(keep), rate=rate),
        "random-k": Train(activation=RandomK(keep), rate=rate),
        "dropout": Train(activation=HiddenDropout(keep / plan.d_ff), rate=rate),
        "l1": Train(activation=L1Penalty(1e-4), rate=rate),
        "narrow": Train(d_ff=keep, rate=rate),
    }


def _rates(plan: Plan) -> Experiment:
    methods = {
        rate_id(optimizer, rate): Train(optimizer=optimizer, rate=rate)
        for optimizer, rates in plan.rates.items()
        for rate in rates
        if (optimizer, rate) != ("adamw", plan.rate)
    }
    return _experiment(
        plan,
        id="rates",
        title="What the learning rate does to loss and sparsity",
        tasks={"real": plan.images},
        methods=methods,
        seeds=FRESH.take(3),
        unit="layer",
    )


def _text(plan: Plan, *, decoder: bool) -> Experiment:
    tasks: dict[str, Any] = {"spans": replace(plan.text, curve=True)}
    methods: dict[str, Any] = {"dense": Train(rate=plan.text_rate)}
    if plan.profile is not Profile.SMOKE:
        tasks["spans-fixed"] = recast(plan.text, FixedOnTest)
        methods |= {"untrained": Untrained(), "stopped": _stopped(plan.text_rate)}
    if decoder:
        tasks["next"] = replace(plan.text, kind="next")
    return _experiment(
        plan,
        id="text",
        title="Language models over bytes: span corruption, and the next byte",
        tasks=tasks,
        methods=methods,
        seeds=FRESH.take(plan.dear_seeds),
        unit="layer",
        only=frozenset({(task, "dense") for task in tasks} | {("spans", name) for name in methods}),
    )


def _gradient(plan: Plan) -> Experiment:
    smoke = plan.profile is Profile.SMOKE
    return _experiment(
        plan,
        id="gradient",
        title="The gradient of pre-activations under a random last layer",
        tasks={"cases": InitialGradientTask(random=3 if smoke else 8)},
        methods={"random": DrawSlopes()},
        **FIRST.own(1 if smoke else 3),
        unit="case",
    )


def _second_layer(plan: Plan) -> Experiment:
    return _experiment(
        plan,
        id="second-layer",
        title="The second layer from active rows only",
        tasks={"products": SecondLayerTask()},
        methods={
            "dense": DenseProduct(),
            "sparse": SparseProduct(),
            "forgetful": ForgetfulProduct(),
        },
        **FIRST.own(1 if plan.profile is Profile.SMOKE else 3),
        unit="case",
    )


def _second_layer_time(plan: Plan) -> Experiment:
    task = SecondLayerTask(shapes=((1024, 16384, 128),), tokens=1)
    return _experiment(
        plan,
        id="second-layer-time",
        title="Seconds of an unbatched second layer of T5-3B's size",
        tasks={"one-token": task},
        methods={"dense": DenseProduct(repeats=50), "sparse": SparseProduct(repeats=50)},
        **FIRST.own(1),
        unit="block",
        timed=Timed(blocks=10, warmup=1),
    )


def _pretrained() -> Experiment:
    """Pretrained models read what they were trained on."""
    models = {"t5-base": T5_BASE, "opt-125m": OPT_125M}
    return Experiment(
        id="pretrained",
        title="Pretrained models on C4",
        tasks={name: ReadingTask(checkpoint=ref, data=C4) for name, ref in models.items()},
        methods={"pretrained": Read(), "shuffled": ReadShuffled()},
        **FIRST.own(5),
        unit="layer",
        minutes=240.0,
        memory_gb=64.0,
    )
