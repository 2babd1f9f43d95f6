"""Scorers that learn from one pair at a time: Elo, Value learning, Rescorla-Wagner.

As in Hollis (2018), two dummy players bound the scores: one beats every item once, one loses to
every item once. Pairs are shuffled, then visited in that order in every pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from methods.ibws.answers import Answers, pairs_of
from methods.ibws.designs import Floats


def elo(
    n_items: int,
    answers: Sequence[Answers],
    rng: np.random.Generator,
    *,
    k_factor: float = 30.0,
    scale: float = 400.0,
    passes: int = 100,
) -> Floats:
    """Elo ratings.

    Args:
        n_items: Number of items n.
        answers: Best-worst answers.
        rng: Source of the order of the pairs.
        k_factor: Largest change by one game.
        scale: Rating difference at which the odds are ten to one.
        passes: Passes over all pairs.

    Returns:
        Shape (n,): ratings, 0 at the start.
    """
    games = _games(n_items, answers, rng)
    ratings = [0.0] * (n_items + 2)
    for _ in range(passes):
        for winner, loser in games:
            gain = k_factor / (1.0 + 10.0 ** ((ratings[winner] - ratings[loser]) / scale))
            ratings[winner] += gain
            ratings[loser] -= gain
    return np.array(ratings[:n_items])


def value_learning(
    n_items: int,
    answers: Sequence[Answers],
    rng: np.random.Generator,
    *,
    rate: float = 0.025,
    passes: int = 100,
) -> Floats:
    """Value learning (Hollis, 2018).

    With odds o = v / (1 - v) and salience 1 - o_w / (o_w + o_l), a win moves v_w by
    salience * rate * (1 - v_w) and v_l by -salience * rate * v_l.

    Returns:
        Shape (n,): values in (0, 1), .5 at the start.
    """
    games = _games(n_items, answers, rng)
    values = [0.5] * (n_items + 2)
    for _ in range(passes):
        for winner, loser in games:
            v, w = values[winner], values[loser]
            step = rate * _salience(v, w)
            values[winner] = v + step * (1.0 - v)
            values[loser] = w - step * w
    return np.array(values[:n_items])


def rescorla_wagner(
    n_items: int,
    answers: Sequence[Answers],
    rng: np.random.Generator,
    *,
    rate: float = 0.025,
    passes: int = 100,
) -> Floats:
    """Rescorla-Wagner learning (Hollis, 2018).

    Each item has a win and a lose strength; winning adds salience * rate * (1 - total) to the
    winner's win strength, losing adds the same, with its own total, to the loser's lose strength.

    Returns:
        Shape (n,): win / (win + lose), .5 for items without games.
    """
    games = _games(n_items, answers, rng)
    win = [0.0] * (n_items + 2)
    lose = [0.0] * (n_items + 2)
    for _ in range(passes):
        for winner, loser in games:
            total_w, total_l = win[winner] + lose[winner], win[loser] + lose[loser]
            score_w = win[winner] / total_w if total_w else 0.5
            score_l = win[loser] / total_l if total_l else 0.5
            step = rate * _salience(score_w, score_l)
            win[winner] += step * (1.0 - total_w)
            lose[loser] += step * (1.0 - total_l)
    wins, totals = np.array(win[:n_items]), np.array(win[:n_items]) + np.array(lose[:n_items])
    scores = np.full(n_items, 0.5)
    np.divide(wins, totals, out=scores, where=totals > 0)
    return scores


def _salience(winner: float, loser: float) -> float:
    """How surprising a win is: 1 - o_w / (o_w + o_l), written without odds, which can be infinite."""
    won = winner * (1.0 - loser)
    lost = loser * (1.0 - winner)
    return lost / (won + lost) if won + lost else 0.5


def _games(n_items: int, answers: Sequence[Answers], rng: np.random.Generator) -> list[tuple[int, int]]:
    winners, losers = pairs_of(answers)
    items = np.arange(n_items)
    winners = np.concatenate([winners, np.full(n_items, n_items), items])
    losers = np.concatenate([losers, items, np.full(n_items, n_items + 1)])
    order = rng.permutation(winners.size)
    return list(zip(winners[order].tolist(), losers[order].tolist(), strict=True))
