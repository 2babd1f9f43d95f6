"""Negative controls: a teacher that says nothing about candidates. No real method imports this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.lite.method import TrainRanker

if TYPE_CHECKING:
    from methods.lite.training import Course


@dataclass(frozen=True)
class ShuffledTeacher(TrainRanker):
    """Teacher scores and labels are shuffled within each list."""

    def course(self) -> Course:
        """The same, with the teacher shuffled."""
        from methods.lite.sabotage_training import ShuffledCourse

        return ShuffledCourse(**vars(super().course()))
