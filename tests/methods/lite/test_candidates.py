"""BM25 against its formula."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from methods.lite.candidates import Bm25, best

WORDS = ["apple", "river", "stone", "cloud", "tiger", "piano", "garden", "window", "rocket", "harbour"]


def lucene(texts: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    """BM25 as Lucene computes it, term by term."""
    mean = sum(map(len, texts)) / len(texts)
    scores = []
    for text in texts:
        counts, total = Counter(text), 0.0
        for word in query:
            holding = sum(word in other for other in texts)
            idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            norm = counts[word] + k1 * (1 - b + b * len(text) / mean)
            total += idf * counts[word] / norm
        scores.append(total)
    return scores


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_the_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [rng.choice(WORDS, rng.integers(3, 12)).tolist() for _ in range(15)]
    queries = [rng.choice(WORDS, 3, replace=False).tolist() for _ in range(4)]
    index = Bm25([" ".join(text) for text in texts], k1=1.2, b=0.75)
    for query, found in zip(queries, index.scores([" ".join(query) for query in queries]), strict=True):
        assert found == pytest.approx(lucene(texts, query, 1.2, 0.75), abs=1e-5)


def test_empty_texts_and_unknown_words_score_nothing() -> None:
    index = Bm25(["", "apple river", ""])
    unknown, known, empty = index.scores(["zebra crossing", "apple", ""])
    assert not unknown.any()
    assert not empty.any()
    assert known.argmax() == 1
    assert known[0] == known[2] == 0
    (nothing,) = Bm25(["", ""]).scores(["apple"])
    assert nothing.tolist() == [0, 0]


def test_equal_scores_keep_their_order() -> None:
    scores = np.array([1.0, 3.0, 3.0, 0.0, 3.0])
    assert best(scores, 3) == [1, 2, 4]
    assert best(scores, 3, but=(2,)) == [1, 4, 0]
    assert best(scores, 9) == [1, 2, 4, 0, 3]
