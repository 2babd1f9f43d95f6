"""What an annotation method or a learned ranker is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from methods.ibws.answers import Ledger
from methods.ibws.crowd import Crowd
from methods.ibws.designs import Floats

Group = Literal["comparative", "direct"]
"""Which of the two disjoint groups of raters an answer came from."""


@dataclass(frozen=True)
class AnnotationProblem:
    """Rank n items by asking people; the items' true values stay with the task.

    Attributes:
        texts: The n items, for whoever can read.
        comparative: Raters who answer best-worst tuples.
        direct: Other raters of the same items, who use rating scales.
    """

    texts: tuple[str, ...]
    comparative: Crowd
    direct: Crowd

    @property
    def n_items(self) -> int:
        """Number of items n."""
        return len(self.texts)


@dataclass(frozen=True)
class Annotation:
    """An annotation of n items.

    Attributes:
        estimate: Shape (n,): score of each item, larger for better.
        ledger: What it has cost.
        group: Whose answers it rests on.
        halves: Shape (2, n): scores from two random halves of the answers, where asked for.
    """

    estimate: Floats
    ledger: Ledger
    group: Group
    halves: Floats | None = None


@dataclass(frozen=True)
class RankingProblem:
    """Learn from labelled texts to rank others.

    Attributes:
        train_texts: m texts that can be annotated.
        test_texts: Texts to rank; nobody may be asked about them.
        train_vectors: Shape (m, d): embeddings, where the task has them.
        test_vectors: Shape (t, d).
        comparative: Raters of the training texts who answer best-worst tuples.
        direct: Other raters of the training texts, who use rating scales.
        expert: Shape (m,): labels of high quality for the training texts, from a third group.
    """

    train_texts: tuple[str, ...]
    test_texts: tuple[str, ...]
    train_vectors: NDArray[np.float32] | None
    test_vectors: NDArray[np.float32] | None
    comparative: Crowd
    direct: Crowd
    expert: Floats

    def annotation(self) -> AnnotationProblem:
        """The annotation of the training texts as a problem of its own."""
        return AnnotationProblem(self.train_texts, self.comparative, self.direct)


@dataclass(frozen=True)
class TestRanking:
    """Scores of the test texts.

    Attributes:
        estimate: Shape (t,): larger for better.
        label_reads: Reads a training text that the labels cost; NaN if they are not priced.
        label_judgements: Judgements a training text; NaN likewise.
    """

    __test__ = False
    """Not a test, whatever its name suggests to pytest."""

    estimate: Floats
    label_reads: float
    label_judgements: float
