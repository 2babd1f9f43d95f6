"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from harness.claims import Cell, Contrast, Place, Profile, by_profile, log
from harness.method import Metric
from harness.suite import (
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    arms,
    by_arm,
    curves,
)
from methods.metric_aware.metrics import (
    ACCURACY,
    BIAS2,
    DETECTION,
    DISTANCE,
    ENTROPY,
    EXACT,
    EXCESS,
    FALLBACK,
    LAW_VARIANCE,
    MAE,
    MASS,
    PEARSON,
    RANKING,
    RMSE,
    SPREAD,
    VARIANCE,
)
from suites.metric_aware.arms import (
    COUNTS,
    LATE,
    OBJECTIVES,
    READ_OUTS,
    TEMPERATURES,
    TEXTS,
    mean_at,
    sampled,
)
from suites.metric_aware.cells import ASKED, COMPARED, EMBEDDED, MAIN_TOY, NOISES, OPEN, RAFT, TOYS, TRAINED

X = TypeVar("X", int, float)
Places = Mapping[str, Place]
"""Sets of items that are read out, by label."""

_SMALL = (Profile.SMALL,)
_SINGLE = {
    f"{label}, single ratings": where.on(part="rater") for label, where in ASKED[Profile.SMALL].items()
}
_JUDGED: Mapping[Profile, Places] = {
    **ASKED,
    Profile.SMALL: {
        **TOYS,
        "MiniLM head, amazon": EMBEDDED,
        "MiniLM head, amazon, single ratings": EMBEDDED.on(part="rater"),
        **ASKED[Profile.SMALL],
        **_SINGLE,
    },
}
"""All sets, also with single ratings for labels."""
_MAIN: Mapping[Profile, Places] = {
    profile: {label: where for label, where in places.items() if where.part == "main"}
    for profile, places in _JUDGED.items()
}
_RATED = ("embedded", "prompted")
"""Experiments in which the ratings of each person are known."""

_COLUMNS: Mapping[str, tuple[str, Metric]] = {
    "rmse": ("RMSE", RMSE),
    "mae": ("MAE", MAE),
    "exact": ("exact match", ACCURACY),
    "ranking": ("multi-partite AUC", RANKING),
    "detection": ("bipartite AUC", DETECTION),
}
_EXPLAINED = {
    **{name: READ_OUTS[name] for name in ("greedy", "mode", "median", "mean", "fitted", "line")},
    "constant-mean": READ_OUTS["constant-mean"],
    "blind": "mean of the average distribution (control)",
}


def _grouped(
    sets: Mapping[Profile, Places], rows: Callable[[str, Place], Iterable[TableRow]]
) -> Mapping[Profile, Sequence[TableRow]]:
    """Rows of each set, under its label."""

    def all_rows(places: Places) -> Sequence[TableRow]:
        return [row for label, where in places.items() for row in rows(label, where)]

    return by_profile(sets, all_rows)


def _cross(group: str, where: Place) -> Sequence[TableRow]:
    def entries(method: str) -> Mapping[str, Entry]:
        return {key: where(method, metric) for key, (_, metric) in _COLUMNS.items()}

    return by_arm(arms(READ_OUTS, group), entries)


def _parts(group: str, where: Place) -> Sequence[TableRow]:
    """Squared bias and variance of the error, beside what tells whether the model knows anything."""

    def entries(method: str) -> Mapping[str, Entry]:
        return {
            "bias2": where(method, BIAS2),
            "variance": where(method, VARIANCE),
            "rmse": where(method),
            "pearson": where(method, PEARSON),
            "fallback": where(method, FALLBACK),
        }

    return by_arm(arms(_EXPLAINED, group), entries)


def _distributions(group: str, where: Place) -> Sequence[TableRow]:
    law, rated = where.on(part="law"), where.experiment in _RATED

    def entries(method: str) -> Mapping[str, Entry | None]:
        return {
            "mass": where(method, MASS),
            "entropy": law(method, ENTROPY),
            "spread": law(method, SPREAD),
            "distance": law(method, DISTANCE) if rated else None,
        }

    rows = by_arm(arms({"mean": "as it is", "fitted": "at a fitted temperature"}, group), entries)
    if not rated:
        return rows
    constant = {"distance": law("constant-mean", DISTANCE)}
    return (*rows, TableRow(label="held-out labels alone", entries=constant, group=group))


def _objectives(task: str, group: str) -> Sequence[TableRow]:
    where = RAFT.on(task)
    labels = {"as-is": "as pretrained", **OBJECTIVES}

    def entries(method: str) -> Mapping[str, Entry | None]:
        digits = "head" not in method
        return {
            "rmse": where(method),
            "mode": where(method, part="mode") if digits else None,
            "entropy": where(method, ENTROPY, part="law") if digits else None,
        }

    return by_arm(arms({name: labels[name] for name in COMPARED[task]}, group), entries)


def _second_hand(label: str, reported: str) -> TableRow:
    group = "Gemma-2 2B, Music (companion paper)"
    return TableRow(label=label, entries={"rmse": ReportedRef(reported)}, group=group)


