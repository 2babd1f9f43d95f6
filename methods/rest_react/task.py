"""The tasks of search agents: questions to learn from without answers, and questions to be asked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.method import Context, PerSeed, ProblemError, Reference, Scores, Table, Task, param
from methods.rest_react.prepare import Teacher

if TYPE_CHECKING:
    import numpy as np

    from methods.rest_react.agent import Settings
    from methods.rest_react.delexical import Lexicon
    from methods.rest_react.exams import AgentResult, Agents, Exam, Outcome
    from methods.rest_react.retrieval import SearchTool
    from methods.rest_react.students import Student, Students
    from methods.rest_react.training_data import Ranker
    from methods.rest_react.world import AnswerKey, Question

Labels = Callable[["Question", str], bool]
"""Whether an answer to a training question is right."""


@dataclass(frozen=True)
class AgentProblem:
    """What methods may see: no answers, unless the task is to learn from labels.

    Attributes:
        train: Questions to learn from.
        tool: Searches the documents of their world.
        lexicon: Names of their world.
        exams: Questions to be asked, each set with its tool and lexicon.
        settings: How agents act, but for the number of samples.
        teacher: Generation 0.
        students: Trains agents.
        beginner: Gives generation 0 of a size; that of the largest one is ``teacher``.
        ranker: A ranker that is a model, where one is at hand; methods have their own else.
        labels: For methods that filter by outcome; None as a rule.
    """

    train: tuple[Question, ...]
    tool: SearchTool
    lexicon: Lexicon
    exams: tuple[Exam, ...]
    settings: Settings
    teacher: Student
    students: Students
    beginner: Callable[[str], Student]
    ranker: Ranker | None = None
    labels: Labels | None = None


@dataclass(frozen=True)
class Sheet:
    """An exam with its answers, which only the task keeps.

    Attributes:
        exam: What agents see.
        key: Answers by question.
        names: All names that an answer could mean, for the judge.
    """

    exam: Exam
    key: AnswerKey
    names: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class SearchAgents(Task[AgentProblem, "Agents"]):
    """Answer questions by searching, having learnt from one's own trajectories.

    Parts of the scores, for every agent A that a method evaluates (see the method), and every
    exam E (the first one is the paper's Bamboogle, ``second`` its BamTwoogle):

    - ``"A"`` for the first exam and ``"A@E"`` for the others, a row for each question and run:
      ``unit_id`` (the question), ``run``, ``final_right``, ``draft_right``, ``judge_right`` (0 or 1: by
      the oracle after and before the checks, by the judge after them), ``gain`` (final − draft),
      ``searches``, ``steps``, ``failed`` (share of steps in which nothing could be read) and
      ``format_error`` (share of unreadable candidates).
    - ``"A#steps"``, for agents that are shown: rows of an exhibit of kind ``steps``.
    - ``"main"``: the rows of the agent that the method stands for, first exam.
    - ``"agents"``, a row for each agent: ``unit_id`` (its name), ``parameters``, ``updates`` and ``fall`` of
      its training (NaN where that has a fixed length), ``accuracy``, ``draft_accuracy``,
      ``judge_accuracy``, ``format_error``.
    - ``"data"``, a row for each training set: ``unit_id`` (its name), ``trajectories``, ``examples``,
      ``asked``, ``changed``, ``searches``.

    When tuning, ``"validation"`` has the rows of the method's agent on validation questions.
    """

    generation_0: Teacher | PerSeed
    runs: int = param(5, source="ours", doc="evaluation runs; the paper: 10")
    temperature: float = param(0.5, source="paper, section 3.2", doc="of the samples")
    labels: bool = param(default=False, source="ours", doc="give methods the answers of training questions")
    shown: int = param(12, source="ours", doc="trajectories of an exhibit")

    @abstractmethod
    def training(self, ctx: Context) -> tuple[tuple[Question, ...], SearchTool, Lexicon, AnswerKey]:
        """Questions to learn from, with their tool, names and (kept here) answers."""

    @abstractmethod
    def sheets(self, ctx: Context) -> tuple[Sheet, ...]:
        """What is asked; under ``tune`` of validation questions only."""

    @property
    def recipe(self) -> Teacher:
        """How generation 0 is made; of which seed, only a trial knows."""
        begun = self.generation_0
        found = begun.artifact if isinstance(begun, PerSeed) else begun
        assert isinstance(found, Teacher)
        return found

    def teacher(self, ctx: Context) -> Teacher:
        """Generation 0 of a seed."""
        return replace(self.recipe, seed=ctx.seed)

    def problem(self, ctx: Context) -> AgentProblem:
        """Training questions, exams and generation 0."""
        from methods.rest_react.agent import Settings

        train, tool, lexicon, key = self.training(ctx)
        teacher = self.teacher(ctx)

        def beginner(size: str) -> Student:
            # Seeds without a prepared generation 0 train one here; it comes out the same.
            kept = teacher == self.generation_0
            return teacher.student(ctx.load(teacher), ctx, size) if kept else teacher.taught(ctx, size)

        return AgentProblem(
            train=train,
            tool=tool,
            lexicon=lexicon,
            exams=tuple(sheet.exam for sheet in self.sheets(ctx)),
            settings=Settings(searches=teacher.searches, temperature=self.temperature),
            teacher=beginner("L"),
            students=teacher.students(ctx),
            beginner=beginner,
            labels=_labels(key) if self.labels else None,
        )

    def evaluate(self, result: Agents, ctx: Context) -> Scores:
        """Compare all answers with the keys.

        Raises:
            ProblemError: If the method has no result for the agent that it stands for.
        """
        sheets = self.sheets(ctx)
        own = [one for one in result.agents if one.name == result.main]
        if not own:
            raise ProblemError(f"There is no agent '{result.main}'", where="Agents", fix="Name one that is.")
        main = self._rows(own[0].outcomes[sheets[0].exam.name], sheets[0], ctx)
        if ctx.stage == "tune":
            return Scores({"validation": main})
        parts: dict[str, Table] = {"main": main}
        for agent in result.agents:
            parts |= self._parts(agent, sheets, ctx)
        parts["agents"] = _agent_table(result.agents, parts)
        if result.data:
            parts["data"] = {
                "unit_id": [one.name for one in result.data],
                **{name: [getattr(one, name) for one in result.data] for name in _DATA},
            }
        return Scores(parts)

    def marks(
        self, answers: Sequence[str], questions: Sequence[str], sheet: Sheet, ctx: Context
    ) -> list[float]:
        """1 for each answer that is its reference and nothing else, 0 for others: the oracle.

        Args:
            answers: Short ones, as the agent ended with them.
            questions: Their questions' ids.
            sheet: The references.
            ctx: Of the trial.
        """
        from methods.rest_react.judge import exactly_right

        key = sheet.key.answers
        return [float(exactly_right(a, key[q])) for a, q in zip(answers, questions, strict=True)]

    def judged(
        self, answers: Sequence[str], questions: Sequence[str], sheet: Sheet, ctx: Context
    ) -> list[float]:
        """1 for each answer in long form that implies its reference, 0 for others; as :meth:`marks`."""
        from methods.rest_react.judge import implies

        key = sheet.key.answers
        return [float(implies(a, key[q], sheet.names)) for a, q in zip(answers, questions, strict=True)]

    def _parts(
        self, agent: AgentResult, sheets: Sequence[Sheet], ctx: Context
    ) -> Iterator[tuple[str, Table]]:
        from methods.rest_react.exhibit import steps_table

        first = sheets[0]
        for sheet in sheets:
            if sheet.exam.name in agent.outcomes:
                rows = self._rows(agent.outcomes[sheet.exam.name], sheet, ctx)
                yield (agent.name if sheet is first else f"{agent.name}@{sheet.exam.name}"), rows
        if agent.shown:
            answers = [one.final for one in agent.shown]
            marks = self.marks(answers, [one.question.id for one in agent.shown], first, ctx)
            rights = [mark == 1.0 for mark in marks]
            yield f"{agent.name}#steps", steps_table(agent.shown, rights, most=self.shown)

    def _rows(self, outcomes: Sequence[Outcome], sheet: Sheet, ctx: Context) -> dict[str, list[Any]]:
        questions = [one.question for one in outcomes]
        final = self.marks([one.final for one in outcomes], questions, sheet, ctx)
        draft = self.marks([one.draft for one in outcomes], questions, sheet, ctx)
        return {
            "unit_id": questions,
            "run": [one.run for one in outcomes],
            "final_right": final,
            "draft_right": draft,
            "judge_right": self.judged([one.long_form for one in outcomes], questions, sheet, ctx),
            "gain": [after - before for after, before in zip(final, draft, strict=True)],
            "searches": [one.searches for one in outcomes],
            "steps": [one.steps for one in outcomes],
            "failed": [one.failed / one.steps for one in outcomes],
            "format_error": [one.unread for one in outcomes],
        }


@dataclass(frozen=True, kw_only=True)
class WorldAgents(SearchAgents):
    """Questions about generated worlds, a fresh one for each purpose and seed.

    Exams: ``two-hop`` (Bamboogle's place), ``second`` (BamTwoogle's: two and three hops, another world)
    and, where the tables of countries and the one of elements are given, ``facts`` (real facts).
    """

    questions: int = param(500, source="ours", doc="to learn from; the paper: 2000")
    asked: int = param(125, source="paper, section 4.1", doc="two-hop questions of the first exam")
    second: int = param(100, source="paper, section 4.1", doc="questions of the second exam; 0: none")
    second_three: float = param(0.4, source="ours", doc="share of those with three hops")
    facts: tuple[Reference, ...] = ()
    facts_asked: int = param(100, source="ours", doc="questions about real facts")

    def training(self, ctx: Context) -> tuple[tuple[Question, ...], SearchTool, Lexicon, AnswerKey]:
        """Two-hop questions and some of three hops."""
        teacher = self.recipe
        three = round(teacher.three_hops * self.questions)
        sheet = self._sheet("train", {2: self.questions - three, 3: three}, ctx)
        return sheet.exam.questions, sheet.exam.tool, sheet.exam.lexicon, sheet.key

    def sheets(self, ctx: Context) -> tuple[Sheet, ...]:
        """The exams, or the validation world."""
        if ctx.stage == "tune":
            return (self._sheet("validation", {2: self.asked}, ctx),)
        found = [self._sheet("two-hop", {2: self.asked}, ctx)]
        if self.second:
            three = round(self.second_three * self.second)
            found.append(self._sheet("second", {2: self.second - three, 3: three}, ctx))
        if self.facts:
            found.append(self._facts(ctx))
        return tuple(found)

    def _sheet(self, name: str, counts: dict[int, int], ctx: Context) -> Sheet:
        size = self.recipe.entities, self.recipe.relations
        drawn = int(ctx.rng(f"world {name}").integers(2**62))
        key = (name, *counts.items(), size, type(self), self.runs, drawn)
        return kept(key, lambda: self._made(name, counts, ctx))

    def _made(self, name: str, counts: dict[int, int], ctx: Context) -> Sheet:
        from methods.rest_react.generations import hard_questions, lexicon_of
        from methods.rest_react.retrieval import SearchTool
        from methods.rest_react.world import answer_key, make_world

        rng = ctx.rng(f"world {name}")
        size = self.recipe.entities, self.recipe.relations
        world = make_world(*size, rng)
        tool = SearchTool(world.documents, mixed=True)
        questions = hard_questions(world, tool, counts, rng)
        exam = self._exam(name, questions, self.searched(name, tool, rng), lexicon_of(world), ctx)
        return Sheet(exam, answer_key(world, questions), frozenset(world.entities))

    def searched(self, name: str, tool: SearchTool, rng: np.random.Generator) -> SearchTool:
        """What searches in an exam find: the documents of its world; a negative control finds others."""
        return tool

    def _facts(self, ctx: Context) -> Sheet:
        drawn = int(ctx.rng("facts").integers(2**62))
        key = ("facts", self.facts, self.facts_asked, self.runs, drawn)
        return kept(key, lambda: self._real(ctx))

    def _real(self, ctx: Context) -> Sheet:
        from methods.common.countries import read_countries
        from methods.rest_react.generations import lexicon_of
        from methods.rest_react.real_world import real_questions, real_world
        from methods.rest_react.retrieval import SearchTool

        *countries, elements = (ctx.load(table) for table in self.facts)
        world = real_world(read_countries(*countries), elements)
        tool = SearchTool(world.documents, mixed=True)
        questions, key = real_questions(world, tool, hops=2, count=self.facts_asked, rng=ctx.rng("facts"))
        exam = self._exam("facts", tuple(questions), tool, lexicon_of(world), ctx)
        return Sheet(exam, key, frozenset(world.entities))

    def _exam(
        self, name: str, questions: tuple[Question, ...], tool: SearchTool, lexicon: Lexicon, ctx: Context
    ) -> Exam:
        from methods.rest_react.exams import Exam

        seeds = tuple(int(ctx.rng(f"run {run} of {name}").integers(2**31)) for run in range(self.runs))
        return Exam(name, questions, tool, lexicon, seeds)


_KEPT: dict[tuple[Hashable, ...], Sheet] = {}
_MOST_KEPT = 24
"""Of six seeds at a time: a worker comes back to the same questions again and again."""


def kept(key: tuple[Hashable, ...], make: Callable[[], Sheet]) -> Sheet:
    """A sheet that is made once in a process; drawing worlds and hard questions takes seconds.

    Args:
        key: Everything that the sheet depends on, what its streams draw included.
        make: Makes it.
    """
    if key not in _KEPT:
        while len(_KEPT) >= _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[key] = make()
    return _KEPT[key]


_DATA = ("trajectories", "examples", "asked", "changed", "searches")
_MEANS = {"accuracy": "final_right", "draft_accuracy": "draft_right", "judge_accuracy": "judge_right"}


def _labels(key: AnswerKey) -> Labels:
    from methods.rest_react.judge import exactly_right

    def is_right(question: Question, answer: str) -> bool:
        return exactly_right(answer, key[question])

    return is_right


def _agent_table(agents: Sequence[AgentResult], parts: Mapping[str, Table]) -> dict[str, list[Any]]:
    """One row an agent, over all runs of the first exam."""
    columns = {**_MEANS, "format_error": "format_error"}
    return {
        "unit_id": [one.name for one in agents],
        "parameters": [one.parameters for one in agents],
        "updates": [float(one.updates) for one in agents],
        "fall": [float(one.fall) for one in agents],
        **{
            name: [float(sum(parts[one.name][column])) / len(parts[one.name][column]) for one in agents]
            for name, column in columns.items()
        },
    }
