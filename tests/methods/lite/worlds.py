"""A tiny encoder and a tiny retrieval set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from methods.common.minilm import Encoder
from methods.lite.passages import Passage, Query, RetrievalSet
from tests.methods.common.models import bert

WORDS = ("red", "green", "blue", "hat", "cat", "dog", "house", "tree", "runs", "sleeps", "old", "new")


def tiny_encoder(folder: Path) -> Encoder:
    """An untrained BERT of one layer with special tokens."""
    return bert(folder, WORDS)


def tiny_set(domains: tuple[str, ...] = ("a", "b")) -> RetrievalSet:
    """Forty passages; a query is the first words of its passage. One passage is empty."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=int(rng.integers(4, 12)))) for _ in range(40)]
    texts[-1] = ""
    passages = tuple(Passage(f"p{i}", text, domains[i % len(domains)]) for i, text in enumerate(texts))
    splits = ("train", "train", "validation", "test", "zero-shot")
    queries = []
    for i in range(39):
        places = sorted({i, *rng.choice(40, size=4 + i % 3, replace=False).tolist()})
        grades = tuple(float(place == i) for place in places)
        bm25 = tuple(float(v) for v in rng.random(len(places)))
        words = " ".join(texts[i].split()[:4])
        domain = domains[i % len(domains)]
        candidates = tuple(f"p{place}" for place in places)
        queries.append(Query(f"q{i}", words, splits[i % 5], domain, candidates, grades, bm25))
    return RetrievalSet(tuple(queries), passages)


def tiny_teacher(data: RetrievalSet) -> dict[str, tuple[float, ...]]:
    """A teacher that knows the labels, with some noise."""
    rng = np.random.default_rng(1)
    return {
        query.id: tuple(float(4 * grade + rng.normal()) for grade in query.grades) for query in data.queries
    }