def _answers(where: Place) -> Sequence[TableRow]:
    return by_arm(arms(TEXTS), lambda method: {"f1": where(method), "exact": where(method, EXACT)})


TABLES = (
    PaperTable(
        id="cross",
        title="Every read-out by every metric",
        columns={key: label for key, (label, _) in _COLUMNS.items()},
        rows=_grouped(_JUDGED, _cross),
        source="rule table and main table",
        bold=tuple(_COLUMNS),
    ),
    PaperTable(
        id="parts",
        title="Where the squared error comes from",
        columns={
            "bias2": "bias²",
            "variance": "variance",
            "rmse": "RMSE",
            "pearson": "Pearson's r",
            "fallback": "unreadable",
        },
        rows=_grouped(_MAIN, _parts),
    ),
    PaperTable(
        id="distributions",
        title="The distributions themselves, beside those of the human raters",
        columns={
            "mass": "mass on the grid",
            "entropy": "entropy (nats)",
            "spread": "spread",
            "distance": "Wasserstein distance to the raters",
        },
        rows=_grouped(_MAIN, _distributions),
        bold=("distance",),
    ),
    PaperTable(
        id="raft",
        title="Fine-tuning: RMSE of the objective's own read-out and of the most probable digit",
        columns={"rmse": "RMSE", "mode": "RMSE of the mode", "entropy": "entropy of the digits (nats)"},
        rows=(
            *(row for task, label in TRAINED.items() for row in _objectives(task, label)),
            _second_hand("RAFT", "raft-music"),
            _second_hand("predictive head", "head-music"),
            _second_hand("cross-entropy", "ce-rail-music"),
        ),
        source="RAFT, Table 3",
        bold=("rmse",),
        profiles=_SMALL,
    ),
    PaperTable(
        id="open",
        title="Open answers",
        columns={"f1": "token F1", "exact": "exact match"},
        rows=by_profile(OPEN, _answers),
        bold=("f1",),
    ),
)


def _lines(xs: Sequence[X], y: Callable[[Place, X], Cell | Contrast]) -> Mapping[Profile, Sequence[Series]]:
    """One line a set."""

    def series(places: Places) -> Sequence[Series]:
        return [
            Series(label=label, points=tuple((float(x), y(where, x)) for x in xs))
            for label, where in places.items()
        ]

    return by_profile(_MAIN, series)


_FOLLOWED = ("noise-1.5", "amazon", "sts", "sick", "sts-b-base", "sts-b-large", "sts-b-xl", "amazon-us-base")
"""Sets whose sampling error is drawn beside the theory."""


def _sampling_error(places: Places) -> Sequence[Series]:
    """Measured, and the mean variance of the distributions over K."""
    found = []
    for label, where in places.items():
        if where.task not in _FOLLOWED:
            continue
        variance = where("mean", LAW_VARIANCE, part="law")
        measured = tuple((float(k), where(sampled(k), EXCESS)) for k in COUNTS)
        theory = tuple((float(k), variance / k) for k in COUNTS)
        found += [Series(label=label, points=measured), Series(label=f"{label}: variance / K", points=theory)]
    return found


_BY_NOISE = ("sample-1", "mode", "median", "mean", "sample-8", "constant-mean")

FIGURES = (
    PaperFigure(
        id="samples",
        title="Error of the mean of K samples, relative to the exact mean's",
        x="samples K",
        y="log ratio of RMSE",
        series=_lines(COUNTS, lambda where, count: log(where(sampled(count))) - log(where("mean"))),
        log_x=True,
    ),
    PaperFigure(
        id="sampling-error",
        title="Squared distance of the mean of K samples from the exact mean (theory: variance / K)",
        x="samples K",
        y="squared distance",
        series=by_profile(_MAIN, _sampling_error),
        log_x=True,
        log_y=True,
    ),
    PaperFigure(
        id="temperature",
        title="Error of the mean by the temperature of the distribution",
        x="temperature",
        y="RMSE",
        series=_lines(TEMPERATURES, lambda where, temperature: where(mean_at(temperature))),
        log_x=True,
    ),
    PaperFigure(
        id="noise",
        title="Error of each read-out by the noise of the labels",
        x="noise σ of a label",
        y="RMSE",
        series=curves(
            arms({name: READ_OUTS[name] for name in _BY_NOISE}),
            NOISES.values(),
            lambda method, sigma: MAIN_TOY(method, task=f"noise-{sigma}"),
        ),
        profiles=_SMALL,
    ),
    PaperFigure(
        id="entropy",
        title="Entropy of the digits while training (misspecified, n = 5000)",
        x="step",
        y="nats",
        series=curves(
            arms({f"{name}-late": OBJECTIVES[name] for name in LATE}),
            (48, 96, 144, 192),
            lambda method, step: RAFT(method, ENTROPY, task="bent-5000", part="probe:law", step=step),
        ),
        profiles=_SMALL,
    ),
)
