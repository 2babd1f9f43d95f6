"""The agent's tool: BM25 over a world's documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.rest_react.world import Question, World

_STOPPED = frozenset({"the", "of", "is", "a", "an", "what", "who", "which", "was"})


def words(text: str) -> list[str]:
    """Lower-case words without stop words."""
    return [word for word in re.findall(r"\w+", text.lower()) if word not in _STOPPED]


class SearchTool:
    """Finds documents by BM25 (k₁ = 1.2, b = .75, Lucene's idf).

    Args:
        documents: Texts.
        results: Documents of a result list.
        mixed: Results stand in an order that the query draws, and are filled up with documents drawn at
            random. Where one document has each fact, the first result would nearly always be the right
            one, and nothing would have to be learnt about choosing (card §9 does the same).
        cut: Splits a text into words.

    Raises:
        ProblemError: If there are no documents.
    """

    def __init__(
        self,
        documents: Sequence[str],
        *,
        results: int = 3,
        mixed: bool = False,
        cut: Callable[[str], list[str]] = words,
    ) -> None:
        import bm25s  # Loads scipy, which declarations of a tool do not need.

        if not documents:
            raise ProblemError("There is nothing to search", where="documents", fix="Give at least one.")
        self.documents = tuple(documents)
        self.results = min(results, len(documents))
        self.mixed = mixed
        self._cut = cut
        self._found: dict[str, list[int]] = {}
        self._index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        self._index.index([cut(text) for text in documents], show_progress=False)

    def search(self, query: str) -> list[int]:
        """Places of the best documents, of equals the earlier; none for a query without a known word."""
        if query not in self._found:
            scores = self.scores(query)
            order = np.argsort(-scores, kind="stable")[: self.results]
            best = [int(place) for place in order if scores[place] > 0]
            self._found[query] = self._mix(query, best) if self.mixed and best else best
        return list(self._found[query])

    def _mix(self, query: str, best: Sequence[int]) -> list[int]:
        digest = hashlib.blake2b(f"{self.documents[0]}\0{query}".encode(), digest_size=8).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "big"))
        others = (int(place) for place in rng.permutation(len(self.documents)) if place not in best)
        shown = [*best, *islice(others, self.results - len(best))]
        return [shown[place] for place in rng.permutation(len(shown))]

    def scores(self, query: str) -> NDArray[np.float64]:
        """BM25 of all documents, with the usual factor k₁ + 1."""
        asked = self._cut(query)
        if not asked:
            return np.zeros(len(self.documents))
        return 2.2 * np.asarray(self._index.get_scores(asked), dtype=np.float64)


def needs_more_than_one_search(question: Question, world: World, tool: SearchTool) -> bool:
    """Whether the question's own words do not find the document with its answer.

    No document on the last hop is found, whichever answer it gives: this looks at no answer.
    """
    found = [world.facts[place] for place in tool.search(question.text)]
    table, place = world.table, question.subject
    for relation in question.relations[:-1]:
        place = table[place, relation]
    return not any(fact.subject == place and fact.relation == question.relations[-1] for fact in found)
