"""Best-worst answers and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.ibws.designs import Floats, Ints


@dataclass(frozen=True)
class Answers:
    """Best-worst answers to T tuples of one size k.

    Attributes:
        tuples: Shape (T, k): the items shown.
        best: Shape (T,): the item chosen as best.
        worst: Shape (T,): the item chosen as worst.
    """

    tuples: Ints
    best: Ints
    worst: Ints

    def take(self, rows: Ints | NDArray[np.bool_]) -> Answers:
        """The answers to some of the tuples."""
        return Answers(self.tuples[rows], self.best[rows], self.worst[rows])

    def reversed(self) -> Answers:
        """The same answers with best and worst swapped."""
        return Answers(self.tuples, self.worst, self.best)


def pairs_of(answers: Sequence[Answers]) -> tuple[Ints, Ints]:
    """The pairs that answers decide: the best beats each other item, each other beats the worst.

    A tuple of k items gives 2k - 3 pairs (card, section 3.1).

    Returns:
        Winners and losers, each of shape (P,).
    """
    winners: list[Ints] = []
    losers: list[Ints] = []
    for part in answers:
        others = part.tuples != part.best[:, None]
        rows, columns = np.nonzero(others)
        winners.append(part.best[rows])
        losers.append(part.tuples[rows, columns])
        middle = others & (part.tuples != part.worst[:, None])
        rows, columns = np.nonzero(middle)
        winners.append(part.tuples[rows, columns])
        losers.append(part.worst[rows])
    empty = np.empty(0, dtype=np.intp)
    return np.concatenate([*winners, empty]), np.concatenate([*losers, empty])


@dataclass
class Ledger:
    """What annotation has cost so far, item by item.

    A screen costs its fixed time once; what a screen costs in judgements and selections is
    shared equally by the items on it.

    Attributes:
        reads: Shape (n,): times the item was read.
        judgements: Shape (n,): share of judgements (a tuple is one, each slider is one).
        selections: Shape (n,): share of clicks or slider moves (a tuple takes two).
        screens: Shape (n,): share of screens.
    """

    reads: Floats
    judgements: Floats
    selections: Floats
    screens: Floats

    @classmethod
    def empty(cls, n_items: int) -> Ledger:
        """A ledger for ``n_items`` on which nothing has been spent."""
        return cls(*(np.zeros(n_items) for _ in range(4)))

    def charge(self, shown: Ints, *, judgements: float, selections: float) -> None:
        """Enter screens.

        Args:
            shown: Shape (S, m): the items on each of S screens.
            judgements: Judgements a screen.
            selections: Selections a screen.
        """
        reads = np.bincount(shown.ravel(), minlength=self.reads.size)
        share = 1 / shown.shape[1]
        self.reads += reads
        self.judgements += reads * (judgements * share)
        self.selections += reads * (selections * share)
        self.screens += reads * share

    def seconds(self, per_screen: float, per_read: float) -> Floats:
        """Shape (n,): time spent on each item, t0 * screens + t1 * reads."""
        return per_screen * self.screens + per_read * self.reads
