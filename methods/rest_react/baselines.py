"""Baselines of the search agent as methods; all of them use generation 0 as it is (card §4)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from harness.method import Context, Method, param
from methods.rest_react.task import AgentProblem

if TYPE_CHECKING:
    from methods.common.language_model import LanguageModel
    from methods.rest_react.agent import Settings, Trajectory
    from methods.rest_react.exams import Agents, Exam, Outcome

YAO = "Yao et al. (2023), arXiv:2210.03629"
WANG = "Wang et al. (2023), arXiv:2203.11171"
NAME = "agent"
"""What the only agent of a baseline is called."""


@dataclass(frozen=True)
class Baseline(Method[AgentProblem, "Agents"]):
    """Lets generation 0 answer in some other way."""

    problem_type: ClassVar[type] = AgentProblem

    samples: int = param(4, source="paper, section 3.2", doc="k, samples of a step")

    def run(self, problem: AgentProblem, ctx: Context) -> Agents:
        """Take all exams."""
        from methods.rest_react.exams import AgentResult, Agents

        settings = replace(problem.settings, samples=self.samples)
        outcomes = {
            exam.name: tuple(
                self.elect(self._outcomes(exam, problem.teacher.speaker(exam.lexicon), settings))
            )
            for exam in problem.exams
        }
        return Agents((AgentResult(NAME, problem.teacher.parameters, outcomes),), main=NAME)

    def _outcomes(self, exam: Exam, model: LanguageModel, settings: Settings) -> list[Outcome]:
        from methods.rest_react.exams import Outcome

        return [
            Outcome.of(walk, run)
            for run, seed in enumerate(exam.seeds)
            for walk in self.answer(exam, model, settings, seed)
        ]

    @abstractmethod
    def answer(self, exam: Exam, model: LanguageModel, settings: Settings, seed: int) -> list[Trajectory]:
        """One run over the questions of an exam."""

    def elect(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The outcomes that are scored, chosen from those of all runs."""
        return outcomes


@dataclass(frozen=True)
class SearchAgent(Baseline):
    """The search agent of generation 0 with other numbers of samples a step."""

    def answer(self, exam: Exam, model: LanguageModel, settings: Settings, seed: int) -> list[Trajectory]:
        """See :func:`methods.rest_react.agent.roll_out`."""
        from methods.rest_react.agent import roll_out

        return roll_out(exam.questions, model, exam.tool, settings, seed=seed)


@dataclass(frozen=True)
class ClosedBook(Baseline):
    """An answer without a search."""

    def answer(self, exam: Exam, model: LanguageModel, settings: Settings, seed: int) -> list[Trajectory]:
        """See :func:`methods.rest_react.simpler_agents.closed_book`."""
        from methods.rest_react.simpler_agents import closed_book

        return closed_book(exam.questions, model, settings, seed=seed)


@dataclass(frozen=True)
class SingleSearch(Baseline):
    """One search for the question itself, then an answer: retrieval-augmented generation."""

    def answer(self, exam: Exam, model: LanguageModel, settings: Settings, seed: int) -> list[Trajectory]:
        """See :func:`methods.rest_react.simpler_agents.single_search`."""
        from methods.rest_react.simpler_agents import single_search

        return single_search(exam.questions, model, exam.tool, settings, seed=seed)


@dataclass(frozen=True)
class PlainReAct(Baseline):
    """Searching and reasoning without the two checks."""

    cites: ClassVar[str] = YAO

    def answer(self, exam: Exam, model: LanguageModel, settings: Settings, seed: int) -> list[Trajectory]:
        """See :func:`methods.rest_react.simpler_agents.without_checks`."""
        from methods.rest_react.simpler_agents import without_checks

        return without_checks(exam.questions, model, exam.tool, settings, seed=seed)


@dataclass(frozen=True)
class MajorityVote(SearchAgent):
    """The answer that most of the runs end with, one for each question."""

    cites: ClassVar[str] = WANG

    def elect(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """See :func:`methods.rest_react.simpler_agents.majority`."""
        from methods.rest_react.simpler_agents import majority

        return majority(outcomes)
