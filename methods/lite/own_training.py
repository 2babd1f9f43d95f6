"""Training a scorer on rows of one's own, over the vectors of an encoder that stays as it is.

Batches, losses and the course of the training are the suite's (:mod:`methods.lite.training`); vectors are
read in half precision from the disk, as they are when an index is ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from harness.method import AskedModel, Checkpoints, ProblemError
from methods.common.draws import generator
from methods.common.ranking import rank_query
from methods.lite.late import LateInteraction
from methods.lite.own_files import Example
from methods.lite.own_index import Index
from methods.lite.prepare import Texts, TokenSet
from methods.lite.ranker import Lists, Ranker, Tower
from methods.lite.tokens import unit_tokens
from methods.lite.training import Course, TrainingLists, fit


@dataclass(frozen=True)
class Collected:
    """Rows of training data as texts and candidate lists: rows with one query are one list.

    Attributes:
        queries: Texts, no two alike.
        documents: Texts, no two alike.
        lists: What fits the suite's training; queries and candidates are rows of both.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    lists: TrainingLists

    def part(self, rows: Sequence[int]) -> TrainingLists:
        """The lists of some queries."""
        chosen, whole = torch.tensor(list(rows), dtype=torch.long), self.lists.lists
        lists = Lists(
            tuple(whole.names[row] for row in rows),
            whole.queries[chosen],
            whole.candidates[chosen],
            whole.real[chosen],
        )
        return TrainingLists(lists, self.lists.relevant[chosen], self.lists.teacher[chosen])


def collect(examples: Sequence[Example], path: Path) -> Collected:
    """Put rows together by query.

    Raises:
        ProblemError: If a document is both positive and negative for a query, or has two scores.
    """
    documents: dict[str, int] = {}
    found: dict[str, dict[int, tuple[bool, float, int]]] = {}
    for example in examples:
        known = found.setdefault(example.query, {})
        scores = example.scores or (float("nan"),) * len(example.documents)
        for place, (text, score) in enumerate(zip(example.documents, scores, strict=True)):
            row = documents.setdefault(text, len(documents))
            before = known.setdefault(row, (place == 0, score, example.line))
            if before[0] != (place == 0) or (example.scores and before[1] != score):
                told = "positive and negative" if before[0] != (place == 0) else "given two teacher scores"
                raise ProblemError(
                    f"A document of the query '{example.query[:60]}' is {told}",
                    where=f"{path}, lines {before[2]} and {example.line}",
                    fix="Keep one of the two rows, or give scores instead of margins.",
                )
    most = max(map(len, found.values()))
    shape = (len(found), most)
    candidates, real = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    relevant, teacher = torch.zeros(shape, dtype=torch.bool), torch.full(shape, torch.nan)
    for row, listed in enumerate(found.values()):
        size = len(listed)
        candidates[row, :size], real[row, :size] = torch.tensor(list(listed)), True
        relevant[row, :size] = torch.tensor([positive for positive, _, _ in listed.values()])
        teacher[row, :size] = torch.tensor([score for _, score, _ in listed.values()])
    lists = Lists(tuple(found), torch.arange(len(found)), candidates, real)
    return Collected(tuple(found), tuple(documents), TrainingLists(lists, relevant, teacher))


@dataclass
class OwnRun:
    """What the suite's training asks of a trial, for a training that is none.

    Attributes:
        seed: Of the order of queries and the choice of negatives.
        told: Called with the share done and the loss.
        scratch: Not used.
    """

    seed: int
    told: Callable[[float, str], None]
    scratch: Path = Path()
    stage: Literal["tune", "main"] = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    devices: tuple[str, ...] = ("cpu",)
    answers: Path | None = None

    def asks(self, model: AskedModel) -> None:
        """There is no record."""

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        """There are no artifacts here.

        Raises:
            LookupError: Always.
        """
        raise LookupError(ref)

    def rng(self, name: str) -> np.random.Generator:
        """A stream by name."""
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        """A generator on the CPU."""
        return generator(self.seed)

    def probe(self, step: int, result: Any) -> None:
        """Nothing is evaluated in between."""

    def progress(self, done: float, message: str = "") -> None:
        """Pass it on."""
        self.told(done, message)


@dataclass(frozen=True)
class Vectors:
    """Vectors that were stored, of the queries and documents that lists name by row.

    Attributes:
        queries: All vectors of each query.
        documents: Those of documents, already as few as the scorer takes.
    """

    queries: Index
    documents: Index


class StoredTower(Tower):
    """Vectors that were stored: texts are rows of two indexes, shape (..., 1).

    Args:
        vectors: Where they are.
        projection: Of query tokens, to be learnt, if there is one.
    """

    def __init__(self, vectors: Vectors, projection: torch.nn.Linear | None) -> None:
        super().__init__(vectors.documents.made.dim, project=False)
        self.projection = projection
        self.vectors = vectors

    def forward(self, data: Tensor, mask: Tensor) -> Tensor:
        """Vectors of documents, shape (..., L2, P)."""
        return self.vectors.documents.dense(data.squeeze(-1).cpu())[0].to(mask.device)

    def queries(self, data: Tensor, mask: Tensor) -> Tensor:
        """Vectors of queries, mapped if the map is learnt, shape (..., L1, P)."""
        vectors = self.vectors.queries.dense(data.squeeze(-1).cpu())[0].to(mask.device)
        return vectors if self.projection is None else unit_tokens(self.projection(vectors), mask)


def train(late: LateInteraction, vectors: Vectors, data: TrainingLists, course: Course, run: OwnRun) -> None:
    """Train a late interaction, in place, on stored vectors.

    Args:
        late: On the device where it is to be trained.
        vectors: Of the queries and documents that the lists name.
        data: The lists.
        course: How.
        run: Seed, and whom to tell.

    Raises:
        DivergedError: If a loss is not finite.
        ProblemError: If no query has enough negatives, or the loss needs a teacher and there is none.
    """
    fit(_stored(late, vectors), _texts(late, vectors), data, course, run)
    late.eval()


@torch.inference_mode()
def mrr(late: LateInteraction, vectors: Vectors, data: TrainingLists) -> float:
    """MRR@10 of the relevant among each query's own candidates, the mean over orders of equal scores."""
    ranker, texts = _stored(late, vectors).eval(), _texts(late, vectors)
    found = []
    for row in range(len(data.lists.queries)):
        asked = data.lists.queries[row : row + 1]
        listed = data.lists.candidates[row][data.lists.real[row]]
        scores = ranker(
            Texts(texts.queries.data[asked], texts.queries.mask[asked]),
            Texts(texts.passages.data[listed][None], texts.passages.mask[listed][None]),
        )
        relevant = data.relevant[row][data.lists.real[row]]
        found.append(rank_query(scores[0].cpu().numpy(), relevant.double().numpy())["rr10"])
    return sum(found) / len(found)


def _stored(late: LateInteraction, vectors: Vectors) -> Ranker:
    tower = StoredTower(vectors, late.ranker.tower.projection)
    longest = vectors.documents.made.longest
    return Ranker(tower, late.ranker.scorer, reduction="none", doc_tokens=0, l2=longest)


def _texts(late: LateInteraction, vectors: Vectors) -> TokenSet:
    device = next((p.device for p in late.parameters()), torch.device("cpu"))

    def texts(index: Index) -> Texts:
        return Texts(torch.arange(len(index), device=device).unsqueeze(1), index.mask.to(device))

    return TokenSet(texts(vectors.queries), texts(vectors.documents))
