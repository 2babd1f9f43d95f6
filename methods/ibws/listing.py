"""Rows of the tables that ``corroborate bws`` writes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.method import ProblemError
from methods.ibws.analysis import SCORERS, replay, score_intervals
from methods.ibws.answers import pairs_of
from methods.ibws.designs import Floats, Ints
from methods.ibws.iterated import Iteration
from methods.ibws.scoring import shown_counts
from methods.ibws.sheets import Sheet


def score_rows(
    sheet: Sheet, by: str, options: Iteration, seed: int, *, draws: int, level: float
) -> list[tuple[str, ...]]:
    """Items with their scores, best first, under a header.

    Args:
        sheet: The answers.
        by: A name of :data:`~methods.ibws.analysis.SCORERS`, or ``position`` for the ranking of IBWS.
        options: Of IBWS; only for its ranking.
        seed: Of the bootstrap, or of IBWS's order among equal scores.
        draws: Of the bootstrap; 0 for no intervals.
        level: Of the intervals.

    Raises:
        ProblemError: If the level is no share, or the answers are not those of rounds.
    """
    if not 0 < level < 1:
        raise ProblemError("The level is a share", where=f"--level {level}", fix="Give .95, for example.")
    n = len(sheet.items)
    ends = np.full((2, n), np.nan)
    if by == "position":
        # Their order decides which of equal items comes first, so that it must be that of the rounds.
        scores = replay(sheet, n, options, seed).rankings[-1]
    else:
        scores = SCORERS[by](n, sheet.answers())
        if draws:
            rng = np.random.default_rng(seed)
            ends = score_intervals(sheet, SCORERS[by], rng, draws=draws, level=level)
    return _listed(sheet, scores, ends)


def _listed(sheet: Sheet, scores: Floats, ends: Floats) -> list[tuple[str, ...]]:
    n = len(sheet.items)
    shown = shown_counts(n, sheet.answers()).astype(np.intp)
    times = [np.bincount(chosen, minlength=n) for chosen in (sheet.best, sheet.worst)]
    rows: list[tuple[str, ...]] = [("item", "score", "low", "high", "shown", "best", "worst")]
    for item in _order(scores, shown):
        known = [scores[item], *ends[:, item]] if shown[item] else [np.nan] * 3
        numbers = ["" if np.isnan(value) else f"{value:.6g}" for value in known]
        counts = [str(column[item]) for column in (shown, *times)]
        rows.append((sheet.items[item], *numbers, *counts))
    return rows


def _order(scores: Floats, shown: Ints) -> Ints:
    """Best first, as given where equal; items without an answer last."""
    return np.lexsort((-scores, shown == 0))


def pair_rows(sheet: Sheet) -> Iterator[tuple[str, ...]]:
    """The pairs that answers decide, under the header of crowd-kit's pairwise aggregation.

    Its columns are ``worker``, ``left``, ``right`` and ``label``, which names the winner.
    """
    yield ("worker", "left", "right", "label")
    for row, worker in enumerate(sheet.workers):
        winners, losers = pairs_of(sheet.answers([row]))
        for winner, loser in zip(winners, losers, strict=True):
            left, right = sorted((sheet.items[winner], sheet.items[loser]))
            yield (worker, left, right, sheet.items[winner])
