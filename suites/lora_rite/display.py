"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from harness.claims import MEASURED, Place, Profile
from harness.suite import (
    Columns,
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    by_arm,
    curves,
)
from methods.lora_rite.finetune import GROWTH_A, GROWTH_B
from methods.lora_rite.gauge import KINDS
from suites.lora_rite import cells
from suites.lora_rite.arms import LABELS, LATER, OPTIMIZERS, at_rank, named

_SMALL = (Profile.SMALL,)
_WITHOUT_GPU = (Profile.SMALL, Profile.PAPER)
_LOOKS = (20, 30, 40)
"""Steps at which factors are looked at once B is not zero any more."""
_TRAJECTORIES = (
    "rite",
    "rite-no-mass",
    "adam",
    "lora-plus",
    "lamb",
    "lars",
    "scaled-adam",
    "shampoo",
    "rmsprop",
    "adagrad",
    "gd",
    "scaled-gd",
    "alt-lora",
    "untransported",
)
_SETS = {
    Profile.GPU: cells.BENCHMARKS[Profile.GPU],
    Profile.PAPER: (*cells.BENCHMARKS[Profile.PAPER], "instructions"),
}
_ALL_SETS = {name: name for sets in _SETS.values() for name in sets}
_FACTORS = cells.factors(cells.LANGUAGE.on(cells.STRING_TASKS[0]))


def _strings(rank: int) -> Sequence[TableRow]:
    def entries(optimizer: str) -> Mapping[str, Entry | None]:
        method = at_rank(optimizer, rank)
        asked = rank == 16 and optimizer in cells.ASKED_KNOWN
        return {
            **{task: cells.LANGUAGE(method, task=task) for task in cells.STRING_TASKS},
            "known": cells.KNOWN(method) if asked else None,
        }

    present = [name for name in OPTIMIZERS if rank in cells.ranks_of(name)]
    return by_arm(named(present, f"r = {rank}"), entries)


def _public(profile: Profile, optimizers: Sequence[str]) -> Sequence[TableRow]:
    return by_arm(
        named(optimizers),
        lambda name: {task: cells.PUBLIC(at_rank(name, 16), task=task) for task in _SETS[profile]},
    )


def _reported(size: str) -> Sequence[TableRow]:
    return by_arm(
        named(OPTIMIZERS, f"Gemma-{size.upper()}, paper"),
        lambda name: {key: ReportedRef(f"{key}-{size}-{name}") for key in cells.BENCHMARKS[Profile.PAPER]},
    )


def _by_scale(where: Place, scales: Sequence[float]) -> Columns:
    """A column for each s of the start; later optimizers are not started there."""

    def at(s: float) -> tuple[str, Callable[[str], Entry | None]]:
        there = where.on(cells.scale_id(s))
        return f"s = {s:g}", lambda name: None if name in LATER else there(name)

    return {f"{s:g}": at(s) for s in scales}


def _step_time(method: str, rank: int) -> Entry:
    return cells.STEP_TIME(at_rank(method, rank))


def _training_time(method: str, size: str) -> Entry:
    return cells.TRAINING_TIME(f"{method}-{size}")


