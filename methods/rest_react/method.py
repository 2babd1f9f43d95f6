"""Self-improvement by growing and improving, its pilot, and its ablations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, Method, ProblemError, Reference, param
from methods.rest_react.task import AgentProblem

if TYPE_CHECKING:
    from methods.rest_react.agent import Settings, Trajectory
    from methods.rest_react.exams import AgentResult, Agents, DataSet, Exam
    from methods.rest_react.generations import Passes
    from methods.rest_react.students import Student
    from methods.rest_react.training_data import Ranker, StepExample

AKSITOV = "Aksitov et al. (2023), arXiv:2312.10003"
STAR = "Zelikman et al. (2022), arXiv:2203.14465; Singh et al. (2023), arXiv:2312.06585"


@dataclass(frozen=True)
class AgentMethod(Method[AgentProblem, "Agents"]):
    """What all methods that train agents share: how many samples an agent of each size draws."""

    problem_type: ClassVar[type] = AgentProblem

    samples: int = param(4, source="paper, section 3.2", doc="candidates of a step")
    samples_xs: int = param(16, source="paper, section 3.2", doc="candidates of a step, size XS")
    everywhere: tuple[str, ...] = param((), source="ours", doc="agents that take all exams; else the first")
    shown: tuple[str, ...] = param((), source="ours", doc="agents whose trajectories are shown")

    def settings(self, problem: AgentProblem, size: str) -> Settings:
        """How an agent of a size acts."""
        return replace(problem.settings, samples=self.samples_xs if size == "XS" else self.samples)

    def examined(self, problem: AgentProblem, name: str, student: Student) -> AgentResult:
        """What an agent achieves; its name ends in its size."""
        from methods.rest_react.exams import sit

        found = sit(
            name,
            student.speaker,
            self.taken(problem, name),
            self.settings(problem, name.rpartition("-")[2]),
            parameters=student.parameters,
            show=name in self.shown,
        )
        return replace(found, updates=student.updates, fall=student.fall)

    def taken(self, problem: AgentProblem, name: str) -> Sequence[Exam]:
        """The exams that an agent takes."""
        return problem.exams if name in self.everywhere else problem.exams[:1]

    def began(self, problem: AgentProblem, sat: Reference | None, ctx: Context) -> AgentResult:
        """What generation 0 achieves, from exams that were taken before where there are such."""
        from methods.rest_react.agent import roll_out
        from methods.rest_react.exams import AgentResult
        from methods.rest_react.first_exams import outcomes_of

        name, teacher, settings = "gen0-L", problem.teacher, self.settings(problem, "L")
        outcomes = outcomes_of(sat, problem, settings, self.taken(problem, name), ctx)
        if outcomes is None:
            return self.examined(problem, name, teacher)
        found = AgentResult(name, teacher.parameters, outcomes, updates=teacher.updates, fall=teacher.fall)
        if name not in self.shown:
            return found
        first = problem.exams[0]
        model = teacher.speaker(first.lexicon)
        shown = roll_out(first.questions, model, first.tool, settings, seed=first.seeds[0])
        return replace(found, shown=tuple(shown))


@dataclass(frozen=True)
class Prompted(AgentMethod):
    """Generation 0 as it is, or another size that learnt from the same demonstrations.

    Agents: ``gen0-L`` and, for each of the other sizes, ``gen0-S`` …
    """

    cites: ClassVar[str] = AKSITOV

    sizes: tuple[str, ...] = param(("L",), source="paper, section 3.1", doc="sizes to evaluate")
    sat: Reference | None = None

    def run(self, problem: AgentProblem, ctx: Context) -> Agents:
        """Evaluate."""
        from methods.rest_react.exams import Agents

        found = []
        for size in self.sizes:
            if size == "L":
                found.append(self.began(problem, self.sat, ctx))
            else:
                found.append(self.examined(problem, f"gen0-{size}", problem.beginner(size)))
        return Agents(tuple(found), found[0].name)


@dataclass(frozen=True)
class Pilot(AgentMethod):
    """One round without a ranker: targets are the steps of least perplexity, some removed by people.

    Agents: ``pilot-L`` … for each size, from filtered data if ``removed`` is above 0.
    """

    cites: ClassVar[str] = AKSITOV

    sizes: tuple[str, ...] = param(("XS",), source="paper, Table 1", doc="sizes to train")
    trajectories: int = param(125, source="ours: half of the questions; the paper a quarter")
    removed: float = param(
        0.333, source="paper, section 3.4: 3015 of 4518 steps remain", doc="share of the steps"
    )
    noise: float = param(0.5, source="ours", doc="of the scripted annotator")

    def run(self, problem: AgentProblem, ctx: Context) -> Agents:
        """Roll out, remove steps, and train."""
        from methods.rest_react.exams import Agents, DataSet
        from methods.rest_react.generations import filtered, grow, improve

        questions = problem.train[: self.trajectories]
        model = problem.teacher.speaker(problem.lexicon)
        seeds = [_seed(ctx, "grow 1 pass 0")]
        (walks,) = grow(model, questions, problem.tool, self.settings(problem, "L"), seeds=seeds)
        data = improve("pilot", walks, None, ctx.rng("no ranker"))
        examples = data.examples
        if self.removed:
            examples = filtered(examples, self.removed, self.noise, ctx.rng("annotator"))
        found = []
        for size in self.sizes:
            student = problem.students.train(examples, problem.lexicon, size, f"pilot-{size}", ctx)
            found.append(self.examined(problem, f"pilot-{size}", student))
        about = DataSet("pilot", len(walks), len(examples), searches=data.about.searches)
        return Agents(tuple(found), found[-1].name, (about,))


@dataclass(frozen=True)
class SelfImprove(AgentMethod):
    """ReST meets ReAct: grow trajectories, choose each step's target by a ranker, fine-tune, repeat.

    Agents, where ``sizes`` has them: ``gen0-L``; ``gen1-L``, ``gen1-S``, ``gen1-XS``; ``gen2-L`` …; and for
    each number n in ``subsets`` (of trajectories a question) ``gen2-nx-XS``, from so much of the last
    generation's data. The largest size of a generation grows the next one's data. Training sets:
    ``gen1-1x``, ``gen2-4x``, ``gen2-1x`` ….
    """

    cites: ClassVar[str] = AKSITOV

    generations: int = param(2, source="paper, section 3.4", doc="rounds of growing and improving")
    sizes: tuple[str, ...] = param(("L", "S", "XS"), source="paper, section 4.1", doc="sizes to train")
    passes: tuple[int, ...] = param(
        (1, 4), source="paper, section 3.4", doc="trajectories a question, by generation"
    )
    subsets: tuple[int, ...] = param(
        (), source="paper, Table 3", doc="smaller data of the last generation, for XS"
    )
    ranker: Literal["local", "none", "random", "oracle", "model"] = param(
        "local", source="paper, section 3.3; ours", doc="chooses the targets"
    )
    noise: float = param(0.5, source="card, section 9: 92 % of pairs right", doc="of the local ranker")
    start: bool = param(default=True, source="ours", doc="evaluate generation 0, too")

    def run(self, problem: AgentProblem, ctx: Context) -> Agents:
        """All generations, one after the other."""
        from methods.rest_react.exams import Agents

        loop = _Loop(self, problem, ctx, problem.teacher)
        if self.start:
            loop.examine("gen0-L", problem.teacher)
        for generation in range(1, self.generations + 1):
            loop.go_on(generation)
            ctx.progress(generation / self.generations, f"generation {generation}")
        return Agents(tuple(loop.results), f"gen{self.generations}-{self.sizes[0]}", tuple(loop.data))

    def kept(self, problem: AgentProblem, trajectories: Sequence[Trajectory]) -> Sequence[Trajectory]:
        """The trajectories to learn from: all, whatever they end in."""
        return trajectories

    def chooser(self, problem: AgentProblem) -> Ranker | None:
        """The ranker.

        Raises:
            ProblemError: If it is to be a model and the task has none.
        """
        from methods.rest_react.ranker import LocalRanker, RandomRanker

        if self.ranker == "model" and problem.ranker is None:
            raise ProblemError(
                "The task has no model to rank with", where="ranker", fix="Use another ranker."
            )
        rankers: dict[str, Ranker | None] = {
            "local": LocalRanker(self.noise),
            "oracle": LocalRanker(0.0),
            "random": RandomRanker(),
            "model": problem.ranker,
            "none": None,
        }
        return rankers[self.ranker]


@dataclass(frozen=True)
class OutcomeFiltered(SelfImprove):
    """As self-improvement, from trajectories with a right final answer only; it needs labels.

    The steps are those that were done, without a ranker, as in STaR and ReST-EM. Trained as long as
    the others, on fewer examples.
    """

    cites: ClassVar[str] = STAR

    ranker: Literal["local", "none", "random", "oracle", "model"] = param(
        "none", source="Zelikman et al. (2022)", doc="no ranker"
    )

    def kept(self, problem: AgentProblem, trajectories: Sequence[Trajectory]) -> Sequence[Trajectory]:
        """Those that are right.

        Raises:
            ProblemError: If the task gives no labels, or nothing is right.
        """
        from methods.rest_react.generations import rightly_answered

        if problem.labels is None:
            raise ProblemError("The task gives no labels", where="OutcomeFiltered", fix="Set labels=True.")
        found = rightly_answered(trajectories, problem.labels)
        if not found:
            raise ProblemError(
                "No trajectory is right", where="OutcomeFiltered", fix="Start from a better one."
            )
        return found


@dataclass
class _Loop:
    """One run of :class:`SelfImprove`.

    Attributes:
        leader: The largest agent of the last generation.
    """

    method: SelfImprove
    problem: AgentProblem
    ctx: Context
    leader: Student
    results: list[AgentResult] = field(default_factory=list)
    data: list[DataSet] = field(default_factory=list)

    def go_on(self, generation: int) -> None:
        """Grow with the leader, improve, train, and examine."""
        method = self.method
        most = method.passes[min(generation, len(method.passes)) - 1]
        last = generation == method.generations
        grown = self._grown(generation, most)
        found = self._improved(grown, f"gen{generation}-{most}x")
        # Only the largest agent grows the next data, wanted or not.
        sizes = method.sizes if last or "L" in method.sizes else (*method.sizes, "L")
        for size in sizes:
            student = self._train(found, size, f"gen{generation}-{size}")
            if size in method.sizes:
                self.examine(f"gen{generation}-{size}", student)
            if size == "L":
                self.leader = student
        for number in method.subsets if last else ():
            name = f"gen{generation}-{number}x"
            self.examine(f"{name}-XS", self._train(self._improved(grown[:number], name), "XS", f"{name}-XS"))

    def examine(self, name: str, student: Student) -> None:
        """Let an agent take its exams."""
        self.results.append(self.method.examined(self.problem, name, student))

    def _grown(self, generation: int, most: int) -> Passes:
        from methods.rest_react.generations import grow

        problem = self.problem
        return grow(
            self.leader.speaker(problem.lexicon),
            problem.train,
            problem.tool,
            self.method.settings(problem, "L"),
            seeds=[_seed(self.ctx, f"grow {generation} pass {number}") for number in range(most)],
        )

    def _improved(self, grown: Passes, name: str) -> tuple[StepExample, ...]:
        from methods.rest_react.generations import improve

        kept = self.method.kept(self.problem, [one for walks in grown for one in walks])
        # The same noise in the same place, whatever the size of the data.
        found = improve(name, kept, self.method.chooser(self.problem), self.ctx.rng(f"ranker {name[:4]}"))
        self.data.append(found.about)
        return found.examples

    def _train(self, examples: Sequence[StepExample], size: str, name: str) -> Student:
        return self.problem.students.train(examples, self.problem.lexicon, size, name, self.ctx)


def _seed(ctx: Context, name: str) -> int:
    return int(ctx.rng(name).integers(2**31))
