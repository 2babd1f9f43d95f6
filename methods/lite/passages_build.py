"""The retrieval set from docstrings: duplicates removed, split, with candidates.

Splits hold whole modules (in domain) or whole libraries (zero-shot). Each split has a corpus of its
own (a zero-shot library too), from which its candidates come: no text of a test is ever seen in
training, neither as an answer nor as a negative.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from methods.common.ranking import mrr, rank_queries
from methods.lite.candidates import Bm25, Floats, best
from methods.lite.passages import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    ZERO_SHOT,
    Library,
    Passage,
    Query,
    RetrievalSet,
)
from methods.lite.passages_sources import read_library
from methods.lite.passages_text import Pair, content_words, make_pair, words

SHINGLE = 5
"""Words of a shingle."""
NEAR = 0.5
"""Share of a passage's shingles that an earlier passage may hold."""
_CAP = 200
"""Passages listed for a shingle: phrases in more of them are formulas, not copies."""
_SHARES = ((0.1, VALIDATION), (0.3, TEST))
"""Cumulative share of modules in validation and test; the others train."""


def build_retrieval(
    in_domain: Sequence[Library],
    held_out: Sequence[Library],
    *,
    sizes: Mapping[str, tuple[int, int]],
    most: Mapping[str, int],
    progress: Callable[[float], None] = lambda done: None,
    roots: dict[str, Path] | None = None,
) -> RetrievalSet:
    """The retrieval set of some libraries.

    Args:
        in_domain: Libraries for training, validation and test.
        held_out: Libraries for zero-shot folds.
        sizes: Most queries, and candidates of each, by split; for zero-shot, of each library.
        most: Most passages of each library, by import name.
        progress: Told the share done.
        roots: Folders of libraries by import name, if not where they are installed.
    """
    libraries = (*in_domain, *held_out)
    counts: dict[str, dict[str, int]] = {library.package: {} for library in libraries}
    pairs: list[Pair] = []
    for done, library in enumerate(libraries):
        sources = read_library(library, (roots or {}).get(library.package))
        made = [pair for source in sources if (pair := make_pair(source))]
        counts[library.package] |= {"docstrings": len(sources), "pairs": len(made)}
        pairs += made
        progress(0.7 * (done + 1) / len(libraries))
    pairs = limited(without_duplicates(pairs), most)
    outside = {library.package for library in held_out}
    data = assemble(pairs, {pair: split_of(pair, outside) for pair in pairs}, sizes)
    for package, number in Counter(pair.source.library for pair in pairs).items():
        counts[package]["passages"] = number
    licences = {library.package: library.licence for library in libraries}
    return RetrievalSet(data.queries, data.passages, _card(data, counts, licences))


def identity(pair: Pair) -> str:
    """The id of a pair: a hash of where it comes from."""
    return _hash(f"{pair.source.library}/{pair.source.module}:{pair.source.name}")


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def split_of(pair: Pair, held_out: Iterable[str]) -> str:
    """The split of a pair, by library or else by the hash of its module."""
    if pair.source.library in held_out:
        return ZERO_SHOT
    share = int(_hash(f"{pair.source.library}/{pair.source.module}"), 16) / 2**64
    return next((name for limit, name in _SHARES if share < limit), TRAIN)


def without_duplicates(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, in the order of their ids, without copies and near copies of earlier ones.

    A passage is a near copy if an earlier one holds :data:`NEAR` of its shingles, or it of the
    earlier one's; a query is one if it has the same content words as an earlier query.
    """
    queries: set[frozenset[str]] = set()
    postings: dict[tuple[str, ...], list[int]] = {}
    sizes: list[int] = []
    kept: list[Pair] = []
    for pair in sorted(pairs, key=identity):
        query, shingles = content_words(pair.query), _shingles(pair.passage)
        shared = Counter(number for shingle in shingles for number in postings.get(shingle, ()))
        near = any(count >= NEAR * min(len(shingles), sizes[number]) for number, count in shared.items())
        if near or query in queries:
            continue
        queries.add(query)
        for shingle in sorted(shingles):
            listed = postings.setdefault(shingle, [])
            if len(listed) < _CAP:
                listed.append(len(kept))
        sizes.append(len(shingles))
        kept.append(pair)
    return kept


def _shingles(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[start : start + SHINGLE]) for start in range(max(1, len(found) - SHINGLE + 1))}


def limited(pairs: Sequence[Pair], most: Mapping[str, int]) -> list[Pair]:
    """The first so many pairs of each library."""
    taken: Counter[str] = Counter()
    kept = []
    for pair in pairs:
        taken[pair.source.library] += 1
        if taken[pair.source.library] <= most[pair.source.library]:
            kept.append(pair)
    return kept


def assemble(
    pairs: Sequence[Pair], splits: Mapping[Pair, str], sizes: Mapping[str, tuple[int, int]]
) -> RetrievalSet:
    """Queries with the passage sought and BM25's best others, corpus by corpus."""
    corpora: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        domain = pair.source.library if splits[pair] == ZERO_SHOT else ""
        corpora.setdefault((splits[pair], domain), []).append(pair)
    queries: list[Query] = []
    for (split, _), corpus in sorted(corpora.items()):
        index = Bm25([pair.passage for pair in corpus])
        most, candidates = sizes[split]
        for place, scores in enumerate(index.scores([pair.query for pair in corpus[:most]])):
            queries.append(_query(place, corpus, scores, split, candidates))
    passages = [Passage(identity(pair), pair.passage, pair.source.library) for pair in pairs]
    return RetrievalSet(tuple(queries), tuple(sorted(passages, key=lambda passage: passage.id)))


def _query(place: int, corpus: Sequence[Pair], scores: Floats, split: str, candidates: int) -> Query:
    pair = corpus[place]
    others = best(scores, candidates - 1, but=(place,))
    # In the order of ids, which are hashes: a candidate's place tells nothing.
    chosen = sorted([place, *others], key=lambda other: identity(corpus[other]))
    return Query(
        id=identity(pair),
        text=pair.query,
        split=split,
        domain=pair.source.library,
        candidates=tuple(identity(corpus[other]) for other in chosen),
        grades=tuple(float(other == place) for other in chosen),
        bm25=tuple(round(float(scores[other]), 6) for other in chosen),
    )


def _baselines(queries: Sequence[Query]) -> dict[str, float]:
    """MRR@10 of BM25 and of a random order, for context."""
    ids, grades = [query.id for query in queries], [query.grades for query in queries]
    ranked = rank_queries(ids, [query.bm25 for query in queries], grades)
    tied = rank_queries(ids, [[0.0] * len(query.grades) for query in queries], grades)
    return {"bm25 MRR@10": round(mrr()(ranked), 4), "random MRR@10": round(mrr()(tied), 4)}


def _card(data: RetrievalSet, counts: dict[str, Any], licences: dict[str, str]) -> dict[str, Any]:
    splits = {
        name: {"queries": len(queries), **_baselines(queries)}
        for name in SPLITS
        if (queries := data.split(name))
    }
    content = "\n".join(
        [repr((passage.id, passage.text)) for passage in data.passages]
        + [repr((query.id, query.text, query.split, query.candidates)) for query in data.queries]
    )
    return {
        "splits": splits,
        "libraries": {name: counts[name] | {"licence": licences[name]} for name in sorted(licences)},
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
    }
