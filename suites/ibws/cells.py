"""Measured numbers by name, so that claims and displays speak of the same cells."""

from __future__ import annotations

from harness.claims import Cell, Contrast
from harness.method import Metric, mean_of
from methods.common.rank_metrics import kendall, pearson, spearman
from suites.ibws import arms
from suites.ibws.experiments import bias_id

RHO = spearman()
TAU = kendall()
PEARSON = pearson()
RHO_IBWS = spearman(right="ibws_position", name="ρ with the IBWS ranking (position)")
RHO_IBWS_BT = spearman(right="ibws_bt", name="ρ with the IBWS ranking (Bradley-Terry)")
TAU_IBWS_BT = kendall(right="ibws_bt", name="τ-b with the IBWS ranking (Bradley-Terry)")
SPLIT_HALF = spearman("half_a", "half_b", name="split-half reliability")
READS = mean_of("reads", better="lower", name="reads an item", digits=1)
JUDGEMENTS = mean_of("judgements", better="lower", name="judgements an item", digits=2)
SELECTIONS = mean_of("selections", better="lower", name="selections an item", digits=2)
SECONDS = mean_of("seconds", better="lower", name="seconds an item", unit="s", digits=0)
LABEL_READS = mean_of("label_reads", better="lower", name="reads a label", digits=1)

LAST_ROUND = 5
"""Rounds that thirds take on 300 items with tuples of 4 (card: about log3(N / 4) + 1)."""


def quality(method: str, metric: Metric = RHO, task: str = "amazon") -> Cell:
    """A protocol on 300 items."""
    return Cell("quality", method, metric, task)


def after_round(number: int, method: str = "ibws-4", metric: Metric = RHO, task: str = "amazon") -> Cell:
    """IBWS after a round."""
    return Cell("quality", method, metric, task, part="probe", where=(("step", number),))


def bias(method: str, level: float, metric: Metric = RHO) -> Cell:
    """A protocol at a level of rater bias.

    Shifts and stretches cannot change best-worst answers (a property that is tested), so those
    are measured once, without bias.
    """
    return Cell("bias", method, metric, bias_id(0.0 if method in arms.BIAS_TUPLES else level))


def cost(method: str, size: int, metric: Metric = JUDGEMENTS) -> Cell:
    """A protocol on a set of this size."""
    return Cell("cost", method, metric, f"items-{size}")


def ranking(method: str, task: str, metric: Metric = RHO) -> Cell:
    """A linear ranker on a domain."""
    return Cell("ranking", method, metric, task)


def encoder(method: str, task: str, metric: Metric = RHO) -> Cell:
    """A fine-tuned encoder on a domain."""
    return Cell("encoder", method, metric, task)


def alone(cell: Cell) -> Contrast:
    """θ is the cell itself."""
    return Contrast(((1.0, cell),))
