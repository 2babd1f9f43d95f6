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
from suites.kaft.cells import (
    BY_SIZE,
    CURVES,
    FACTS,
    METHODS,
    OPEN,
    ORACLES,
    PAIRED,
    PROBE,
    SHOWN_ONLY,
    SIZES,
    WORLD,
    Reads,
    after,
    at,
    weights,
)

_MAIN_COLUMNS = {
    "ctrl": "controllability",
    "rob": "robustness",
    "joint": "harmonic mean",
    "relevant": "relevant",
    "unread": "relevant, unknown facts",
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


_PROBE_COLUMNS = {key: text for key, text in _MAIN_COLUMNS.items() if key != "unread"} | _DETAIL_COLUMNS


def _place(scale: Scale) -> Reads:
    places = {Profile.GPU: FACTS, Profile.PAPER: OPEN}
    return places.get(scale.profile, WORLD)


def _listed(scale: Scale) -> dict[str, str]:
    """The arms of the main experiment, with their labels."""
    gpu, brief = scale.profile is Profile.GPU, scale.profile is Profile.GPU and not scale.full
    out = {"cad"} if scale.profile is Profile.PAPER else set(SHOWN_ONLY) if brief else set()
    kept = {key: label for key, label in METHODS.items() if key not in out}
    common = {f"{name}-{rate}" for rate in _place(scale).common for name in ("kaft", "gold")}
    kept |= {key: label for key, label in PAIRED.items() if key in common}
    if gpu and scale.full:
        kept |= {"noisy-full": "noisy finetuning, all weights", "kaft-full": "KAFT, all weights"}
    return kept


def _main_entries(where: Reads, method: str) -> dict[str, Cell | Contrast | ReportedRef]:
    return {
        "ctrl": where.ctrl(method),
        "rob": where.rob(method),
        "joint": where.joint(method),
        "relevant": where.of(method, RELEVANT),
        "unread": where.reads(method),
        "retained": where.of(method, RETAINED),
        "agrees": where.agrees(method),
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
            where = at(size)
            entries: dict[str, Cell | Contrast | ReportedRef] = {
                "ctrl": where.ctrl(method),
                "rob": where.rob(method),
                "joint": where.joint(method),
            }
            label = f"{METHODS[method]}, {weights(size):,} weights"
            rows.append(TableRow(label=label, entries=entries, group=METHODS[method]))
    return rows


def _probe_entries(method: str) -> dict[str, Cell | Contrast | ReportedRef]:
    entries = {**_main_entries(PROBE, method), **_detail_entries(PROBE, method)}
    return {key: entry for key, entry in entries.items() if key in _PROBE_COLUMNS}


def _probe_rows(scale: Scale) -> Sequence[TableRow]:
    del scale
    arms = {key: METHODS[key] for key in ("pretrained", "cad")} | ORACLES
    return [TableRow(label=label, entries=_probe_entries(key)) for key, label in arms.items()]


_PROBED = range(0, 251, 50)
"""Updates after which the arms with a curve are evaluated."""
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
        columns=_PROBE_COLUMNS,
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
            points=tuple((float(weights(size)), at(size).of(method, metric)) for size in SIZES),
        )
        for method in BY_SIZE
        for metric in (CONTROLLABILITY, ROBUSTNESS)
    ]


def _steps(scale: Scale) -> Sequence[Series]:
    """Both metrics and agreement with M(q) while KAFT and its variant with gold targets train."""
    del scale
    measured = {"controllability": CONTROLLABILITY, "robustness": ROBUSTNESS}
    return [
        *(
            Series(
                label=f"KAFT, {name}",
                points=tuple((float(step), after("kaft-lower", metric, step)) for step in _PROBED),
            )
            for name, metric in measured.items()
        ),
        *(
            Series(
                label=f"{METHODS[arm.partition('-')[0]]}, agreement with M(q)",
                points=tuple((float(step), after(arm, AGREES, step, "recall")) for step in _PROBED),
            )
            for arm in CURVES
        ),
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
        id="steps",
        title="What finetuning changes, update by update, at one rate",
        x="updates",
        y="share of contexts or questions",
        series=_steps,
        profiles=(Profile.SMALL,),
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
