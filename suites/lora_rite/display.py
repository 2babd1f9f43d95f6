"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow
from methods.lora_rite.finetune import GROWTH_A, GROWTH_B, IMBALANCE
from suites.lora_rite.cells import (
    IMBALANCES,
    KINDS,
    LATER,
    LORA_RANKS,
    MODELS,
    OPTIMIZERS,
    RANKS,
    SCALES,
    STRING_TASKS,
    accuracy,
    balance,
    exponent,
    known,
    numbers,
    online_loss,
    parted,
    public,
    public_sets,
    rating,
    regression,
    step_time,
    training_time,
    tuned,
)

Entries = dict[str, Cell | Contrast | ReportedRef]
_SMALL = (Profile.SMALL,)
_MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_WITHOUT_GPU = (Profile.SMALL, Profile.PAPER)
_ALL_KINDS = {
    "rite": "LoRA-RITE",
    "rite-no-mass": "LoRA-RITE without escaped mass",
    "adam": "Adam",
    "lora-plus": "LoRA+",
    "lamb": "LAMB",
    "scaled-adam": "ScaledAdam",
    "shampoo": "Shampoo",
    "rmsprop": "RMSProp",
    "adagrad": "Adagrad",
    "gd": "GD",
    "scaled-gd": "ScaledGD",
    "alt-lora": "AltLoRA",
    "untransported": "LoRA-RITE, moments not carried over",
}


def _invariance_rows(_: Scale) -> Sequence[TableRow]:
    return [
        TableRow(label=label, entries={kind: parted(name, kind) for kind in KINDS})
        for name, label in _ALL_KINDS.items()
    ]


def _language_rows(scale: Scale) -> Sequence[TableRow]:
    rows = []
    for rank in LORA_RANKS:
        for name, label in OPTIMIZERS.items():
            entries: Entries = {task: accuracy(name, rank, task) for task in STRING_TASKS}
            if rank == 16 and name in ("rite", "adam", "lamb"):
                entries["known"] = known(name)
            rows.append(TableRow(label=label, entries=entries, group=f"r = {rank}"))
    return rows


def _reported_rows(_: Scale) -> Sequence[TableRow]:
    rows = []
    for size in ("2b", "7b"):
        for name, label in OPTIMIZERS.items():
            entries: Entries = {
                key: ReportedRef(id=_reported(key, size, name))
                for key in ("hellaswag", "arc-challenge", "gsm8k", "openbookqa")
            }
            rows.append(TableRow(label=label, entries=entries, group=f"Gemma-{size.upper()}, paper"))
    return rows


def _reported(key: str, size: str, name: str) -> str:
    read = key == "gsm8k" and size == "7b" and name in ("adam", "lamb", "rite")
    return f"gsm8k-7b-{name}" if read else f"{key}-{size}-{name}"


def _public_columns() -> Mapping[str, str]:
    names = [name for profile in MODELS for name in public_sets(profile)]
    return {name: name for name in (*dict.fromkeys(names), "instructions")}


def _public_rows(scale: Scale) -> Sequence[TableRow]:
    sets = public_sets(scale.profile)
    if scale.profile is Profile.PAPER:
        sets = (*sets, *public_sets(scale.profile, instructions=True))
    return [
        TableRow(label=label, entries={name: public(optimizer, name) for name in sets})
        for optimizer, label in OPTIMIZERS.items()
        if scale.profile is Profile.PAPER or optimizer in ("rite", "adam")
    ]


def _encoder_rows(_: Scale) -> Sequence[TableRow]:
    arms = {name: OPTIMIZERS[name] for name in ("rite", "adam", "lora-plus")}
    arms["misaligned"] = "LoRA-RITE, steps mapped back from another basis"
    return [TableRow(label=label, entries={"rho": rating(name)}) for name, label in arms.items()]


def _scale_rows(_: Scale) -> Sequence[TableRow]:
    return [
        TableRow(
            label=label,
            entries={"tuned": tuned(name), **{f"{s:g}": regression(name, s) for s in SCALES}},
        )
        for name, label in {**OPTIMIZERS, **LATER}.items()
    ]


def _cost_rows(_: Scale) -> Sequence[TableRow]:
    rows = []
    for name in ("rite", "adam"):
        entries: Entries = {f"r{rank}": step_time(name, rank) for rank in RANKS}
        entries |= {size: training_time(name, size) for size in ("small", "large")}
        rows.append(TableRow(label=OPTIMIZERS[name], entries={**entries, "state": numbers(name)}))
    return rows


