"""Training with a shuffled teacher, for :mod:`methods.lite.sabotage`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

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
