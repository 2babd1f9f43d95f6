"""Training a cross-encoder on candidate lists, and scoring lists with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from harness.method import Checkpoints, DivergedError, ProblemError
from methods.common.checkpoints import Keeper, tensors_of
from methods.common.master_weights import clip, in_float32
from methods.lite.cross_encoder import CrossEncoder
from methods.lite.prepare import Texts, token_ids
from methods.lite.tokens import slices

if TYPE_CHECKING:
    from methods.common.minilm import Encoder
    from methods.lite.passages import Query, RetrievalSet

AT_ONCE = 160
"""Pairs that are scored at once, and texts that are read at once."""


@dataclass(frozen=True)
class PairCourse:
    """How a cross-encoder is trained.

    Attributes:
        queries: Training queries, drawn anew by the generator; 0 takes all.
        negatives: Negatives of a query in an update.
        batch: Queries an update.
        rate: Largest rate of AdamW; it rises over the first tenth of the updates, then falls
            linearly.
        passes: Passes over the queries.
    """

    queries: int = 0
    negatives: int = 3
    batch: int = 16
    rate: float = 1e-4
    passes: int = 1


class Shelf:
    """Texts as a cross-encoder sees them below the join.

    With lower layers, which are not trained, their output is computed once and kept in half
    precision; without, embeddings are looked up each time and can be trained. ``pooled`` holds what
    the encoder made of each text alone, shape (n, d), of length one.

    Args:
        model: The cross-encoder.
        texts: Token ids, shape (n, L).
    """

    def __init__(self, model: CrossEncoder, texts: Texts) -> None:
        self.model = model
        self.device = model.scale.device
        self.ids, self.mask = texts.data.to(self.device), texts.mask.to(self.device)
        states, pooled = [], []
        with torch.inference_mode():
            for part in slices(len(self.ids), AT_ONCE):
                found = model.read(self.ids[part], self.mask[part])
                pooled.append(normalize(model.alone(found, self.mask[part]), dim=1))
                states += [found.half()] if len(model.lower) else []
        # Clones made outside inference mode may take part in training.
        self.pooled = torch.cat(pooled).clone()
        self.states = torch.cat(states).clone() if states else None

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """States and mask of some texts, cut to the longest of them."""
        mask = self.mask[rows]
        longest = max(1, int(mask.sum(1).max()))
        mask = mask[:, :longest]
        if self.states is None:
            return self.model.read(self.ids[rows, :longest], mask), mask
        return self.states[rows, :longest].float(), mask


class PairScorer:
    """A cross-encoder on the texts of a retrieval set.

    Args:
        encoder: Its model is trained in place: give a private copy.
        data: The retrieval set.
        joined: Upper layers that read both texts together.
        lengths: Tokens after which queries and passages are cut.
        device: Where it runs.
    """

    def __init__(
        self, encoder: Encoder, data: RetrievalSet, *, joined: int, lengths: tuple[int, int], device: str
    ) -> None:
        self.model = CrossEncoder(encoder.model, joined).to(device).eval()
        used = {name for query in data.queries for name in query.candidates}
        passages = [passage for passage in data.passages if passage.id in used]
        questions = token_ids(encoder, [query.text for query in data.queries], lengths[0])
        self.queries = Shelf(self.model, questions)
        self.passages = Shelf(self.model, token_ids(encoder, [p.text for p in passages], lengths[1]))
        self.query_rows = {query.id: row for row, query in enumerate(data.queries)}
        self.passage_rows = {passage.id: row for row, passage in enumerate(passages)}

    def pairs(self, queries: Sequence[Query], places: Sequence[Sequence[int]]) -> Tensor:
        """Scores of some candidates of each query, all in one row; queries in sequence."""
        device = self.model.scale.device
        asked = torch.tensor(
            [self.query_rows[q.id] for q, chosen in zip(queries, places, strict=True) for _ in chosen]
        )
        found = torch.tensor(
            [
                self.passage_rows[query.candidates[place]]
                for query, chosen in zip(queries, places, strict=True)
                for place in chosen
            ]
        )
        asked, found = asked.to(device), found.to(device)
        prior = (self.queries.pooled[asked] * self.passages.pooled[found]).sum(1)
        scores: Tensor = self.model(*self.queries.take(asked), *self.passages.take(found), prior)
        return scores

    def fit(
        self,
        queries: Sequence[Query],
        course: PairCourse,
        rng: np.random.Generator,
        progress: Callable[[float], None] = lambda done: None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Train with the cross-entropy of the relevant candidate among its negatives.

        Raises:
            DivergedError: If the loss is no finite number.
            ProblemError: If no query has a relevant candidate and enough others.
        """
        for parameter in (*self.model.lower.parameters(), *self.model.embeddings.parameters()):
            parameter.requires_grad_(not len(self.model.lower))
        learnt = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        optimizer = in_float32(torch.optim.AdamW(learnt, lr=course.rate, weight_decay=0.01))
        batches = list(_batches(queries, course, rng))
        parts = {"weights": tensors_of(self.model), "optimizer": optimizer}
        keeper = Keeper(checkpoints, "cross-encoder", parts, [len(batches), course.rate])
        for step, (chosen, places) in enumerate(batches[keeper.done :], start=keeper.done):
            share = (step + 1) / len(batches)
            optimizer.param_groups[0]["lr"] = course.rate * min(1.0, 10 * share, (1.0 - share) / 0.9 + 1e-3)
            scores = self.pairs(chosen, places).view(len(chosen), -1)
            first = torch.zeros(len(chosen), dtype=torch.long, device=scores.device)
            loss = cross_entropy(scores, first)
            if not bool(torch.isfinite(loss)):
                raise DivergedError(f"The cross-encoder's loss is not finite in update {step + 1}")
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            clip(optimizer, learnt, 1.0)
            optimizer.step()
            progress(share)
            keeper.keep(step + 1)
        keeper.finish(len(batches), without=["optimizer"])

    def score(
        self, queries: Sequence[Query], progress: Callable[[float], None] = lambda done: None
    ) -> dict[str, tuple[float, ...]]:
        """Scores of all candidates, by query id, in the order of the candidates."""
        order = sorted(queries, key=lambda query: len(query.text))
        found: dict[str, tuple[float, ...]] = {}
        with torch.inference_mode():
            for chunk in _chunks(order):
                scores = self.pairs(chunk, [range(len(query.candidates)) for query in chunk]).tolist()
                for query in chunk:
                    number = len(query.candidates)
                    found[query.id], scores = tuple(scores[:number]), scores[number:]
                progress(len(found) / len(order))
        return found