def _theory_rows(_: Scale) -> Sequence[TableRow]:
    return [
        TableRow(
            label=label,
            entries={
                "exponent": exponent(name),
                **{f"{s:g}": online_loss(name, s) for s in IMBALANCES},
            },
        )
        for name, label in (
            ("rite-sum", "LoRA-RITE (summed)"),
            ("matrix-adagrad", "one-sided matrix Adagrad"),
        )
    ]


_STRINGS = {"sort-shift": "sort and shift", "mostly-late": "majority question", "known": "known question"}

TABLES = (
    PaperTable(
        id="invariance",
        title="Largest relative deviation of Z from equivalent factors",
        columns={kind: kind for kind in KINDS},
        rows=_invariance_rows,
        profiles=_MEASURED,
    ),
    PaperTable(
        id="strings",
        title="Accuracy of a small language model on functions of strings, each optimizer at its best rate",
        columns=_STRINGS,
        rows=_language_rows,
        source="Tables 1 and 3",
        bold=STRING_TASKS,
        profiles=_SMALL,
    ),
    PaperTable(
        id="ratings",
        title="MiniLM on ratings of product reviews, at the better of two rates",
        columns={"rho": "Spearman's ρ"},
        rows=_encoder_rows,
        bold=("rho",),
        profiles=_SMALL,
    ),
    PaperTable(
        id="public",
        title="Accuracy on public data sets, each optimizer at its best rate",
        columns=_public_columns(),
        rows=_public_rows,
        source="Tables 1 and 2",
        bold=tuple(_public_columns()),
        profiles=MODELS,
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
        rows=_reported_rows,
        source="Table 2",
        profiles=_MEASURED,
    ),
    PaperTable(
        id="scales",
        title="Error of a linear regression at the best rate, and with A scaled at the rate of scale 1",
        columns={"tuned": "best rate", **{f"{s:g}": f"s = {s:g}" for s in SCALES}},
        rows=_scale_rows,
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
        rows=_cost_rows,
        source="speed table",
        profiles=_MEASURED,
    ),
    PaperTable(
        id="theory",
        title="Exponent of the first-order term, and average loss from unbalanced factors",
        columns={"exponent": "exponent in T", **{f"{s:g}": f"s = {s:g}" for s in IMBALANCES}},
        rows=_theory_rows,
        profiles=_WITHOUT_GPU,
    ),
)


def _scale_series(_: Scale) -> Sequence[Series]:
    return [
        Series(label=label, points=tuple((s, regression(name, s)) for s in SCALES))
        for name, label in {**OPTIMIZERS, **LATER}.items()
    ]


def _at(cell: Cell, step: int) -> Cell:
    from dataclasses import replace

    return replace(cell, where=(("step", step),))


def _norm_series(_: Scale) -> Sequence[Series]:
    series = []
    for name in ("rite", "adam", "lamb"):
        for metric, factor in ((GROWTH_A, "A"), (GROWTH_B, "B")):
            cell = balance(name, 16, STRING_TASKS[0], metric)
            points = tuple((float(step), _at(cell, step)) for step in LOOKS)
            series.append(Series(label=f"{OPTIMIZERS[name]}, {factor}", points=points))
    return series


def _balance_series(_: Scale) -> Sequence[Series]:
    return [
        Series(
            label=label,
            points=tuple(
                (float(step), _at(balance(name, 16, STRING_TASKS[0], IMBALANCE), step)) for step in LOOKS
            ),
        )
        for name, label in OPTIMIZERS.items()
    ]


LOOKS = (20, 30, 40)
"""Steps at which factors are looked at once B is not zero any more."""

FIGURES = (
    PaperFigure(
        id="scales",
        title="Linear regression from rescaled initial factors, at the rate of scale 1",
        x="factor on the initial A",
        y="test mean squared error",
        series=_scale_series,
        log_x=True,
        log_y=True,
        profiles=_WITHOUT_GPU,
    ),
    PaperFigure(
        id="norms",
        title="How far the factors move in training (sort and shift, r = 16)",
        x="step",
        y="‖A − A₀‖/‖A₀‖ and ‖B‖/‖A₀‖",
        series=_norm_series,
        source="Figure 1",
        profiles=_SMALL,
    ),
    PaperFigure(
        id="balance",
        title="How unevenly the factors contribute to Z (sort and shift, r = 16)",
        x="step",
        y="|log ‖δA Bᵀ‖/‖A δBᵀ‖|",
        series=_balance_series,
        profiles=_SMALL,
    ),
)
