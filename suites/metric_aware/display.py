"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from harness.claims import Cell, Contrast, Place, Profile, by_profile, log
from harness.method import Metric
from harness.suite import (
    Columns,
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    TableRow,
    arms,
    by_column,
    curves,
    headers,
)
from methods.metric_aware import metrics
from suites.metric_aware import cells
from suites.metric_aware.arms import (
    ASKED_OFTEN,
    COUNTS,
    LATE,
    OBJECTIVES,
    READ_OUTS,
    TEMPERATURES,
    TEXTS,
    mean_at,
    sampled,
)

X = TypeVar("X", int, float)
Places = Mapping[str, Place]
"""Sets of items that are read out, by label."""

_SMALL = (Profile.SMALL,)
_SINGLE = {
    f"{label}, single ratings": where.on(part="rater") for label, where in cells.ASKED[Profile.SMALL].items()
}
_JUDGED: Mapping[Profile, Places] = {
    **cells.ASKED,
    Profile.SMALL: {
        **cells.TOYS,
        "MiniLM head, amazon": cells.EMBEDDED,
        "MiniLM head, amazon, single ratings": cells.EMBEDDED.on(part="rater"),
        **cells.ASKED[Profile.SMALL],
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
    "rmse": ("RMSE", metrics.RMSE),
    "mae": ("MAE", metrics.MAE),
    "exact": ("exact match", metrics.ACCURACY),
    "ranking": ("multi-partite AUC", metrics.RANKING),
    "detection": ("bipartite AUC", metrics.DETECTION),
}
_EXPLAINED = {
    **{name: READ_OUTS[name] for name in ("greedy", "mode", "median", "mean", "fitted", "line")},
    "constant-mean": READ_OUTS["constant-mean"],
    "blind": "mean of the average distribution (control)",
}


def _runs(where: Place, method: str) -> bool:
    """Whether a read-out runs at a place: a prompted model under ``small`` has few, in many draws."""
    return where.experiment != "prompted" or method in ASKED_OFTEN


def _grouped(
    sets: Mapping[Profile, Places], rows: Callable[[str, Place], Iterable[TableRow]]
) -> Mapping[Profile, Sequence[TableRow]]:
    """Rows of each set, under its label."""

    def all_rows(places: Places) -> Sequence[TableRow]:
        return [row for label, where in places.items() for row in rows(label, where)]

    return by_profile(sets, all_rows)


def _cross(group: str, where: Place) -> Sequence[TableRow]:
    shown = {name: label for name, label in READ_OUTS.items() if _runs(where, name)}
    return by_column(arms(shown, group), _measured(_COLUMNS, where))


_PARTS: Mapping[str, tuple[str, Metric]] = {
    "bias2": ("bias²", metrics.BIAS2),
    "variance": ("variance", metrics.VARIANCE),
    "rmse": ("RMSE", metrics.RMSE),
    "pearson": ("Pearson's r", metrics.PEARSON),
    "fallback": ("unreadable", metrics.FALLBACK),
}
"""Of the error, beside what tells whether the model knows anything."""


def _measured(columns: Mapping[str, tuple[str, Metric]], where: Place) -> Columns:
    return {key: (header, where.on(metric=metric)) for key, (header, metric) in columns.items()}


def _parts(group: str, where: Place) -> Sequence[TableRow]:
    shown = {name: label for name, label in _EXPLAINED.items() if _runs(where, name)}
    return by_column(arms(shown, group), _measured(_PARTS, where))


def _law(where: Place) -> Columns:
    law, rated = where.on(part="law"), where.experiment in _RATED
    return {
        "mass": ("mass on the grid", where.on(metric=metrics.MASS)),
        "entropy": ("entropy (nats)", law.on(metric=metrics.ENTROPY)),
        "spread": ("spread", law.on(metric=metrics.SPREAD)),
        "distance": (
            "Wasserstein distance to the raters",
            lambda method: law(method, metrics.DISTANCE) if rated else None,
        ),
    }


def _distributions(group: str, where: Place) -> Sequence[TableRow]:
    rows = by_column(arms({"mean": "as it is", "fitted": "at a fitted temperature"}, group), _law(where))
    if where.experiment not in _RATED:
        return rows
    constant = {"distance": where("constant-mean", metrics.DISTANCE, part="law")}
    return (*rows, TableRow(label="held-out labels alone", entries=constant, group=group))


def _of_digits(where: Place) -> Callable[[str], Entry | None]:
    """What heads, which have no digits, have none of."""
    return lambda method: None if "head" in method else where(method)


def _fine_tuned(task: str) -> Columns:
    where = cells.trained(task)
    return {
        "rmse": ("RMSE", where),
        "mode": ("RMSE of the mode", _of_digits(where.on(part="mode"))),
        "entropy": ("entropy of the digits (nats)", _of_digits(where.on(part="law", metric=metrics.ENTROPY))),
    }


def _objectives(task: str, group: str) -> Sequence[TableRow]:
    labels = {"as-is": "as pretrained", **OBJECTIVES}
    return by_column(arms({name: labels[name] for name in cells.COMPARED[task]}, group), _fine_tuned(task))


def _second_hand(label: str, reported: str) -> TableRow:
    group = "Gemma-2 2B, Music (companion paper)"
    return TableRow(label=label, entries={"rmse": ReportedRef(reported)}, group=group)


def _answers(where: Place) -> Columns:
    return {"f1": ("token F1", where), "exact": ("exact match", where.on(metric=metrics.EXACT))}


TABLES = (
    PaperTable(
        id="cross",
        title="Every read-out by every metric",
        columns=headers(_COLUMNS),
        rows=_grouped(_JUDGED, _cross),
        source="rule table and main table",
        bold=tuple(_COLUMNS),
    ),
    PaperTable(
        id="parts",
        title="Where the squared error comes from",
        columns=headers(_PARTS),
        rows=_grouped(_MAIN, _parts),
    ),
    PaperTable(
        id="distributions",
        title="The distributions themselves, beside those of the human raters",
        columns=headers(_law(cells.MAIN_TOY)),
        rows=_grouped(_MAIN, _distributions),
        bold=("distance",),
    ),
    PaperTable(
        id="raft",
        title="Fine-tuning: RMSE of the objective's own read-out and of the most probable digit",
        columns=headers(_fine_tuned("ratings")),
        rows=(
            *(row for task, label in cells.TRAINED.items() for row in _objectives(task, label)),
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
        columns=headers(_answers(cells.OPEN[Profile.SMALL])),
        rows=by_profile(cells.OPEN, lambda where: by_column(arms(TEXTS), _answers(where))),
        bold=("f1",),
    ),
)


def _lines(
    xs: Sequence[X], y: Callable[[Place, X], Cell | Contrast], method: Callable[[X], str]
) -> Mapping[Profile, Sequence[Series]]:
    """One line a set, through the points whose method runs there."""

    def series(places: Places) -> Sequence[Series]:
        return [
            Series(label=label, points=tuple((float(x), y(where, x)) for x in xs if _runs(where, method(x))))
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
        variance = where("mean", metrics.LAW_VARIANCE, part="law")
        measured = tuple((float(k), where(sampled(k), metrics.EXCESS)) for k in COUNTS)
        theory = tuple((float(k), variance / k) for k in COUNTS)
        found += [Series(label=label, points=measured), Series(label=f"{label}: variance / K", points=theory)]
    return found


_BY_NOISE = ("sample-1", "mode", "median", "mean", "sample-8", "constant-mean")

FIGURES = (
    PaperFigure(
        id="samples",
        title="Error of the mean of K samples, relative to the exact mean's",
        x="samples K",
        y="RMSE / RMSE of the exact mean",
        series=_lines(COUNTS, lambda where, count: log(where(sampled(count))) - log(where("mean")), sampled),
        log_x=True,
        log_y=True,
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
        series=_lines(TEMPERATURES, lambda where, temperature: where(mean_at(temperature)), mean_at),
        log_x=True,
    ),
    PaperFigure(
        id="noise",
        title="Error of each read-out by the noise of the labels",
        x="noise σ of a label",
        y="RMSE",
        series=curves(
            arms({name: READ_OUTS[name] for name in _BY_NOISE}),
            cells.NOISES.values(),
            lambda method, sigma: cells.MAIN_TOY(method, task=f"noise-{sigma}"),
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
            lambda method, step: cells.trained("bent-5000")(
                method, metrics.ENTROPY, part="probe:law", step=step
            ),
        ),
    ),
)