def _chunks(queries: Sequence[Query]) -> Iterator[list[Query]]:
    """Queries with at most :data:`AT_ONCE` candidates together, at least one query each."""
    chunk: list[Query] = []
    for query in queries:
        if chunk and sum(len(other.candidates) for other in (*chunk, query)) > AT_ONCE:
            yield chunk
            chunk = []
        chunk.append(query)
    if chunk:
        yield chunk


def _batches(
    queries: Sequence[Query], course: PairCourse, rng: np.random.Generator
) -> Iterator[tuple[list[Query], list[list[int]]]]:
    """Queries in a drawn order, each with a relevant candidate and drawn negatives."""
    usable = [q for q in queries if q.relevant and len(q.grades) - len(q.relevant) >= course.negatives]
    if not usable:
        raise ProblemError(
            f"No training query has a relevant candidate and {course.negatives} others",
            where="cross-encoder",
            fix="Ask for fewer negatives, or give more candidates a query.",
        )
    drawn = rng.permutation(len(usable))[: course.queries or None]
    for _ in range(course.passes):
        order = rng.permutation(drawn)
        for part in slices(len(order), course.batch):
            chosen = [usable[i] for i in order[part]]
            yield chosen, [_places(query, course.negatives, rng) for query in chosen]


def _places(query: Query, negatives: int, rng: np.random.Generator) -> list[int]:
    others = [place for place, grade in enumerate(query.grades) if grade <= 0]
    return [int(rng.choice(query.relevant)), *map(int, rng.permutation(others)[:negatives])]
