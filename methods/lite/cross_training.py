"""Training a cross-encoder on candidate lists, and scoring lists with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints, ProblemError
from methods.common.checkpoints import skipped
from methods.common.fixed_batches import fixed_batches, fixed_width
from methods.common.loop import Loop
from methods.lite.cross_encoder import CrossEncoder
from methods.lite.prepare import Texts, token_ids
from methods.lite.tokens import slices

if TYPE_CHECKING:
    from methods.common.minilm import Encoder
    from methods.lite.passages import Query, RetrievalSet

AT_ONCE = 160
"""Pairs that are scored at once, and texts that are read at once, at most."""


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
        self.widths = [fixed_width(n, self.ids.shape[1]) for n in self.mask.sum(1).int().tolist()]
        states, pooled = [], []
        count, width = self.ids.shape
        with torch.inference_mode():
            for part in fixed_batches([width] * count, AT_ONCE, device=self.device.type, room=width):
                rows, kept = torch.tensor(part.of(range(count)), device=self.device), len(part.chosen)
                found = model.read(self.ids[rows], self.mask[rows])
                pooled.append(normalize(model.alone(found, self.mask[rows]), dim=1)[:kept])
                states += [found[:kept].half()] if len(model.lower) else []
        # Tensors of inference mode cannot be used in training; clones made outside it can.
        self.pooled = torch.cat(pooled).clone()
        self.states = torch.cat(states).clone() if states else None

    def take(self, rows: Tensor, width: int = 0) -> tuple[Tensor, Tensor]:
        """States and mask of some texts, cut to the longest of them, or to a width."""
        mask = self.mask[rows]
        longest = width or max(1, int(mask.sum(1).max()))
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
        return self._scores(self._rows(queries, places))

    def _rows(self, queries: Sequence[Query], places: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
        return [
            (self.query_rows[query.id], self.passage_rows[query.candidates[place]])
            for query, chosen in zip(queries, places, strict=True)
            for place in chosen
        ]

    def _scores(self, pairs: Sequence[tuple[int, int]], widths: tuple[int, int] = (0, 0)) -> Tensor:
        """Scores of pairs of rows, shape (B,)."""
        asked, found = torch.tensor(list(pairs), device=self.model.scale.device).T
        prior = (self.queries.pooled[asked] * self.passages.pooled[found]).sum(1)
        taken = (*self.queries.take(asked, widths[0]), *self.passages.take(found, widths[1]))
        scores: Tensor = self.model(*taken, prior)
        return scores

    def fit(
        self,
        queries: Sequence[Query],
        course: PairCourse,
        rng: np.random.Generator,
        progress: Callable[[float, str], None] = lambda _done, _message: None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Train with the cross-entropy of the relevant candidate among its negatives.

        Raises:
            DivergedError: If the loss is not finite.
            ProblemError: If no query has a relevant candidate and enough others.
        """
        for parameter in (*self.model.lower.parameters(), *self.model.embeddings.parameters()):
            parameter.requires_grad_(not len(self.model.lower))
        learnt = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        batches = list(_batches(queries, course, rng))

        def factor(step: int) -> float:
            share = (step + 1) / len(batches)
            return min(1.0, 10 * share, (1.0 - share) / 0.9 + 1e-3)

        def loss(batch: tuple[list[Query], list[list[int]]]) -> Tensor:
            scores = self.pairs(*batch).view(len(batch[0]), -1)
            return cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long, device=scores.device))

        Loop(
            torch.optim.AdamW(learnt, lr=course.rate, weight_decay=0.01),
            partial(skipped, iter(batches)),
            loss,
            len(batches),
            schedule=partial(LambdaLR, lr_lambda=factor),
            clip=1.0,
            progress=progress,
            checkpoints=checkpoints,
            name="cross-encoder",
        ).run()

    def score(
        self, queries: Sequence[Query], progress: Callable[[float], None] = lambda done: None
    ) -> dict[str, tuple[float, ...]]:
        """Scores of all candidates, by query id, in the order of the candidates."""
        pairs = self._rows(queries, [range(len(query.candidates)) for query in queries])
        kinds = [(self.queries.widths[asked], self.passages.widths[found]) for asked, found in pairs]
        device, done = self.model.scale.device.type, 0
        scores = [0.0] * len(pairs)
        with torch.inference_mode():
            for part in fixed_batches([*map(sum, kinds)], AT_ONCE, device=device, kinds=kinds):
                values = self._scores(part.of(pairs), kinds[part.chosen[0]]).tolist()
                for index, value in zip(part.chosen, values, strict=False):
                    scores[index] = value
                done += len(part.chosen)
                progress(done / len(pairs))
        given = iter(scores)
        return {query.id: tuple(next(given) for _ in query.candidates) for query in queries}


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
