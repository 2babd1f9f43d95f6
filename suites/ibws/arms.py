"""The methods under comparison, by id."""

from __future__ import annotations

from typing import Any

from harness.method import mean_of
from harness.suite import Methods, Tuned
from methods.ibws.method import BestWorst, DirectAssessment, Easl, IteratedBestWorst, RandomRanking
from methods.ibws.ranking_method import LinearRanker
from methods.ibws.redrawn_methods import (
    RedrawnBestWorst,
    RedrawnIterated,
    RedrawnLexicon,
    RedrawnRanker,
    RedrawnSlider,
)
from methods.ibws.sabotage_redrawn import (
    RedrawnBlind,
    RedrawnRandomBestWorst,
    RedrawnShuffledLabels,
    RedrawnSwapped,
    RedrawnUninformedBestWorst,
    RedrawnUninformedSlider,
)

MEAN_RHO = mean_of("rho", better="higher", name="mean Spearman's ρ", worst=-1.0)
"""Of the draws of a trial."""

DIRECT: Methods = {
    "slider-1": DirectAssessment(raters=1),
    "slider-2": DirectAssessment(raters=2),
    "slider-4": DirectAssessment(raters=4),
    "slider-8": DirectAssessment(raters=8),
    "three-point-4": DirectAssessment(raters=4, points=3),
    "five-point-4": DirectAssessment(raters=4, points=5),
    "seven-point-4": DirectAssessment(raters=4, points=7),
    "nine-point-4": DirectAssessment(raters=4, points=9),
    "normalised-slider-4": DirectAssessment(raters=4, normalise=True),
    "five-sliders-4": DirectAssessment(raters=4, per_screen=5),
    "easl-4": Easl(budget=4.0),
    "easl-8": Easl(budget=8.0),
}
"""Direct assessment; the number at the end is ratings an item."""

ONE_SHOT: Methods = {
    "bws-count-4": BestWorst(appearances=4, scorer="counting"),
    "bws-bt-4": BestWorst(appearances=4),
    "bws-count-8": BestWorst(appearances=8, scorer="counting"),
    "bws-abw-8": BestWorst(appearances=8, scorer="abw"),
    "bws-bt-8": BestWorst(appearances=8),
    "bws-pl-8": BestWorst(appearances=8, scorer="plackett_luce"),
    "bws-maxdiff-8": BestWorst(appearances=8, scorer="maxdiff"),
    "bws-elo-8": BestWorst(appearances=8, scorer="elo"),
    "bws-value-8": BestWorst(appearances=8, scorer="value"),
    "bws-rw-8": BestWorst(appearances=8, scorer="rescorla_wagner"),
    "bws-count-16": BestWorst(appearances=16, scorer="counting"),
    "bws-bt-16": BestWorst(appearances=16),
    "bws-bt-20": BestWorst(appearances=20),
}
"""One round of best-worst scaling; the number is tuples that each item is in."""

ITERATED: Methods = {
    "ibws-1": IteratedBestWorst(appearances=1),
    "ibws-2": IteratedBestWorst(appearances=2),
    "ibws-4": IteratedBestWorst(appearances=4, trace=True),
    "ibws-1-bt": IteratedBestWorst(appearances=1, final="bt_all"),
    "ibws-2-bt": IteratedBestWorst(appearances=2, final="bt_all"),
    "ibws-4-bt": IteratedBestWorst(appearances=4, final="bt_all"),
    "ibws-4-sign": IteratedBestWorst(appearances=4, split="sign"),
    "ibws-4-sign-bt": IteratedBestWorst(appearances=4, split="sign", final="bt_all"),
}
"""IBWS; the number is tuples an item is in, each round."""

RANDOM: Methods = {"random": RandomRanking()}

BIAS_SCALES: Methods = {
    "slider-2": DirectAssessment(raters=2),
    "slider-8": DirectAssessment(raters=8),
    "nine-point-2": DirectAssessment(raters=2, points=9, split_half=True),
}
"""Scales under growing bias: two judgements or eight reads an item."""

