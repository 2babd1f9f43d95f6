"""Figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Profile
from harness.method import Metric
from harness.suite import PaperFigure, Scale, Series
from suites.ibws import cells
from suites.ibws.experiments import COST_SIZES, bias_levels

_SCALED = (Profile.SMALL, Profile.GPU)

_CURVES: Mapping[str, Sequence[str]] = {
    "slider": ("slider-1", "slider-2", "slider-4", "slider-8"),
    "EASL": ("easl-4", "easl-8"),
    "BWS, counting": ("bws-count-4", "bws-count-8", "bws-count-16"),
    "BWS, Bradley-Terry": ("bws-bt-4", "bws-bt-8", "bws-bt-16", "bws-bt-20"),
    "IBWS, position": ("ibws-1", "ibws-2", "ibws-4"),
    "IBWS, Bradley-Terry": ("ibws-1-bt", "ibws-2-bt", "ibws-4-bt"),
}


def _curve(metric: Metric, task: str) -> Sequence[Series]:
    return [
        Series(
            label=name,
            points=tuple(
                (cells.quality(method, metric, task), cells.quality(method, task=task)) for method in methods
            ),
        )
        for name, methods in _CURVES.items()
    ]


def _reads_amazon(_: Scale) -> Sequence[Series]:
    return _curve(cells.READS, "amazon")


def _reads_nyt(_: Scale) -> Sequence[Series]:
    return _curve(cells.READS, "nyt")


def _judgements_amazon(_: Scale) -> Sequence[Series]:
    return _curve(cells.JUDGEMENTS, "amazon")


def _seconds_amazon(_: Scale) -> Sequence[Series]:
    return _curve(cells.SECONDS, "amazon")


def _round_series(_: Scale) -> Sequence[Series]:
    return [
        Series(
            label=name,
            points=tuple(
                (float(number), cells.after_round(number, task=task))
                for number in range(1, cells.LAST_ROUND + 1)
            ),
        )
        for name, task in (("product reviews", "amazon"), ("editorials", "nyt"))
    ]


def _bias_series(scale: Scale) -> Sequence[Series]:
    names = {
        "bws-bt-8": "BWS, 2 judgements, 8 reads",
        "slider-2": "slider, 2 judgements",
        "slider-8": "slider, 8 reads",
    }
    return [
        Series(label=text, points=tuple((level, cells.bias(method, level)) for level in bias_levels(scale)))
        for method, text in names.items()
    ]


def _cost_series(_: Scale) -> Sequence[Series]:
    names = {"ibws-2": "IBWS, a = 2", "slider-4": "slider, 4 ratings"}
    return [
        Series(label=text, points=tuple((float(n), cells.cost(method, n)) for n in COST_SIZES))
        for method, text in names.items()
    ]


_RHO_GOLD = "Spearman's ρ with gold"

FIGURES: tuple[PaperFigure, ...] = (
    PaperFigure(
        id="reads",
        title="Quality against items read (product reviews)",
        x="reads an item",
        y=_RHO_GOLD,
        series=_reads_amazon,
        log_x=True,
        profiles=_SCALED,
    ),
    PaperFigure(
        id="judgements",
        title="Quality against judgements (product reviews)",
        x="judgements an item",
        y=_RHO_GOLD,
        series=_judgements_amazon,
        log_x=True,
        profiles=_SCALED,
    ),
    PaperFigure(
        id="seconds",
        title="Quality against assumed time: 2 s a screen, 4 s a read (product reviews)",
        x="seconds an item",
        y=_RHO_GOLD,
        series=_seconds_amazon,
        log_x=True,
        profiles=_SCALED,
    ),
    PaperFigure(
        id="reads-nyt",
        title="Quality against items read (editorials)",
        x="reads an item",
        y=_RHO_GOLD,
        series=_reads_nyt,
        log_x=True,
        profiles=_SCALED,
    ),
    PaperFigure(
        id="rounds",
        title="IBWS by position after each round (a = 4)",
        x="round",
        y=_RHO_GOLD,
        series=_round_series,
        profiles=_SCALED,
    ),
    PaperFigure(
        id="bias",
        title="Where best-worst scaling overtakes a slider",
        x="standard deviation of workers' shifts",
        y=_RHO_GOLD,
        series=_bias_series,
        profiles=_SCALED,
    ),
    PaperFigure(
        id="cost",
        title="Judgements an item as the set grows",
        x="items",
        y="judgements an item",
        series=_cost_series,
        log_x=True,
        profiles=(Profile.SMOKE, *_SCALED),
    ),
)
