"""Where scorers are compared; claims and displays take their cells from here."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import SCALED, Cell, Place, Profile, at
from harness.method import Metric, mean_of
from methods.lite.approximation import R_SQUARED
from methods.lite.ir_sets import BEIR_SETS
from methods.lite.order import ABOVE_SCATTERED
from methods.lite.passages import HELD_OUT
from methods.lite.tables import TABLE_ERROR
from methods.lite.task import MRR, NDCG

TOP_K = (2, 4, 8)
"""Best matches of a query token that MaxSim sums."""
TARGETS = ("all-match", "second-best", "phrase", "must-not")
"""Functions of S that MaxSim cannot express."""
MAIN_LOSS = "margin-mse"
LOSSES = ("one-hot", "kl", MAIN_LOSS)

DOCSTRINGS = Place("ranking", "docstrings", metric=MRR)
MSMARCO = DOCSTRINGS.on("msmarco")
MAIN: Mapping[Profile, Place] = at(SCALED, DOCSTRINGS) | at(Profile.PAPER, MSMARCO)
"""Where most claims are decided: the test queries in domain."""
LOSS_SETS: Mapping[Profile, Place] = at(SCALED, DOCSTRINGS) | at(Profile.PAPER, DOCSTRINGS.on("nq"))
"""Where losses are compared, which is NQ in the paper."""

OTHER_QUERIES = ("trec-dl-2019", "trec-dl-2020")
"""Further queries on MS MARCO's passages."""

FOLDS = tuple(sorted(library.package for library in HELD_OUT))
"""Libraries that nothing is trained on."""
_UNSEEN = DOCSTRINGS.on(part="zero-shot", metric=NDCG)
ZERO_SHOT: Mapping[Profile, tuple[Place, tuple[str, ...]]] = {
    Profile.SMALL: (_UNSEEN, FOLDS),
    Profile.GPU: (_UNSEEN, (*FOLDS, "cranfield")),
    Profile.PAPER: (_UNSEEN.on("msmarco"), tuple(resource.name for resource in BEIR_SETS)),
}
"""Where transfer is measured, and the sets that nothing was trained on: ``where("lite", domain="PIL")``."""

LATENCY = Place("latency", part="time", metric=mean_of("seconds", better="lower", unit="s", digits=4))
"""Seconds to re-rank 1,000 documents."""
FITS = Place("approximation", metric=R_SQUARED)
"""Fits of functions of the similarities; the task is the function, part ``"witness"`` its best fit."""
IDENTITY = Place("tables", metric=TABLE_ERROR)
"""Errors of score tables that are fitted to the identity."""
BETAS = (0.0, 0.25, 0.5)
"""What two neighbours of the query in a row are worth, in the worlds where they count."""
NEIGHBOURS = Place("neighbours", metric=MRR)
"""Encoder and scorer trained together; the task is β (:func:`beta`)."""
ORDER = Place("order", metric=ABOVE_SCATTERED)
"""How often the phrase ranks above the same words scattered."""


def elsewhere(method: str, data: str, metric: Metric = MRR) -> Cell:
    """A measure on another in-domain set: one of its own, or further queries on MS MARCO's passages."""
    if data in OTHER_QUERIES:
        return MSMARCO(method, metric, part="zero-shot", domain=data)
    return DOCSTRINGS(method, metric, task=data)


def beta(value: float) -> str:
    """Id of the world in which neighbours are worth ``value``: ``beta-0.25``."""
    return f"beta-{value:g}"


def with_loss(method: str, loss: str) -> str:
    """Id of a method under a loss: ``lite-kl``."""
    return method if loss == MAIN_LOSS else f"{method}-{loss}"
