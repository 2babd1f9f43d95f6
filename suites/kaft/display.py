"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow
from methods.kaft.method import (
    AGREES,
    BOTH,
    CONTROLLABILITY,
    CORRECT,
    DISTRACTOR,
    FALLBACK,
    HOLLOW,
    NEITHER,
    RELEVANT,
    RETAINED,
    ROBUST_EASY,
    ROBUSTNESS,
    STUBBORN,
)
from suites.kaft.cells import BY_SIZE, FACTS, METHODS, OPEN, ORACLES, PROBE, SIZES, WORLD, Reads, weights

_MAIN_COLUMNS = {
    "ctrl": "controllability",
    "rob": "robustness",
    "joint": "harmonic mean",
    "relevant": "relevant",
    "retained": "closed-book",
    "agrees": "agreement with M(q)",
    "paper": "paper",
}
_CLOSED_COLUMNS = {"correct": "accuracy on NQ-open", "agrees": "agreement with the pretrained model"}
_DETAIL_COLUMNS = {
    "stubborn": "stubborn",
    "neither": "neither",
    "both": "both answers",
    "fallback": "fallback",
    "distractor": "distractor",
    "hollow": "empty",
    "easy": "robustness, easy",
}


def _place(scale: Scale) -> Reads:
    places = {Profile.GPU: FACTS, Profile.PAPER: OPEN}
    return places.get(scale.profile, WORLD)


def _listed(scale: Scale) -> dict[str, str]:
    kept = METHODS if scale.profile is not Profile.PAPER else {k: v for k, v in METHODS.items() if k != "cad"}
    extra = {"noisy-full": "noisy finetuning, all weights", "kaft-full": "KAFT, all weights"}
    return {**kept, **extra} if scale.profile is Profile.GPU else dict(kept)


def _main_entries(where: Reads, method: str) -> dict[str, Cell | Contrast | ReportedRef]:
    return {
        "ctrl": where.ctrl(method),
        "rob": where.rob(method),
        "joint": where.joint(method),
        "relevant": where.of(method, RELEVANT),
        "retained": where.of(method, RETAINED),
        "agrees": where.of(method, AGREES, "recall"),
        "paper": ReportedRef(id="table"),
    }


def _detail_entries(where: Reads, method: str) -> dict[str, Cell | Contrast | ReportedRef]:
    return {
        "stubborn": where.of(method, STUBBORN),
        "neither": where.of(method, NEITHER),
        "both": where.of(method, BOTH),
        "fallback": where.of(method, FALLBACK),
        "distractor": where.of(method, DISTRACTOR),
        "hollow": where.of(method, HOLLOW),
        "easy": where.of(method, ROBUST_EASY),
    }


def _main_rows(scale: Scale) -> Sequence[TableRow]:
    where = _place(scale)
    rows = [TableRow(label=label, entries=_main_entries(where, key)) for key, label in _listed(scale).items()]
    if scale.profile is Profile.PAPER:
        return rows
    return [
        *rows,
        *(
            TableRow(label=label, entries=_main_entries(where, key), group="oracles")
            for key, label in ORACLES.items()
        ),
    ]


def _detail_rows(scale: Scale) -> Sequence[TableRow]:
    where = _place(scale)
    return [
        TableRow(label=label, entries=_detail_entries(where, key)) for key, label in _listed(scale).items()
    ]


def _closed_rows(scale: Scale) -> Sequence[TableRow]:
    return [
        TableRow(
            label=label,
            entries={
                "correct": FACTS.of(key, CORRECT, "closed"),
                "agrees": FACTS.of(key, AGREES, "closed"),
            },
        )
        for key, label in _listed(scale).items()
    ]


def _size_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    rows = []
    for method in BY_SIZE:
        for size in SIZES:
            where = Reads("sizes", size)
            entries: dict[str, Cell | Contrast | ReportedRef] = {
                "ctrl": where.ctrl(method),
                "rob": where.rob(method),
                "joint": where.joint(method),
            }
            label = f"{METHODS[method]}, {weights(size):,} weights"
            rows.append(TableRow(label=label, entries=entries, group=METHODS[method]))
    return rows


def _probe_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    arms = {key: METHODS[key] for key in ("pretrained", "cad")} | ORACLES
    return [
        TableRow(label=label, entries={**_main_entries(PROBE, key), **_detail_entries(PROBE, key)})
        for key, label in arms.items()
    ]


_TRAINED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_SIZED = (Profile.SMALL, Profile.GPU)

TABLES = (
    PaperTable(
        id="main",
        title="Controllability and robustness by method",
        columns=_MAIN_COLUMNS,
        rows=_main_rows,
        source="main table",
        bold=("ctrl", "rob", "joint"),
        profiles=_TRAINED,
    ),
    PaperTable(
        id="detail",
        title="What models answer instead",
        columns=_DETAIL_COLUMNS,
        rows=_detail_rows,
        profiles=_TRAINED,
    ),
    PaperTable(
        id="closed",
        title="What finetuning forgets: NQ-open without a context",
        columns=_CLOSED_COLUMNS,
        rows=_closed_rows,
        profiles=(Profile.GPU,),
    ),
    PaperTable(
        id="sizes",
        title="Three sizes of model in generated worlds",
        columns={"ctrl": "controllability", "rob": "robustness", "joint": "harmonic mean"},
        rows=_size_rows,
        source="figure on model size",
        profiles=_SIZED,
    ),
    PaperTable(
        id="probe",
        title="Gemma-3-270M as it is, on facts that it knows",
        columns={**_MAIN_COLUMNS, **_DETAIL_COLUMNS},
        rows=_probe_rows,
        profiles=(Profile.SMALL,),
    ),
)


def _plane(scale: Scale) -> Sequence[Series]:
    where = _place(scale)
    return [
        Series(label=label, points=((where.rob(key), where.ctrl(key)),))
        for key, label in _listed(scale).items()
    ]


def _sizes(scale: Scale) -> Sequence[Series]:
    del scale
    return [
        Series(
            label=f"{METHODS[method]}, {metric.name}",
            points=tuple((float(weights(size)), Reads("sizes", size).of(method, metric)) for size in SIZES),
        )
        for method in BY_SIZE
        for metric in (CONTROLLABILITY, ROBUSTNESS)
    ]


FIGURES = (
    PaperFigure(
        id="plane",
        title="Both axes at once: a good reader is at the upper right",
        x="robustness",
        y="controllability",
        series=_plane,
        kind="scatter",
        profiles=_TRAINED,
    ),
    PaperFigure(
        id="sizes",
        title="Controllability and robustness by number of weights",
        x="weights without embeddings",
        y="share of contexts",
        series=_sizes,
        log_x=True,
        source="figure on model size",
        profiles=_SIZED,
    ),
)
