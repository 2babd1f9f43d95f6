"""Units of trials, sorted once for all trials that answer the same.

The methods of a seed answer the same units, often those of every seed. What is derived of a column of ids
(its order, the digest of the set) is kept once for each different column, and the ids themselves in a
compact form.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]
_NUL = "\0"


class UnitSet:
    """The units that some rows are about.

    Args:
        ids: The id of each row, shape (rows,).
        lasting: Whether the set is kept for long, and so in a compact form.

    Attributes:
        size: The number of different units, n.
        starts: Where each unit's rows begin when they are sorted, and where the last ends, shape (n + 1,).
        order: The rows sorted by unit, those of one unit as they were, shape (rows,); ``None`` if they are.
    """

    def __init__(self, ids: NDArray[np.str_], *, lasting: bool = False) -> None:
        order = np.argsort(ids, kind="stable")
        self.order: Positions | None = None if np.array_equal(order, every(len(ids))[:-1]) else order
        ids = ids[order]
        is_first = np.concatenate([np.ones(min(1, len(ids)), dtype=bool), ids[1:] != ids[:-1]])
        units = ids if is_first.all() else ids[is_first]
        self.size = len(units)
        single = self.size == len(ids)
        self.starts = every(self.size) if single else np.append(np.flatnonzero(is_first), len(ids))
        # NumPy's text takes four bytes a character.
        self._ids: bytes | NDArray[np.str_] = _NUL.join(units.tolist()).encode() if lasting else units

    @property
    def units(self) -> NDArray[np.str_]:
        """Unit ids, sorted and unique, shape (n,)."""
        if isinstance(self._ids, bytes):
            return np.asarray(self._ids.decode().split(_NUL), dtype=np.str_)
        return self._ids

    @cached_property
    def digest(self) -> str:
        """A digest of the unit ids: equal if two have the same units."""
        text = self._ids if isinstance(self._ids, bytes) else _NUL.join(self._ids.tolist()).encode()
        return hashlib.blake2b(text, digest_size=8).hexdigest()


@lru_cache(maxsize=256)
def every(size: int) -> Positions:
    """The positions 0 to ``size``, which many sets of rows share."""
    found = np.arange(size + 1)
    found.flags.writeable = False
    return found
