"""Batches of fixed shapes, so that what a row gives depends on the row alone, bit for bit.

Kernels choose how they block and split their sums by the shape of a batch: the same row gives other
last digits among two rows than among eight, and padded to 24 tokens others than padded to 32. What
is measured would then depend on what else was asked, or on what a cache knew already.

Here a row's own length decides the shape that it is read in: its width is rounded up, all batches of
a width have the same number of rows, and places without a row hold copies of the batch's first one,
whose results nobody reads. What stands in the other rows, and where a row stands, then changes
nothing. ``tests/methods/common/test_fixed_batches.py`` demands equal bits of the models used here, and
``nox -s tests-portable`` does so for several instruction sets and numbers of threads. GPU kernels
promise no such thing, so that :data:`INDEPENDENT` names the devices that were tested.

Where a batch is part of what is declared, and nothing is kept between, no row can be missing, and plain
batches will do: training, the test sets of trained encoders and networks, lm-eval's own batches, the
candidates of one query, and speculative decoding, whose requests share a stream of random numbers.

``benchmarks/fixed_batches.py`` measures the cost.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.method import affordable

Item = TypeVar("Item")

INDEPENDENT = frozenset({"cpu"})
"""Types of devices on which rows of a fixed shape are known not to depend on each other."""
TOKENS = 512
"""Tokens of a batch on the CPU: its caches hold them, and a batch of few rows wastes little."""
FEWEST = 8
"""Rows of a batch on the CPU, at least: text is generated one token at a time, and each reads all weights."""
_STEP = 16
"""Widths are multiples of this, and of more beyond four times as many tokens."""


@dataclass(frozen=True)
class FixedBatch:
    """Rows that are read together.

    Attributes:
        chosen: Indices of the rows whose results count.
        size: Rows of the batch, B.
        width: Tokens of a row, T; each row is shorter, unless the model has no room for more.
    """

    chosen: tuple[int, ...]
    size: int
    width: int

    def of(self, items: Sequence[Item]) -> list[Item]:
        """The batch's rows, B of them: those chosen, and copies of the first."""
        return [items[i] for i in (*self.chosen, *self.chosen[:1] * (self.size - len(self.chosen)))]


def fixed_batches(
    lengths: Sequence[int],
    most: int,
    *,
    device: str = "cpu",
    room: int | None = None,
    kinds: Sequence[Hashable] | None = None,
) -> Iterator[FixedBatch]:
    """Batches of all rows, the widest first, so that memory runs out at once.

    Args:
        lengths: Tokens of each row.
        most: Rows of a batch, at most.
        device: Type of the device: others than the CPU always read ``most`` rows.
        room: Tokens that the model can read.
        kinds: What rows of one batch must have in common besides their width, row by row; it may
            depend on the row alone, too.
    """
    groups: dict[tuple[int, bool, Hashable], list[int]] = {}
    for row, length in enumerate(lengths):
        width = fixed_width(length, room)
        # Models drop masks that hide nothing and then use another kernel, so full rows get their own batches.
        groups.setdefault((width, width == length, None if kinds is None else kinds[row]), []).append(row)
    for (width, *_), rows in sorted(groups.items(), key=lambda one: -one[0][0]):
        size = fixed_rows(width, most, device)
        for start in range(0, len(rows), size):
            yield FixedBatch(tuple(rows[start : start + size]), size, width)


def fixed_width(length: int, room: int | None = None) -> int:
    """The width that a row of ``length`` tokens is read in: more than that, but at most ``room``.

    Up to 64 tokens it is a multiple of 16; beyond, of half the last power of two. Fewer widths mean
    fuller batches, which matters more than padding where text is generated.
    """
    step = max(_STEP, (1 << length.bit_length()) // 4)
    width = (length // step + 1) * step
    return width if room is None else max(length, min(width, room))


def fixed_rows(width: int, most: int, device: str = "cpu") -> int:
    """Rows of every batch of a width."""
    return min(most, max(FEWEST, TOKENS // width)) if device == "cpu" else affordable(most)
