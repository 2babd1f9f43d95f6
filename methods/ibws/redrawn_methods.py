"""The methods whose claims are averaged over draws: each as it is, with :class:`OverDraws` before it."""

from __future__ import annotations

from dataclasses import dataclass

from methods.ibws.method import BestWorst, DirectAssessment, IteratedBestWorst
from methods.ibws.ranking_method import LexiconRanker, LinearRanker
from methods.ibws.redrawn import OverDraws


@dataclass(frozen=True)
class RedrawnSlider(OverDraws, DirectAssessment):
    """Direct assessment, by several crowds."""


@dataclass(frozen=True)
class RedrawnBestWorst(OverDraws, BestWorst):
    """One round of best-worst scaling, by several crowds."""


@dataclass(frozen=True)
class RedrawnIterated(OverDraws, IteratedBestWorst):
    """Iterated best-worst scaling, by several crowds."""


@dataclass(frozen=True)
class RedrawnRanker(OverDraws, LinearRanker):
    """A linear ranker, for several divisions and crowds."""


@dataclass(frozen=True)
class RedrawnLexicon(OverDraws, LexiconRanker):
    """The lexicon, for several divisions and crowds."""
