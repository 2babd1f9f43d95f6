"""Figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import SCALED, Profile
from harness.method import Metric
from harness.suite import Arm, PaperFigure, Series, arms, curves
from suites.ibws.cells import JUDGEMENTS, LAST_ROUND, QUALITY, READS, ROUNDS, SECONDS, bias, cost
from suites.ibws.experiments import ALL_BIAS_LEVELS, COST_SIZES

_CURVES: Mapping[str, Sequence[str]] = {
    "slider": ("slider-1", "slider-2", "slider-4", "slider-8"),
    "EASL": ("easl-4", "easl-8"),
    "BWS, counting": ("bws-count-4", "bws-count-8", "bws-count-16"),
    "BWS, Bradley-Terry": ("bws-bt-4", "bws-bt-8", "bws-bt-16", "bws-bt-20"),
    "IBWS, position": ("ibws-1", "ibws-2", "ibws-4"),
    "IBWS, Bradley-Terry": ("ibws-1-bt", "ibws-2-bt", "ibws-4-bt"),
}
"""Protocols of one kind, the cheapest first."""
_BIASED = arms(
    {
        "bws-bt-8": "BWS, 2 judgements, 8 reads",
        "slider-2": "slider, 2 judgements",
        "slider-8": "slider, 8 reads",
    }
)
_COSTS = (Arm("ibws-2", "IBWS, a = 2"), Arm("slider-4", "slider, 4 ratings"))


def _curve(metric: Metric, task: str) -> Sequence[Series]:
    """Quality against a cost."""
    where = QUALITY.on(task)
    return [
        Series(label=name, points=tuple((where(method, metric), where(method)) for method in methods))
        for name, methods in _CURVES.items()
    ]


_ROUNDS = tuple(
    Series(
        label=name,
        points=tuple(
            (float(step), ROUNDS("ibws-4", task=task, step=step)) for step in range(1, LAST_ROUND + 1)
        ),
    )
    for name, task in (("product reviews", "amazon"), ("editorials", "nyt"))
)

_RHO_GOLD = "Spearman's ρ with gold"

FIGURES: tuple[PaperFigure, ...] = (
    PaperFigure(
        id="reads",
        title="Quality against items read (product reviews)",
        x="reads an item",
        y=_RHO_GOLD,
        series=_curve(READS, "amazon"),
        log_x=True,
        profiles=SCALED,
    ),
    PaperFigure(
        id="judgements",
        title="Quality against judgements (product reviews)",
        x="judgements an item",
        y=_RHO_GOLD,
        series=_curve(JUDGEMENTS, "amazon"),
        log_x=True,
        profiles=SCALED,
    ),
    PaperFigure(
        id="seconds",
        title="Quality against assumed time: 2 s a screen, 4 s a read (product reviews)",
        x="seconds an item",
        y=_RHO_GOLD,
        series=_curve(SECONDS, "amazon"),
        log_x=True,
        profiles=SCALED,
    ),
    PaperFigure(
        id="reads-nyt",
        title="Quality against items read (editorials)",
        x="reads an item",
        y=_RHO_GOLD,
        series=_curve(READS, "nyt"),
        log_x=True,
        profiles=SCALED,
    ),
    PaperFigure(
        id="rounds",
        title="IBWS by position after each round (a = 4)",
        x="round",
        y=_RHO_GOLD,
        series=_ROUNDS,
        profiles=SCALED,
    ),
    PaperFigure(
        id="bias",
        title="Where best-worst scaling overtakes a slider",
        x="standard deviation of workers' shifts",
        y=_RHO_GOLD,
        series=curves(_BIASED, ALL_BIAS_LEVELS, bias),
        profiles=SCALED,
    ),
    PaperFigure(
        id="cost",
        title="Judgements an item as the set grows",
        x="items",
        y="judgements an item",
        series=curves(_COSTS, COST_SIZES, cost),
        log_x=True,
        profiles=(Profile.SMOKE, *SCALED),
    ),
)
