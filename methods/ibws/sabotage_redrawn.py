"""Negative controls over several draws: those of ``sabotage.py``. No real method imports this."""

from __future__ import annotations

from dataclasses import dataclass

from methods.ibws.redrawn import OverDraws
from methods.ibws.sabotage import (
    BlindLaterRounds,
    RandomBestWorst,
    ShuffledLabels,
    SwappedIteratedBestWorst,
    UninformedBestWorst,
    UninformedSlider,
)


@dataclass(frozen=True)
class RedrawnUninformedSlider(OverDraws, UninformedSlider):
    """Direct assessment by raters who look at other items, by several crowds."""


@dataclass(frozen=True)
class RedrawnBlind(OverDraws, BlindLaterRounds):
    """IBWS that is answered at random after the first round, by several crowds."""


@dataclass(frozen=True)
class RedrawnSwapped(OverDraws, SwappedIteratedBestWorst):
    """IBWS that takes each best for the worst, by several crowds."""


@dataclass(frozen=True)
class RedrawnUninformedBestWorst(OverDraws, UninformedBestWorst):
    """Best-worst scaling by raters who look at other items, by several crowds."""


@dataclass(frozen=True)
class RedrawnRandomBestWorst(OverDraws, RandomBestWorst):
    """Best-worst scaling with random answers, by several crowds."""


@dataclass(frozen=True)
class RedrawnShuffledLabels(OverDraws, ShuffledLabels):
    """A linear ranker with shuffled labels, for several divisions and crowds."""
