"""Iterated best-worst scaling (Han et al., 2024) and the annotation protocols around it.

Usable without the harness::

    from methods.ibws import Iteration, crowd_of, iterated_bws

    judge = crowd_of(ratings, rng).session(rng)
    ranking = iterated_bws(len(ratings), judge.compare, rng, Iteration(appearances=4))
"""

from methods.ibws.answers import Answers, Ledger, pairs_of
from methods.ibws.crowd import Crowd, Judge, Ratings, Session, crowd_of, on_scale, split_raters
from methods.ibws.designs import balanced_design, complete_design
from methods.ibws.direct import direct_assessment, easl, mean_by_item, normalised_by_worker
from methods.ibws.iterated import IteratedRanking, Iteration, iterated_bws
from methods.ibws.pairwise import elo, rescorla_wagner, value_learning
from methods.ibws.scoring import abw, bradley_terry, bradley_terry_pairs, counting, maxdiff, plackett_luce

__all__ = [
    "Answers",
    "Crowd",
    "IteratedRanking",
    "Iteration",
    "Judge",
    "Ledger",
    "Ratings",
    "Session",
    "abw",
    "balanced_design",
    "bradley_terry",
    "bradley_terry_pairs",
    "complete_design",
    "counting",
    "crowd_of",
    "direct_assessment",
    "easl",
    "elo",
    "iterated_bws",
    "maxdiff",
    "mean_by_item",
    "normalised_by_worker",
    "on_scale",
    "pairs_of",
    "plackett_luce",
    "rescorla_wagner",
    "split_raters",
    "value_learning",
]
