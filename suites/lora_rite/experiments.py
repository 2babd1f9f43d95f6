"""What runs under each profile.

``invariance``, ``first-step`` and ``state`` need no models and run everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method, Reference
from harness.suite import Experiment, Methods, Scale, Timed, on_cpu
from methods.common.rank_metrics import spearman
from methods.lora_rite.cost import StepCost, TakeSteps, Train, TrainingCost
from methods.lora_rite.descent import Descend, Factored, Rescaled, TinyTransformer
from methods.lora_rite.encoder import RatingTask
from methods.lora_rite.finetune import ACCURACY
from methods.lora_rite.gauge import KINDS
from methods.lora_rite.language import StringTask
from methods.lora_rite.models import GEMMA_2B, GEMMA_SMALL
from methods.lora_rite.online import LOSS, Follow, LinearLosses, Unbalanced
from methods.lora_rite.regression import ERROR, FitLinear, LinearRegression
from methods.lora_rite.sabotage import MisalignedDescend, MisalignedFit, UntransportedDescend
from suites.lora_rite import arms, cells
from suites.lora_rite.gemma import gemma_grades, gemma_invariance
from suites.lora_rite.public import public_experiment


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (*_smoke(), _scales(1, steps=20, names=("rite", "adam")))
    if scale.profile is Profile.GPU:
        # What needs no GPU is judged under ``small``; only invariance is checked there as well.
        return (
            *_divided(seeds=1, random=4),
            replace(gemma_invariance(), device_gb=4.0),
            _step_time(),
            _training_time(scale.profile),
            public_experiment(scale),
        )
    worlds = (
        _regression(8),
        # Shampoo may diverge here, and then a verdict needs ten seeds.
        _scales(10),
        # Shown only: a few seeds say how well it is known.
        _regret(3),
        _unbalanced(8),
    )
    timed = (_step_time(), _training_time(scale.profile))
    if scale.profile is Profile.SMALL:
        # The longest trials start first, so that no worker is idle at the end.
        exact = _exact(seeds=2, random=12)
        gemma = (gemma_grades(5), gemma_invariance())
        return (*gemma, _encoder(5), _language(12 if scale.full else 6), *exact, *worlds, *timed)
    exact = _divided(seeds=2, random=12)
    real = replace(gemma_invariance(), device_gb=4.0)
    return (*exact, real, *on_cpu(worlds), *timed, public_experiment(scale))


def _divided(*, seeds: int, random: int) -> tuple[Experiment, ...]:
    """Exact checks where there is a GPU: only invariance is checked on it, by small trials that share it."""
    invariance, *rest = _exact(seeds=seeds, random=random)
    return (replace(invariance, device_gb=1.0), *on_cpu(rest))


def _smoke() -> tuple[Experiment, ...]:
    """What exact claims need, on few cases."""
    invariance, first, state = _exact(seeds=1, random=1)
    only = {(task, name) for task in invariance.tasks for name in ("rite", "rite-default", "rite-no-mass")}
    only |= {("scale", name) for name in (*arms.NOT_SCALED, "lamb", "lars")}
    only |= {("rotation", "adam"), ("rotation", "lamb"), ("general", "lars")}
    only |= {("transformer-scale", name) for name in ("lamb", "lars")}
    short = {
        name: replace(task, steps=4) if isinstance(task, TinyTransformer) else task
        for name, task in invariance.tasks.items()
    }
    # Shampoo's roots of matrices as wide as a layer take most of the time, for a control only.
    kept = {name: method for name, method in state.methods.items() if name != "shampoo"}
    return (replace(invariance, tasks=short, only=frozenset(only)), first, replace(state, methods=kept))


def _exact(*, seeds: int, random: int) -> tuple[Experiment, ...]:
    names = ("rite", "rite-no-mass", "lora-plus", "scaled-adam", "lamb", "lars", "adam", "shampoo")
    methods: Methods = {name: Descend(optimizer=name) for name in (*names, "rmsprop", "adagrad")}
    methods |= {name: Descend(optimizer=name, rate=0.01) for name in ("gd", "scaled-gd")}
    methods["rite-default"] = Descend(plain=False)
    methods["alt-lora"] = Descend(optimizer="alt-lora")
    methods |= {"untransported": UntransportedDescend(), "misaligned": MisalignedDescend()}
    tasks: dict[str, Any] = {kind: Factored(kind=kind, random=random) for kind in KINDS}
    tasks["transformer"] = TinyTransformer()
    tasks["transformer-scale"] = TinyTransformer(kind="scale")
    # Models are slow, and say the same: there only the paper's three kinds run.
    everywhere = ("rite", "rite-default", "rite-no-mass", "untransported", "misaligned", "adam")
    by_size = ("lamb", "lars")
    only = {(kind, name) for kind in KINDS for name in methods}
    only |= {(task, name) for task in tasks for name in (*everywhere, *by_size)}
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
            seeds=arms.FIRST.take(seeds),
            unit="case",
            only=frozenset(only),
        ),
        Experiment(
            id="first-step",
            title="What each factor contributes to the first step",
            tasks={"rescaled": Rescaled()},
            methods=first,
            seeds=arms.FIRST.take(1),
            unit="case",
        ),
        Experiment(
            id="state",
            title="Numbers kept by each optimizer, for attention layers of Gemma-2B",
            tasks={"layers": layers},
            methods=kept,
            seeds=arms.FIRST.take(1),
            unit="optimizer",
        ),
    )


def _regression(seeds: int) -> Experiment:
    methods = {
        name: arms.tuned(FitLinear(optimizer=name, rate=rate), ERROR)
        for name, rate in arms.REGRESSION_RATES.items()
    }
    broken = MisalignedFit(rate=arms.REGRESSION_RATES["rite"])
    return Experiment(
        id="regression",
        title="Linear regression with a low-rank correction, at the best rates",
        tasks={"plain": LinearRegression()},
        methods={**methods, "misaligned": arms.tuned(broken, ERROR)},
        seeds=arms.FIRST.take(seeds),
        unit="output",
    )


def _scales(seeds: int, *, steps: int = 300, names: Iterable[str] = (*arms.OPTIMIZERS, "lars")) -> Experiment:
    """Rates stay those of s = 1, since a user does not tune again for every initialisation."""
    return Experiment(
        id="scales",
        title="Linear regression from rescaled initial factors",
        tasks={cells.scale_id(scale): LinearRegression(scale=scale, steps=steps) for scale in cells.SCALES},
        methods={name: FitLinear(optimizer=name, rate=arms.REGRESSION_RATES[name]) for name in names},
        seeds=arms.FIRST.take(seeds),
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
        seeds=arms.FIRST.take(seeds),
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
        tasks={cells.scale_id(s): Unbalanced(imbalance=s, worlds=2) for s in cells.IMBALANCES},
        methods={name: arms.tuned(method, LOSS, points=7) for name, method in methods.items()},
        seeds=arms.FIRST.take(seeds),
        unit="world",
    )


def _step_time() -> Experiment:
    return Experiment(
        id="step-time",
        title="Seconds of optimizer steps by rank",
        tasks={"layers": StepCost(ranks=cells.RANKS)},
        methods={
            arms.at_rank(o, r): TakeSteps(optimizer=o, rank=r) for o in ("rite", "adam") for r in cells.RANKS
        },
        seeds=arms.FIRST.take(1),
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
        seeds=arms.FIRST.take(1),
        unit="block",
        timed=Timed(blocks=8, warmup=1),
        memory_gb=6.0 if profile is Profile.SMALL else 64.0,
    )


def _language(seeds: int) -> Experiment:
    """Six optimizers at rank 16, two at the others; an answer, a question, and a question known already."""
    methods: Methods = {
        arms.at_rank(name, rank): arms.tuned(arms.fine_tune(name, arms.STRING_RATES[name], rank), ACCURACY)
        for name in arms.OPTIMIZERS
        for rank in cells.ranks_of(name)
    }
    # What breaks a claim at one of its ranks breaks it.
    for rank in (4, 16):
        methods[arms.at_rank("misaligned", rank)] = arms.misaligned(arms.STRING_RATES["rite"], rank)
    methods["uneven-r16"] = arms.uneven(arms.STRING_RATES["rite"], 16)
    only = {(task, method) for task in cells.STRING_TASKS for method in methods}
    only |= {("known", arms.at_rank(name, 16)) for name in (*cells.ASKED_KNOWN, "misaligned")}
    return Experiment(
        id="language",
        title="A small language model learns functions of strings",
        tasks={
            **{task: StringTask(function=task) for task in cells.STRING_TASKS},
            "known": StringTask(function="rises"),
        },
        methods=methods,
        seeds=arms.FIRST.take(seeds),
        unit="test string",
        only=frozenset(only),
    )


def _encoder(seeds: int) -> Experiment:
    methods = {
        name: arms.tuned(arms.fine_tune(name, rate, 16), spearman(), points=3)
        for name, rate in arms.ENCODER_RATES.items()
    }
    return Experiment(
        id="encoder",
        title="MiniLM learns ratings of product reviews",
        tasks={"amazon": RatingTask()},
        methods={**methods, "misaligned": arms.misaligned(arms.ENCODER_RATES["rite"], 16)},
        seeds=arms.FIRST.take(seeds),
        unit="test text",
    )
