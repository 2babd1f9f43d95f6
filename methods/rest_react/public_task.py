"""The paper's own questions, for a large model as agent, ranker and judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Context, HubSource, ProblemError, Reference, Resource, param
from methods.rest_react.prepare import PretrainedTeacher
from methods.rest_react.public_questions import BAMBOOGLE, BAMTWOOGLE, PASSAGES
from methods.rest_react.task import AgentProblem, SearchAgents, Sheet

if TYPE_CHECKING:
    from methods.common.language_model import LanguageModel
    from methods.rest_react.delexical import Lexicon
    from methods.rest_react.retrieval import SearchTool
    from methods.rest_react.students import Student
    from methods.rest_react.world import AnswerKey, Question

_CHECKPOINT = "methods.common.causal_lm:load_checkpoint"


def _bound(name: str, *, loader: str = _CHECKPOINT, served: bool = False) -> Resource:
    """A model that only the user can give."""
    return Resource(
        name=name, kind="model", licence="", version="the user's", sources=(), loader=loader, served=served
    )


AGENT = _bound("search-agent", loader="", served=True)
"""The prompted model, also ranker and judge: safetensors weights, or behind a server."""
BASE_L, BASE_S, BASE_XS = (_bound(f"search-student-{size}") for size in ("l", "s", "xs"))
"""What is fine-tuned."""
TRAINING = Resource(
    name="hotpotqa-questions",
    kind="dataset",
    licence="CC BY-SA 4.0",
    version="train split",
    sources=(HubSource("hotpotqa/hotpot_qa", repo_type="dataset", config="distractor"),),
    loader="methods.rest_react.public_questions:load_questions",
    size_mb=600,
)
"""Questions to learn from. Those of ELI5 are not distributed any more."""


@dataclass(frozen=True)
class FewShotTeacher(PretrainedTeacher):
    """Generation 0 as in the paper: a large model that is shown solved examples. Nothing is trained."""

    title: ClassVar[str] = "prompted agent"

    sizes: tuple[str, ...] = param(("L",), source="paper, section 3.1", doc="sizes that are prompted")

    model: Reference = AGENT
    base: Reference = BASE_L
    base_s: Reference = BASE_S
    base_xs: Reference = BASE_XS
    searches: int = param(10, source="paper, section 3.1", doc="searches of a trajectory, at most")
    base_steps: int = param(3500, source="paper, section 4.1: of L", doc="updates of the students")
    limit: int = param(4096, source="ours", doc="tokens of a state with its action, at most")

    @property
    def bases(self) -> dict[str, Reference]:
        """Pretrained models by size."""
        return {"L": self.base, "S": self.base_s, "XS": self.base_xs}

    def prompted(self, ctx: Context) -> LanguageModel:
        """The large model."""
        from methods.common.servers import open_named

        return open_named(ctx.load(self.model), ctx, rows=self.rows)

    def taught(self, ctx: Context, size: str = "L") -> Student:
        """The prompted agent.

        Raises:
            ProblemError: If another size than the one that is prompted is asked for.
        """
        from methods.rest_react.language import few_shot
        from methods.rest_react.students import Student

        if size not in self.sizes:
            raise ProblemError(
                f"No agent of size '{size}' is prompted", where="sizes", fix=f"Prompted: {self.sizes}."
            )
        model = few_shot(self.prompted(ctx))

        def speak(lexicon: Lexicon) -> LanguageModel:
            return model

        def save(folder: Path) -> None:
            (folder / "prompted.txt").write_text("Nothing was trained.\n", encoding="utf-8")

        return Student(speak, 0, save)

    def student(self, folder: Path, ctx: Context, size: str = "L") -> Student:
        """The prompted agent."""
        return self.taught(ctx, size)

    def build(self, folder: Path, ctx: Context) -> None:
        """Nothing to build."""
        self.taught(ctx).save(folder)


@dataclass(frozen=True, kw_only=True)
class PublicAgents(SearchAgents):
    """Bamboogle, and BamTwoogle as second exam; a passage search; a large model as ranker and judge.

    Answers are free, so that the oracle has to be the judge: ``final_right`` and ``draft_right`` are its
    verdicts, too, as in the paper's tables.
    """

    generation_0: FewShotTeacher
    training_questions: Reference = TRAINING
    first: Reference = BAMBOOGLE
    second: Reference = BAMTWOOGLE
    passages: Reference = PASSAGES
    runs: int = param(10, source="paper, section 4.1", doc="evaluation runs")
    questions: int = param(2000, source="paper, section 4.1", doc="to learn from")

    def training(self, ctx: Context) -> tuple[tuple[Question, ...], SearchTool, Lexicon, AnswerKey]:
        """Questions of another set, whose answers are left behind."""
        from methods.rest_react.world import choose

        found = ctx.load(self.training_questions)
        count = min(self.questions, len(found.questions))
        chosen = choose(found.questions, count, ctx.rng("training questions"))
        return tuple(chosen), ctx.load(self.passages), _no_names(), found.key

    def sheets(self, ctx: Context) -> tuple[Sheet, ...]:
        """Bamboogle is the paper's validation set, too: under ``tune`` it is all there is."""
        first = self._sheet("two-hop", self.first, ctx)
        return (first,) if ctx.stage == "tune" else (first, self._sheet("second", self.second, ctx))

    def problem(self, ctx: Context) -> AgentProblem:
        """As for other tasks, with the large model as a ranker."""
        from methods.rest_react.agent import Settings
        from methods.rest_react.language import ModelRanker

        problem = super().problem(ctx)
        settings = Settings(problem.settings.searches, temperature=self.temperature, new_tokens=96)
        return replace(problem, settings=settings, ranker=ModelRanker(self.teacher(ctx).prompted(ctx)))

    def marks(
        self, answers: Sequence[str], questions: Sequence[str], sheet: Sheet, ctx: Context
    ) -> list[float]:
        """The judge's verdicts."""
        return self.judged(answers, questions, sheet, ctx)

    def judged(
        self, answers: Sequence[str], questions: Sequence[str], sheet: Sheet, ctx: Context
    ) -> list[float]:
        """Whether answers imply their references, asked of the large model at temperature 0."""
        from methods.rest_react.language import ModelJudge

        texts = {one.id: one.text for one in sheet.exam.questions}
        judge = ModelJudge(self.teacher(ctx).prompted(ctx))
        asked, references = [texts[q] for q in questions], [sheet.key.answers[q] for q in questions]
        return list(map(float, judge(asked, answers, references)))

    def teacher(self, ctx: Context) -> FewShotTeacher:
        """The prompted agent is the same for every seed."""
        return self.generation_0

    def _sheet(self, name: str, source: Reference, ctx: Context) -> Sheet:
        from methods.rest_react.exams import Exam

        found = ctx.load(source)
        seeds = tuple(int(ctx.rng(f"run {run} of {name}").integers(2**31)) for run in range(self.runs))
        exam = Exam(name, found.questions, ctx.load(self.passages), _no_names(), seeds)
        return Sheet(exam, found.key, frozenset())


def _no_names() -> Lexicon:
    from methods.rest_react.delexical import Lexicon

    return Lexicon(frozenset(), frozenset())
