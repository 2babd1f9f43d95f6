"""Measured numbers by name, so that claims and displays speak of the same cells."""

from __future__ import annotations

from harness.claims import Cell, Place
from harness.method import Metric, mean_of
from methods.common.rank_metrics import kendall, pearson, spearman
from suites.ibws import arms
from suites.ibws.experiments import bias_id

RHO = spearman()
TAU = kendall()
PEARSON = pearson()
RHO_IBWS = spearman(right="ibws_position", name="ρ with the IBWS ranking (position)")
RHO_IBWS_BT = spearman(right="ibws_bt", name="ρ with the IBWS ranking (Bradley-Terry)")
SPLIT_HALF = spearman("half_a", "half_b", name="split-half reliability")
MEAN_RHO = arms.MEAN_RHO
NEAR_BT = mean_of("rho_bt", better="higher", name="mean ρ with the IBWS ranking (Bradley-Terry)", worst=-1.0)
NEAR_POSITION = mean_of(
    "rho_position", better="higher", name="mean ρ with the IBWS ranking (position)", worst=-1.0
)
RELIABILITY = mean_of("reliability", better="higher", name="mean split-half reliability", worst=-1.0)
READS = mean_of("reads", better="lower", name="reads an item", digits=1)
JUDGEMENTS = mean_of("judgements", better="lower", name="judgements an item", digits=2)
SECONDS = mean_of("seconds", better="lower", name="seconds an item", unit="s", digits=0)
DISORDER = mean_of("error", better="lower", name="pairs out of order", digits=0)
LABEL_READS = mean_of("label_reads", better="lower", name="reads a label", digits=1)

LAST_ROUND = 5
"""Rounds that thirds take on 300 items with tuples of 4 (card: about log3(N / 4) + 1)."""

PERFECT = Place("exact", "perfect", metric=DISORDER)
"""Judges without errors."""
QUALITY = Place("quality", "amazon", metric=RHO)
"""Protocols on 300 product reviews; ``task="nyt"`` are editorials."""
ROUNDS = QUALITY.on(part="probe")
"""The same after each round: ``ROUNDS("ibws-4", step=1)``."""
REDRAWN = Place("redrawn", "amazon", metric=MEAN_RHO)
"""Protocols averaged over several crowds, on which claims rest; ``task="nyt"`` are editorials."""
FIRST_ROUNDS = REDRAWN.on(part="probe")
"""The same after each round."""
RANKING = Place("ranking", metric=MEAN_RHO)
"""Linear rankers, averaged over divisions and crowds; the task is a domain."""
ENCODER = Place("encoder", metric=RHO)
"""Fine-tuned encoders; the task is a domain."""
READER = Place("reader", metric=RHO)
"""A language model as annotator."""


def bias(method: str, level: float, metric: Metric = RHO) -> Cell:
    """A protocol at a level of rater bias.

    Shifts and stretches cannot change best-worst answers (a property that is tested), so those
    are measured once, without bias.
    """
    return Cell("bias", method, metric, bias_id(0.0 if method in arms.BIAS_TUPLES else level))


def cost(method: str, size: int) -> Cell:
    """Judgements an item that a protocol takes on a set of this size."""
    return Cell("cost", method, JUDGEMENTS, f"items-{size}")
