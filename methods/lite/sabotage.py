"""Negative controls: teachers or similarities that say nothing of candidates. No real method imports this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.lite.method import TrainRanker

if TYPE_CHECKING:
    from harness.method import Context
    from methods.lite.ranker import Ranker
    from methods.lite.task import RankingProblem
    from methods.lite.training import Course


@dataclass(frozen=True)
class ShuffledTeacher(TrainRanker):
    """Teacher scores and labels are shuffled within each list."""

    def course(self) -> Course:
        """The same, with the teacher shuffled."""
        from methods.lite.sabotage_training import ShuffledCourse

        return ShuffledCourse(**vars(super().course()))


@dataclass(frozen=True)
class MixedColumns(TrainRanker):
    """Trained and scored on similarities whose columns change places between a query's candidates."""

    def ranker(self, problem: RankingProblem, ctx: Context) -> Ranker:
        """The same, whose scorer sees document vectors of all candidates."""
        from methods.lite.sabotage_training import MixedScorer

        found = super().ranker(problem, ctx)
        found.scorer = MixedScorer(found.scorer)
        return found
