"""Training with a shuffled teacher or on mixed similarities, for :mod:`methods.lite.sabotage`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from methods.common.draws import generator, uniform
from methods.lite.scorers import Scorer
from methods.lite.training import Course


@dataclass(frozen=True)
class ShuffledCourse(Course):
    """Shuffles the teacher's scores (and the label) within each list."""

    def taught(self, candidates: Tensor, teacher: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """See :class:`~methods.lite.training.Course`."""
        mixed = torch.from_numpy(rng.random(candidates.shape).argsort(1))
        teacher = teacher.gather(1, mixed)
        # One-hot losses read the label from the place, so places are shuffled independently.
        again = torch.from_numpy(rng.random(candidates.shape).argsort(1))
        return candidates.gather(1, again), teacher.gather(1, again)


class MixedScorer(Scorer):
    """Another scorer, on columns of S that are exchanged between the candidates of a query.

    The exchange is drawn once for each number of columns, so that a trial that is taken up again goes on
    as it would have.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.scorer = scorer

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """See :class:`~methods.lite.scorers.Scorer`."""
        return self.scorer.score(s, q_mask, d_mask)

    def candidates(self, q: Tensor, d: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """See :class:`~methods.lite.scorers.Scorer`."""
        order = uniform((d.shape[1] * d.shape[2],), generator(0), device=d.device).argsort()
        mixed = d.flatten(1, 2)[:, order].view_as(d)
        return self.scorer.candidates(q, mixed, q_mask, d_mask.flatten(1, 2)[:, order].view_as(d_mask))