_HALVED: dict[str, Any] = {"appearances": 4, "raters_per_tuple": 2, "scorer": "counting", "split_half": True}
BIAS_TUPLES: Methods = {"bws-bt-8": BestWorst(appearances=8), "bws-count-4x2": BestWorst(**_HALVED)}
"""Two judgements and eight reads an item; a worker's bias cannot change these answers.

Split-half reliability divides the answers to each tuple, so that there must be two of them: four tuples an
item, each answered by two people, take the place of eight answered by one.
"""

REDRAWN: Methods = {
    "slider-2": RedrawnSlider(raters=2),
    "slider-4": RedrawnSlider(raters=4),
    "nine-point-2": RedrawnSlider(raters=2, points=9, split_half=True),
    "bws-bt-8": RedrawnBestWorst(appearances=8),
    "bws-count-4x2": RedrawnBestWorst(**_HALVED),
    "bws-bt-20": RedrawnBestWorst(appearances=20),
    "ibws-1": RedrawnIterated(appearances=1),
    "ibws-2": RedrawnIterated(appearances=2),
    "ibws-4": RedrawnIterated(appearances=4, trace=True),
    "ibws-4-bt": RedrawnIterated(appearances=4, final="bt_all"),
}
"""The protocols that claims compare, as above and by several crowds."""
REDRAWN_BROKEN: Methods = {
    "slider-4-uninformed": RedrawnUninformedSlider(raters=4),
    "bws-bt-8-uninformed": RedrawnUninformedBestWorst(appearances=8),
    "bws-count-4x2-random": RedrawnRandomBestWorst(**_HALVED),
    "ibws-4-blind": RedrawnBlind(appearances=4, trace=True),
    "ibws-4-bt-blind": RedrawnBlind(appearances=4, final="bt_all"),
    "ibws-4-swapped": RedrawnSwapped(appearances=4, trace=True),
    "ibws-2-swapped": RedrawnSwapped(appearances=2),
    "ibws-1-swapped": RedrawnSwapped(appearances=1),
}
"""Sabotages of these."""
REDRAWN_ON_EDITORIALS = (
    *("slider-4", "ibws-4", "ibws-4-bt"),
    *("slider-4-uninformed", "ibws-4-blind", "ibws-4-bt-blind", "ibws-4-swapped"),
)

_STRENGTHS = {
    "tfidf": (0.1, 0.3, 1.0, 3.0, 10.0),
    "ridge": (0.3, 1.0, 3.0, 10.0, 30.0),
    "pairwise": (0.1, 0.3, 1.0, 3.0, 10.0),
}
"""Five values a factor of about three apart, centred on each model's best on validation texts."""
TUNING_SEEDS = (1, 2)
"""Each has several divisions of the validation texts: over two in all, chance chose other penalties."""

LABELS = {
    "slider-1": ("slider", 1),
    "slider-2": ("slider", 2),
    "slider-4": ("slider", 4),
    "five-point-2": ("five_point", 2),
    "bws-4": ("bws", 4),
    "bws-8": ("bws", 8),
    "ibws-2": ("ibws", 2),
    "gold": ("gold", 0),
}
"""Protocol and its amount, by id."""


def once(labels: str, model: str) -> LinearRanker:
    """A linear ranker with the penalty in the middle of its grid."""
    protocol, amount = LABELS[labels]
    return LinearRanker(labels=protocol, amount=amount, model=model, strength=_STRENGTHS[model][2])  # type: ignore[arg-type]


def linear(labels: str, model: str, kind: type[LinearRanker] = RedrawnRanker) -> Tuned:
    """A linear ranker whose penalty is tuned on validation texts, alike for every kind of labels."""
    middle = once(labels, model)
    ranker = kind(labels=middle.labels, amount=middle.amount, model=middle.model, strength=middle.strength)
    return Tuned(method=ranker, grid={"strength": _STRENGTHS[model]}, select=MEAN_RHO, seeds=TUNING_SEEDS)


def rankers(model: str, labels: tuple[str, ...] = tuple(LABELS)) -> Methods:
    """Rankers of one model for several kinds of labels, by id."""
    return {f"{model}-{name}": linear(name, model) for name in labels}


def shuffled(model: str) -> Methods:
    """The ranker trained on shuffled slider labels."""
    return {f"{model}-slider-2-shuffled": linear("slider-2", model, RedrawnShuffledLabels)}


LEXICON_RANKER: Methods = {"lexicon": RedrawnLexicon()}
