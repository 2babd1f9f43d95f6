"""First-stage candidates by BM25.

``bm25s`` does the scoring: it is maintained, needs only NumPy and SciPy, keeps its index as a
sparse matrix (``rank-bm25`` scores each document in Python), and offers the variants of the
literature by name. Here it is Lucene's, with the usual k1 and b.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Bm25:
    """An index of passages.

    Args:
        texts: n passages; empty ones score 0.
        k1: Saturation of term frequency.
        b: Strength of the normalisation by length.
    """

    def __init__(self, texts: Sequence[str], *, k1: float = 1.2, b: float = 0.75) -> None:
        import bm25s

        self.size = len(texts)
        self._index = bm25s.BM25(k1=k1, b=b, method="lucene")
        tokens = _tokens(texts)
        self._empty = not any(tokens)
        if not self._empty:
            self._index.index(tokens, show_progress=False)

    def scores(self, queries: Sequence[str]) -> Iterator[Floats]:
        """BM25's score of each passage for each query, shape (n,); 0 if they share no word."""
        for tokens in _tokens(queries):
            if self._empty or not tokens:
                yield np.zeros(self.size)
            else:
                yield np.asarray(self._index.get_scores(tokens), dtype=np.float64)


def _tokens(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    found: list[list[str]] = bm25s.tokenize(
        list(texts), stopwords="en", show_progress=False, return_ids=False
    )
    return found


def best(scores: Floats, count: int, *, but: Collection[int] = ()) -> list[int]:
    """Places of the ``count`` highest scores, equal ones in order of place.

    Args:
        scores: Shape (n,).
        count: How many.
        but: Places that are left out.
    """
    order = np.argsort(-scores, kind="stable")
    return [int(place) for place in order if place not in but][:count]
