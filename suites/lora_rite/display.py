"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import MEASURED, Profile
from harness.suite import Entry, PaperFigure, PaperTable, ReportedRef, Series, TableRow, by_arm, curves
from methods.lora_rite.finetune import GROWTH_A, GROWTH_B
from methods.lora_rite.gauge import KINDS
from suites.lora_rite.arms import LABELS, LATER, OPTIMIZERS, at_rank, named
from suites.lora_rite.cells import (
    ASKED_KNOWN,
    BENCHMARKS,
    ENCODER,
    IMBALANCES,
    INVARIANCE,
    KNOWN,
    LANGUAGE,
    LORA_RANKS,
    PUBLIC,
    RANKS,
    REGRESSION,
    REGRET,
    RESCALED,
    SCALES,
    STATE,
    STEP_TIME,
    STRING_TASKS,
    TRAINING_TIME,
    UNBALANCED,
    factors,
    scale_id,
)

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
    Profile.GPU: BENCHMARKS[Profile.GPU],
    Profile.PAPER: (*BENCHMARKS[Profile.PAPER], "instructions"),
}
_ALL_SETS = {name: name for sets in _SETS.values() for name in sets}
_BY_SCALE = {f"{s:g}": f"s = {s:g}" for s in SCALES}
_BY_IMBALANCE = {f"{s:g}": f"s = {s:g}" for s in IMBALANCES}
_FACTORS = factors(LANGUAGE.on(STRING_TASKS[0]))


def _strings(rank: int) -> Sequence[TableRow]:
    def entries(optimizer: str) -> Mapping[str, Entry | None]:
        method = at_rank(optimizer, rank)
        asked = rank == 16 and optimizer in ASKED_KNOWN
        return {
            **{task: LANGUAGE(method, task=task) for task in STRING_TASKS},
            "known": KNOWN(method) if asked else None,
        }

    return by_arm(named(OPTIMIZERS, f"r = {rank}"), entries)


def _public(profile: Profile, optimizers: Sequence[str]) -> Sequence[TableRow]:
    return by_arm(
        named(optimizers),
        lambda name: {task: PUBLIC(at_rank(name, 16), task=task) for task in _SETS[profile]},
    )


def _reported(size: str) -> Sequence[TableRow]:
    return by_arm(
        named(OPTIMIZERS, f"Gemma-{size.upper()}, paper"),
        lambda name: {key: ReportedRef(f"{key}-{size}-{name}") for key in BENCHMARKS[Profile.PAPER]},
    )


def _cost(method: str) -> Mapping[str, Entry]:
    return {
        **{f"r{rank}": STEP_TIME(at_rank(method, rank)) for rank in RANKS},
        **{size: TRAINING_TIME(f"{method}-{size}") for size in ("small", "large")},
        "state": STATE(method),
    }


TABLES = (
    PaperTable(
        id="invariance",
        title="Largest relative deviation of Z from equivalent factors",
        columns={kind: kind for kind in KINDS},
        rows=by_arm(named(_TRAJECTORIES), lambda name: {kind: INVARIANCE(name, task=kind) for kind in KINDS}),
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
        rows=[row for rank in LORA_RANKS for row in _strings(rank)],
        source="Tables 1 and 3",
        bold=STRING_TASKS,
        profiles=_SMALL,
    ),
    PaperTable(
        id="ratings",
        title="MiniLM on ratings of product reviews, at the better of two rates",
        columns={"rho": "Spearman's ρ"},
        rows=by_arm(named(("rite", "adam", "lora-plus", "misaligned")), lambda name: {"rho": ENCODER(name)}),
        bold=("rho",),
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
    PaperTable(
        id="scales",
        title="Error of a linear regression at the best rate, and with A scaled at the rate of scale 1",
        columns={"tuned": "best rate", **_BY_SCALE},
        rows=by_arm(
            named((*OPTIMIZERS, *LATER)),
            lambda name: {
                "tuned": REGRESSION(name),
                **{f"{s:g}": RESCALED(name, task=scale_id(s)) for s in SCALES},
            },
        ),
        profiles=_WITHOUT_GPU,
    ),
    PaperTable(
        id="cost",
        title="Seconds of five optimizer steps by rank, of six training steps by model, and state",
        columns={
            **{f"r{rank}": f"r = {rank}" for rank in RANKS},
            "small": "smaller model",
            "large": "larger model",
            "state": "numbers kept by a parameter",
        },
        rows=by_arm(named(("rite", "adam")), _cost),
        source="speed table",
        profiles=MEASURED,
    ),
    PaperTable(
        id="theory",
        title="Exponent of the first-order term, and average loss from unbalanced factors",
        columns={"exponent": "exponent in T", **_BY_IMBALANCE},
        rows=by_arm(
            named(("rite-sum", "matrix-adagrad")),
            lambda name: {
                "exponent": REGRET(name),
                **{f"{s:g}": UNBALANCED(name, task=scale_id(s)) for s in IMBALANCES},
            },
        ),
        profiles=_WITHOUT_GPU,
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
        series=curves(named((*OPTIMIZERS, *LATER)), SCALES, lambda name, s: RESCALED(name, task=scale_id(s))),
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
        profiles=_SMALL,
    ),
    PaperFigure(
        id="balance",
        title="How unevenly the factors contribute to Z (sort and shift, r = 16)",
        x="step",
        y="|log ‖δA Bᵀ‖/‖A δBᵀ‖|",
        series=curves(named(OPTIMIZERS), _LOOKS, lambda name, step: _FACTORS(at_rank(name, 16), step=step)),
        profiles=_SMALL,
    ),
)
