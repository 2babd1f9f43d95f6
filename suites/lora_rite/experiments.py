"""What runs under each profile.

``invariance``, ``first-step`` and ``state`` need no models and run everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method, Reference
from harness.suite import Experiment, Scale, Timed, Tuned, on_cpu
from methods.common.rank_metrics import spearman
from methods.lora_rite.cost import StepCost, TakeSteps, Train, TrainingCost
from methods.lora_rite.descent import Descend, Factored, Rescaled, TinyTransformer
from methods.lora_rite.encoder import RatingTask
from methods.lora_rite.finetune import ACCURACY
from methods.lora_rite.gauge import KINDS
from methods.lora_rite.language import StringTask
from methods.lora_rite.models import GEMMA_2B
from methods.lora_rite.online import LOSS, Follow, LinearLosses, Unbalanced
from methods.lora_rite.regression import ERROR, FitLinear, LinearRegression
from methods.lora_rite.sabotage import MisalignedDescend, MisalignedFit, UntransportedDescend
from suites.lora_rite.arms import (
    FIRST,
    NOT_SCALED,
    REGRESSION_RATES,
    STRING_RATES,
    at_rank,
    fine_tune,
    misaligned,
    tuned,
    uneven,
)
from suites.lora_rite.cells import (
    ASKED_KNOWN,
    IMBALANCES,
    LORA_RANKS,
    RANKS,
    SCALES,
    STRING_TASKS,
    scale_id,
)
from suites.lora_rite.public import GEMMA_SMALL, public_experiment


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (*_smoke(), _scales(1, steps=20, names=("rite", "adam")))
    if scale.profile is Profile.GPU:
        # What needs no GPU is judged under ``small``; only invariance is checked there as well.
        return (
            *_divided(seeds=1, random=4),
            _step_time(),
            _training_time(scale.profile),
            public_experiment(scale),
        )
    worlds = (
        _regression(8),
        # Shampoo may diverge here, and then a verdict needs ten seeds.
        _scales(10),
        _regret(8),
        _unbalanced(8),
    )
    timed = (_step_time(), _training_time(scale.profile))
    if scale.profile is Profile.SMALL:
        # The longest trials start first, so that no worker is idle at the end.
        exact = _exact(seeds=2, random=12)
        return (_encoder(5), _language(12 if scale.full else 8), *exact, *worlds, *timed)
    return (*_divided(seeds=2, random=12), *on_cpu(worlds), *timed, public_experiment(scale))


def _divided(*, seeds: int, random: int) -> tuple[Experiment, ...]:
    """Exact checks where there is a GPU: only invariance is checked on it, by small trials that share it."""
    invariance, *rest = _exact(seeds=seeds, random=random)
    return (replace(invariance, device_gb=1.0), *on_cpu(rest))


def _smoke() -> tuple[Experiment, ...]:
    """What exact claims need, on few cases."""
    invariance, first, state = _exact(seeds=1, random=1)
    only = {(task, name) for task in invariance.tasks for name in ("rite", "rite-default", "rite-no-mass")}
    only |= {("scale", name) for name in (*NOT_SCALED, "lamb")}
    only |= {("rotation", "adam"), ("rotation", "lamb"), ("transformer-scale", "lamb")}
    short = {
        name: replace(task, steps=4) if isinstance(task, TinyTransformer) else task
        for name, task in invariance.tasks.items()
    }
    # Shampoo's roots of matrices as wide as a layer take most of the time, for a control only.
    kept = {name: method for name, method in state.methods.items() if name != "shampoo"}
    return (replace(invariance, tasks=short, only=frozenset(only)), first, replace(state, methods=kept))


def _exact(*, seeds: int, random: int) -> tuple[Experiment, ...]:
    names = ("rite", "rite-no-mass", "lora-plus", "scaled-adam", "lamb", "adam", "shampoo", "rmsprop")
    methods: dict[str, Method[Any, Any]] = {name: Descend(optimizer=name) for name in (*names, "adagrad")}
    methods |= {name: Descend(optimizer=name, rate=0.01) for name in ("gd", "scaled-gd")}
    methods["rite-default"] = Descend(plain=False)
    methods["alt-lora"] = Descend(optimizer="alt-lora")
    methods |= {"untransported": UntransportedDescend(), "misaligned": MisalignedDescend()}
    tasks: dict[str, Any] = {kind: Factored(kind=kind, random=random) for kind in KINDS}
    tasks["transformer"] = TinyTransformer()
    tasks["transformer-scale"] = TinyTransformer(kind="scale")
    # Models are slow, and say the same: there only the paper's three kinds run.
    everywhere = ("rite", "rite-default", "rite-no-mass", "untransported", "misaligned", "adam", "lamb")
    only = {(kind, name) for kind in KINDS for name in methods}
    only |= {(task, name) for task in tasks for name in everywhere}
    first: dict[str, Method[Any, Any]] = {name: Descend(optimizer=name) for name in ("rite", "adam", "gd")}
    kept: dict[str, Method[Any, Any]] = {
        name: TakeSteps(optimizer=name, repeats=1) for name in ("rite", "adam", "shampoo")
    }
    layers = StepCost(layers=1, shapes=((2048, 2048), (2048, 256)))
    return (
        Experiment(
            id="invariance",
            title="Trajectories from equivalent factors",
            tasks=tasks,
            methods=methods,
            seeds=FIRST.take(seeds),
            unit="case",
            only=frozenset(only),
        ),
        Experiment(
            id="first-step",
            title="What each factor contributes to the first step",
            tasks={"rescaled": Rescaled()},
            methods=first,
            seeds=FIRST.take(1),
            unit="case",
        ),
        Experiment(
            id="state",
            title="Numbers kept by each optimizer, for attention layers of Gemma-2B",
            tasks={"layers": layers},
            methods=kept,
            seeds=FIRST.take(1),
            unit="optimizer",
        ),
    )


def _regression(seeds: int) -> Experiment:
    methods = {
        name: tuned(FitLinear(optimizer=name, rate=rate), ERROR) for name, rate in REGRESSION_RATES.items()
    }
    broken = MisalignedFit(rate=REGRESSION_RATES["rite"])
    return Experiment(
        id="regression",
        title="Linear regression with a low-rank correction, at the best rates",
        tasks={"plain": LinearRegression()},
        methods={**methods, "misaligned": tuned(broken, ERROR)},
        seeds=FIRST.take(seeds),
        unit="output",
    )


def _scales(seeds: int, *, steps: int = 300, names: Iterable[str] = REGRESSION_RATES) -> Experiment:
    """Rates stay those of s = 1, since a user does not tune again for every initialisation."""
    return Experiment(
        id="scales",
        title="Linear regression from rescaled initial factors",
        tasks={scale_id(scale): LinearRegression(scale=scale, steps=steps) for scale in SCALES},
        methods={name: FitLinear(optimizer=name, rate=REGRESSION_RATES[name]) for name in names},
        seeds=FIRST.take(seeds),
        unit="output",
    )


def _regret(seeds: int, *, steps: int = 1024) -> Experiment:
    return Experiment(
        id="regret",
        title="First-order terms under losses that nothing can learn",
        tasks={"linear": LinearLosses(worlds=2, steps=steps)},
        methods={
            "rite-sum": Follow(),
            "matrix-adagrad": Follow(optimizer="matrix-adagrad"),
            "gd": Follow(optimizer="gd"),
        },
        seeds=FIRST.take(seeds),
        unit="world",
    )


def _unbalanced(seeds: int) -> Experiment:
    adagrad = Follow(optimizer="matrix-adagrad", rate=1.0)
    methods = {
        "rite-sum": Follow(optimizer="rite-sum", rate=3.0),
        "matrix-adagrad": adagrad,
        "balanced-adagrad": replace(adagrad, balance=True),
    }
    return Experiment(
        id="unbalanced",
        title="Average loss from unbalanced factors, at the best rates",
        tasks={scale_id(s): Unbalanced(imbalance=s, worlds=2) for s in IMBALANCES},
        methods={name: tuned(method, LOSS, points=7) for name, method in methods.items()},
        seeds=FIRST.take(seeds),
        unit="world",
    )


def _step_time() -> Experiment:
    return Experiment(
        id="step-time",
        title="Seconds of optimizer steps by rank",
        tasks={"layers": StepCost(ranks=RANKS)},
        methods={at_rank(o, r): TakeSteps(optimizer=o, rank=r) for o in ("rite", "adam") for r in RANKS},
        seeds=FIRST.take(1),
        unit="block",
        timed=Timed(blocks=10, warmup=1),
    )


def _training_time(profile: Profile) -> Experiment:
    """Two random models under ``small``; elsewhere a pretrained one at 8,192 tokens is the larger."""
    task = TrainingCost()
    if profile is not Profile.SMALL:
        larger: Reference = GEMMA_SMALL if profile is Profile.GPU else GEMMA_2B
        task = TrainingCost(model=larger, rows=16, length=512)
    return Experiment(
        id="training-time",
        title="Seconds of training steps at two model sizes",
        tasks={"models": task},
        methods={
            f"{o}-{s}": Train(optimizer=o, size=s, repeats=6)
            for o in ("rite", "adam")
            for s in ("small", "large")
        },
        seeds=FIRST.take(1),
        unit="block",
        timed=Timed(blocks=8, warmup=1),
        memory_gb=6.0 if profile is Profile.SMALL else 64.0,
    )


def _language(seeds: int) -> Experiment:
    """Six optimizers, two ranks, a task to generate, a question, and a question known already."""
    methods: dict[str, Method[Any, Any] | Tuned] = {
        at_rank(name, rank): tuned(fine_tune(name, rate, rank), ACCURACY)
        for name, rate in STRING_RATES.items()
        for rank in LORA_RANKS
    }
    for rank in LORA_RANKS:
        methods[at_rank("misaligned", rank)] = misaligned(STRING_RATES["rite"], rank)
        methods[at_rank("uneven", rank)] = uneven(STRING_RATES["rite"], rank)
    only = {(task, method) for task in STRING_TASKS for method in methods}
    only |= {("known", at_rank(name, 16)) for name in (*ASKED_KNOWN, "misaligned")}
    return Experiment(
        id="language",
        title="A small language model learns functions of strings",
        tasks={
            **{task: StringTask(function=task) for task in STRING_TASKS},
            "known": StringTask(function="rises"),
        },
        methods=methods,
        seeds=FIRST.take(seeds),
        unit="test string",
        only=frozenset(only),
    )


def _encoder(seeds: int) -> Experiment:
    pairs = {"rite": (5e-4, 1.5e-3), "adam": (4e-3, 1.2e-2), "lora-plus": (1e-3, 3e-3)}
    methods = {
        name: Tuned(method=fine_tune(name, rates[1], 16), grid={"rate": rates}, select=spearman())
        for name, rates in pairs.items()
    }
    return Experiment(
        id="encoder",
        title="MiniLM learns ratings of product reviews",
        tasks={"amazon": RatingTask()},
        methods={**methods, "misaligned": misaligned(pairs["rite"][1], 16)},
        seeds=FIRST.take(seeds),
        unit="test text",
    )
