"""Names of methods and tasks, and the cells that claims and displays read."""

from __future__ import annotations

from harness.claims import Cell, Contrast, Profile
from harness.method import Metric, mean_of
from methods.lite.approximation import R_SQUARED
from methods.lite.ir_sets import BEIR_SETS
from methods.lite.order import ABOVE_SCATTERED
from methods.lite.passages import HELD_OUT, IN_DOMAIN
from methods.lite.tables import TABLE_ERROR
from methods.lite.task import BYTES, MRR, NDCG

SCORERS = {
    "de": "DE (mean-pooled dot product)",
    "maxsim": "MaxSim",
    "maxsim-unscaled": "MaxSim without learnt scale",
    "maxsim-top2": "top-2 MaxSim",
    "maxsim-top4": "top-4 MaxSim",
    "maxsim-top8": "top-8 MaxSim",
    "knrm": "KNRM",
    "lite": "LITE (separable)",
    "lite-flat": "LITE (flattened)",
}
"""Scorers that are trained alike, by id."""
TOP_K = (2, 4, 8)
LOSSES = ("one-hot", "kl", "margin-mse")
MAIN_LOSS = "margin-mse"
SETS = tuple(sorted(library.package for library in IN_DOMAIN))
"""Libraries that the in-domain test queries come from."""
FOLDS = tuple(sorted(library.package for library in HELD_OUT))
"""Libraries that nothing is trained on."""
BEIR = tuple(resource.name for resource in BEIR_SETS)
"""Public sets of the zero-shot table."""
OTHER_QUERIES = ("trec-dl-2019", "trec-dl-2020")
"""Further queries on MS MARCO's passages."""
TARGETS = ("all-match", "second-best", "phrase", "must-not")
"""Functions of S that MaxSim cannot express."""
MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
"""Profiles in which rankers are trained."""
SECONDS = mean_of("seconds", better="lower", unit="s", digits=4)


def main_task(profile: Profile) -> str:
    """Task whose numbers decide most claims."""
    return "msmarco" if profile is Profile.PAPER else "docstrings"


def loss_task(profile: Profile) -> str:
    """Task of the loss ablation, which is NQ in the paper."""
    return "nq" if profile is Profile.PAPER else "docstrings"


def folds(profile: Profile) -> tuple[str, ...]:
    """Sets that nothing is trained on."""
    if profile is Profile.PAPER:
        return BEIR
    return (*FOLDS, "cranfield") if profile is Profile.GPU else FOLDS


def quality(method: str, metric: Metric = MRR, *, task: str = "docstrings") -> Cell:
    """A measure on the test queries in domain."""
    return Cell("ranking", method, metric, task=task)


def elsewhere(method: str, data: str, metric: Metric = MRR) -> Cell:
    """A measure on another in-domain set: one of its own, or further queries on the same passages."""
    if data in OTHER_QUERIES:
        return away(method, data, metric, task="msmarco")
    return quality(method, metric, task=data)


def second_sets(profile: Profile) -> tuple[str, ...]:
    """Other in-domain sets."""
    sets = {
        Profile.SMALL: ("functions",),
        Profile.GPU: ("trecqa",),
        Profile.PAPER: (*OTHER_QUERIES, "nq"),
    }
    return sets.get(profile, ())


def second_arm(name: str, profile: Profile) -> str:
    """Id of a scorer on the other sets: that of ``small`` has labels and no teacher."""
    return with_loss(name, "one-hot" if profile is Profile.SMALL else MAIN_LOSS)


def away(method: str, fold: str, metric: Metric = NDCG, *, task: str = "docstrings") -> Cell:
    """A measure on queries of a set that nothing was trained on."""
    return Cell("ranking", method, metric, task=task, part="zero-shot", where=(("domain", fold),))


def stored(method: str, *, task: str = "docstrings") -> Cell:
    """Bytes that are stored for a document."""
    return Cell("ranking", method, BYTES, task=task, part="storage")


def with_loss(method: str, loss: str) -> str:
    """Id of a method under a loss: ``lite-kl``."""
    return method if loss == MAIN_LOSS else f"{method}-{loss}"


def seconds(method: str) -> Cell:
    """Seconds to re-rank 1,000 documents."""
    return Cell("latency", method, SECONDS, part="time")


def approximation(method: str, target: str, part: str = "main") -> Cell:
    """R² of a fit, or its witness."""
    return Cell("approximation", method, R_SQUARED, task=target, part=part)


def table_error(method: str, part: str = "main") -> Cell:
    """Errors of fitted score tables."""
    return Cell("tables", method, TABLE_ERROR, part=part)


def order(method: str, metric: Metric = ABOVE_SCATTERED, part: str = "main") -> Cell:
    """How often the phrase ranks above the same words scattered."""
    return Cell("order", method, metric, part=part)


def mean_of_cells(better: list[Cell], worse: list[Cell]) -> Contrast:
    """Mean of some cells minus the mean of others."""
    plus = tuple((1 / len(better), cell) for cell in better)
    return Contrast((*plus, *((-1 / len(worse), cell) for cell in worse)))
