"""Which K, L and type of the weights are fastest on the machine at hand, measured before anything is timed.

Pilot prompts, which are never timed afterwards, are decoded with every candidate in turn; after each round
the slower half falls out. Plain sampling, one draft and several go through the same procedure.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal

Kind = Literal["one", "several", "assisted"]
"""One draft, several, or one in assisted generation of ``transformers``."""

LENGTHS = (1, 2, 3, 4)
SIZES: Mapping[Kind, tuple[tuple[int, int], ...]] = {
    "one": tuple((1, length) for length in LENGTHS),
    "several": ((2, 1), (4, 1), (8, 1), (2, 2), (4, 2), (8, 2), (2, 4), (4, 4)),
    "assisted": tuple((1, length) for length in LENGTHS),
}
"""K and L that are tried: a few nodes, since where a call's time grows with them larger trees lose."""
EACH, EACH_TYPE = 2, 6
"""Prompts a round; more for the types of the weights, of which there are too few for several rounds."""
_LEAST = 1e-9
TYPES = ("float32", "bfloat16")
"""On a CPU; bfloat16 halves what is read, but only some processors multiply in it."""


@dataclass(frozen=True)
class Choice:
    """What was found fastest.

    Attributes:
        dtype: Type of the weights.
        sizes: K and L of each kind.
        seconds: Seconds a token of everything that was tried, by its name.
    """

    dtype: str
    sizes: Mapping[Kind, tuple[int, int]]
    seconds: Mapping[str, float]

    def rows(self) -> dict[str, list[Any]]:
        """Unit rows: a row for each candidate, with whether it was chosen."""
        chosen = {_type_name(self.dtype), *(_size_name(kind, size) for kind, size in self.sizes.items())}
        return {
            "unit_id": list(self.seconds),
            "seconds": list(self.seconds.values()),
            "chosen": [name in chosen for name in self.seconds],
        }


Run = Callable[[str, Kind | None, tuple[int, int], list[int]], int]
"""``run(dtype, kind, (K, L), prompt)`` decodes a prompt, plainly without a kind; it gives the tokens."""


def choose(
    run: Run,
    prompts: Sequence[list[int]],
    types: Sequence[str],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Choice:
    """Measure, and choose.

    Args:
        run: Decodes.
        prompts: Pilot prompts: the first warms up, the others are decoded in turn.
        types: Types of the weights to choose from; first by plain sampling, then all the rest is measured
            with the one that was chosen.
        clock: Seconds.
    """
    seconds: dict[str, float] = {}

    def fastest(names: Mapping[str, Callable[[list[int]], int]], each: int = EACH) -> str:
        found, best = knocked_out(names, prompts, clock, each=each)
        seconds.update(found)
        return best

    plain = {_type_name(dtype): _Bound(run, dtype, None, (1, 0)) for dtype in types}
    dtype = plain[fastest(plain, EACH_TYPE)].dtype
    sizes: dict[Kind, tuple[int, int]] = {}
    for kind, tried in SIZES.items():
        bound = {_size_name(kind, size): _Bound(run, dtype, kind, size) for size in tried}
        sizes[kind] = bound[fastest(bound)].size
    return Choice(dtype, sizes, seconds)


def knocked_out(
    candidates: Mapping[str, Callable[[list[int]], int]],
    prompts: Sequence[list[int]],
    clock: Callable[[], float],
    *,
    each: int = EACH,
) -> tuple[dict[str, float], str]:
    """Seconds a token of each, and the one that is left when the slower half fell out each round."""
    left = list(candidates)
    paces: dict[str, list[float]] = {name: [] for name in left}
    for decode in candidates.values():
        decode(prompts[0])
    timed = cycle(prompts[1:])
    while True:
        for prompt in islice(timed, each):
            for name in left:
                start = clock()
                count = candidates[name](prompt)
                paces[name].append(max(clock() - start, _LEAST) / count)
        # Of the logarithms, so that one interruption by other work does not decide.
        pace = {name: math.exp(sum(map(math.log, found)) / len(found)) for name, found in paces.items()}
        left = sorted(left, key=pace.__getitem__)[: (len(left) + 1) // 2]
        if len(left) == 1:
            return pace, left[0]


@dataclass(frozen=True)
class _Bound:
    """One candidate."""

    run: Run
    dtype: str
    kind: Kind | None
    size: tuple[int, int]

    def __call__(self, prompt: list[int]) -> int:
        return self.run(self.dtype, self.kind, self.size, prompt)


def _type_name(dtype: str) -> str:
    return f"plain sampling, {dtype}"


def _size_name(kind: Kind, size: tuple[int, int]) -> str:
    return f"{kind}, K = {size[0]}, L = {size[1]}"
