"""What generation 0 answers, once for all who hand it in: itself, and negative controls under other names.

Every trial of a seed asks the same questions with the same random numbers, so that only time is saved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, Reference, param
from methods.rest_react.task import AgentProblem, SearchAgents

if TYPE_CHECKING:
    from methods.rest_react.agent import Settings
    from methods.rest_react.exams import Exam, Outcome

_FILE = "outcomes.json"


@dataclass(frozen=True, kw_only=True)
class FirstExams(Artifact):
    """All exams of a task, taken by the largest agent of generation 0."""

    title: ClassVar[str] = "exams of generation 0"

    task: SearchAgents
    samples: int = param(4, source="paper, section 3.2", doc="candidates of a step")
    seed: int = param(0, source="ours", doc="of the trials that it is for, and of generation 0")

    def build(self, folder: Path, ctx: Context) -> None:
        """Take the exams as a trial of this seed would."""
        from methods.rest_react.exams import sit

        # An artifact has no seed of its own; these are the streams of the trials.
        own = copy(ctx)
        own.seed = self.seed
        problem = self.task.problem(own)
        settings = replace(problem.settings, samples=self.samples)
        taken = sit("gen0-L", problem.teacher.speaker, problem.exams, settings)
        found = {name: [asdict(one) for one in rows] for name, rows in taken.outcomes.items()}
        asked = _asked(problem.exams, settings)
        (folder / _FILE).write_text(json.dumps({"asked": asked, "outcomes": found}), encoding="utf-8")

    def load(self, path: Path) -> Any:
        """What was asked and answered, as :func:`outcomes_of` reads it."""
        return json.loads((path / _FILE).read_text(encoding="utf-8"))


def outcomes_of(
    sat: Reference | None, problem: AgentProblem, settings: Settings, exams: Sequence[Exam], ctx: Context
) -> Mapping[str, tuple[Outcome, ...]] | None:
    """The outcomes of the exams, by exam; None if they were not taken, or taken otherwise.

    Args:
        sat: The :class:`FirstExams` of the trial's seed, or none.
        problem: Of the trial.
        settings: How generation 0 is to act.
        exams: Some or all of the problem's.
        ctx: Of the trial.
    """
    from methods.rest_react.exams import Outcome

    if sat is None:
        return None
    kept = ctx.load(sat)
    # Parameters of a run can be set anew, and the exams were taken with those declared.
    if kept["asked"] != _asked(problem.exams, settings):
        return None
    return {exam.name: tuple(Outcome(**row) for row in kept["outcomes"][exam.name]) for exam in exams}


def _asked(exams: Sequence[Exam], settings: Settings) -> Any:
    asked = [[exam.name, list(exam.seeds), [one.id for one in exam.questions]] for exam in exams]
    return {"exams": asked, "settings": asdict(settings)}