TABLES = (
    PaperTable.of(
        named(_TRAJECTORIES),
        {kind: (kind, cells.INVARIANCE.on(kind)) for kind in KINDS},
        id="invariance",
        title="Largest relative deviation of Z from equivalent factors",
        profiles=MEASURED,
    ),
    PaperTable(
        id="strings",
        title="Accuracy of a small language model on functions of strings, each optimizer at its best rate",
        columns={
            "sort-shift": "sort and shift",
            "mostly-late": "majority question",
            "known": "known question",
        },
        rows=[row for rank in cells.LORA_RANKS for row in _strings(rank)],
        source="Tables 1 and 3",
        bold=cells.STRING_TASKS,
    ),
    PaperTable.of(
        named(("rite", "adam", "lora-plus", "misaligned")),
        {"rho": ("Spearman's ρ", cells.ENCODER)},
        id="ratings",
        title="MiniLM on ratings of product reviews, at the best of three rates",
        bold=("rho",),
    ),
    PaperTable.of(
        named(("rite", "adam", "misaligned")),
        {
            "nats": (
                "held-out nats a token",
                lambda name: None if name == "misaligned" else cells.GRADES(name),
            ),
            "deviation": ("largest relative deviation", cells.PRETRAINED),
        },
        id="gemma",
        title="Gemma-3-270M: grades of reviews at the best rate, and deviation from equivalent factors",
        bold=("nats",),
        profiles=_SMALL,
    ),
    PaperTable(
        id="public",
        title="Accuracy on public data sets, each optimizer at its best rate",
        columns=_ALL_SETS,
        rows={
            Profile.GPU: _public(Profile.GPU, ("rite", "adam")),
            Profile.PAPER: _public(Profile.PAPER, OPTIMIZERS),
        },
        source="Tables 1 and 2",
        bold=tuple(_ALL_SETS),
    ),
    PaperTable(
        id="paper",
        title="The paper's accuracies (per cent)",
        columns={
            "hellaswag": "HellaSwag",
            "arc-challenge": "ArcChallenge",
            "gsm8k": "GSM8K",
            "openbookqa": "OpenBookQA",
        },
        rows=(*_reported("2b"), *_reported("7b")),
        source="Table 2",
        profiles=MEASURED,
    ),
    PaperTable.of(
        named((*OPTIMIZERS, "lars", *LATER)),
        {"tuned": ("best rate", cells.REGRESSION), **_by_scale(cells.RESCALED, cells.SCALES)},
        id="scales",
        title="Error of a linear regression at the best rate, and with A scaled at the rate of scale 1",
        profiles=_WITHOUT_GPU,
    ),
    PaperTable.of(
        named(("rite", "adam")),
        {
            **{f"r{rank}": (f"r = {rank}", partial(_step_time, rank=rank)) for rank in cells.RANKS},
            "small": ("smaller model", partial(_training_time, size="small")),
            "large": ("larger model", partial(_training_time, size="large")),
            "state": ("numbers kept by a parameter", cells.STATE),
        },
        id="cost",
        title="Seconds of five optimizer steps by rank, of six training steps by model, and state",
        source="speed table",
        profiles=MEASURED,
    ),
    PaperTable.of(
        named(("rite-sum", "matrix-adagrad")),
        {"exponent": ("exponent in T", cells.REGRET), **_by_scale(cells.UNBALANCED, cells.IMBALANCES)},
        id="theory",
        title="Exponent of the first-order term, and average loss from unbalanced factors",
    ),
)

_NORMS = tuple(
    Series(
        label=f"{LABELS[name]}, {factor}",
        points=tuple((float(step), _FACTORS(at_rank(name, 16), metric, step=step)) for step in _LOOKS),
    )
    for name in ("rite", "adam", "lamb")
    for metric, factor in ((GROWTH_A, "A"), (GROWTH_B, "B"))
)

FIGURES = (
    PaperFigure(
        id="scales",
        title="Linear regression from rescaled initial factors, at the rate of scale 1",
        x="factor on the initial A",
        y="test mean squared error",
        series=curves(
            named((*OPTIMIZERS, "lars")),
            cells.SCALES,
            lambda name, s: cells.RESCALED(name, task=cells.scale_id(s)),
        ),
        log_x=True,
        log_y=True,
        profiles=_WITHOUT_GPU,
    ),
    PaperFigure(
        id="norms",
        title="How far the factors move in training (sort and shift, r = 16)",
        x="step",
        y="‖A − A₀‖/‖A₀‖ and ‖B‖/‖A₀‖",
        series=_NORMS,
        source="Figure 1",
    ),
    PaperFigure(
        id="balance",
        title="How unevenly the factors contribute to Z (sort and shift, r = 16)",
        x="step",
        y="|log ‖δA Bᵀ‖/‖A δBᵀ‖|",
        series=curves(named(OPTIMIZERS), _LOOKS, lambda name, step: _FACTORS(at_rank(name, 16), step=step)),
    ),
)
