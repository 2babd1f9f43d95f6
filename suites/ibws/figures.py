"""Figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


_RHO_GOLD = "Spearman's ρ with gold"
_ASSUMED = "2 s a screen, 4 s a read"

FIGURES: tuple[PaperFigure, ...] = (
    *(
        PaperFigure(
            id=name,
            title=f"Quality against {title}",
            x=f"{x} an item",
            y=_RHO_GOLD,
            series=_curve(metric, task),
            log_x=True,
        )
        for name, title, x, metric, task in (
            ("reads", "items read (product reviews)", "reads", READS, "amazon"),
            ("judgements", "judgements (product reviews)", "judgements", JUDGEMENTS, "amazon"),
            ("seconds", f"assumed time: {_ASSUMED} (product reviews)", "seconds", SECONDS, "amazon"),
            ("reads-nyt", "items read (editorials)", "reads", READS, "nyt"),
        )
    ),
    PaperFigure(
        id="rounds",
        title="IBWS by position after each round (a = 4)",
        x="round",
        y=_RHO_GOLD,
        series=curves(
            arms({"amazon": "product reviews", "nyt": "editorials"}),
            range(1, LAST_ROUND + 1),
            lambda task, step: ROUNDS("ibws-4", task=task, step=step),
        ),
    ),
    PaperFigure(
        id="bias",
        title="Where best-worst scaling overtakes a slider",
        x="standard deviation of workers' shifts",
        y=_RHO_GOLD,
        series=curves(_BIASED, ALL_BIAS_LEVELS, bias),
    ),
    PaperFigure(
        id="cost",
        title="Judgements an item as the set grows",
        x="items",
        y="judgements an item",
        series=curves(_COSTS, COST_SIZES, cost),
        log_x=True,
    ),
)
