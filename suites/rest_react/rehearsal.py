"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, QuestionTable, Rows, TinyModel

_ENDS = ("<eos>", "\n")
"""Answers end soon: a random model would write on to the limit each time."""

REHEARSAL = Rehearsal(
    stand_ins={
        **COMMON,
        "gemma-3-270m": TinyModel("gemma3", loud=_ENDS),
        "bamboogle": Rows("bamboogle", {"test": 12}),
        "bamtwoogle": QuestionTable(),
        "hotpotqa-questions": Rows("hotpotqa", {"train": 40, "validation": 20}),
        "search-agent": TinyModel("gemma3", seed=1, loud=_ENDS),
        "search-passages": Rows("corpus", {"corpus": 60}),
        "search-student-l": TinyModel("gemma3", seed=2, loud=_ENDS),
        "search-student-s": TinyModel("gemma3", seed=3, loud=_ENDS),
        "search-student-xs": TinyModel("gemma3", seed=4, loud=_ENDS),
    },
    stops={"agents/labelled/star": "No trajectory is right"},
    sizes={
        "Judging.errors": 2,
        "Judging.questions": 8,
        "Method.samples": 2,
        "Method.samples_xs": 2,
        "Method.trajectories": 8,
        "PretrainedTeacher.base_batch": 4,
        "PretrainedTeacher.base_steps": 20,
        "PretrainedTeacher.batch": 4,
        "PretrainedTeacher.demonstrations": 12,
        "PretrainedTeacher.limit": 1024,
        "PretrainedTeacher.rows": 16,
        "PretrainedTeacher.searches": 2,
        "PretrainedTeacher.steps": 20,
        "SearchAgents.questions": 6,
        "SearchAgents.runs": 1,
        "WorldAgents.asked": 4,
        "WorldAgents.facts_asked": 4,
        "WorldAgents.second": 4,
    },
)
