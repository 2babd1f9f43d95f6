"""How many examples a trial reads in one pass, where a GPU's memory has not sufficed for all at once.

A trial that runs out of it is executed once more with its passes halved, and with the same effective batch
of each update. The code that makes passes asks here how many examples it may take together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Passes:
    """The passes of the job that this process executes.

    Attributes:
        parts: Each is divided into so many.
        divisible: Whether the job has asked for passes that can be divided further.
    """

    parts: int = 1
    divisible: bool = False


_passes = Passes()


def affordable(examples: int) -> int:
    """How many of ``examples`` one pass may read; all of them, unless memory did not suffice for that.

    Sums over the examples must be the caller's: the mean over a batch is not the mean of its parts' means
    where they differ in size.
    """
    found = max(1, -(-examples // _passes.parts))
    _passes.divisible |= found > 1
    return found


@contextmanager
def divided(parts: int) -> Iterator[Passes]:
    """Divide every pass of a job; for the engine."""
    _passes.parts, _passes.divisible = parts, False
    try:
        yield _passes
    finally:
        _passes.parts = 1
