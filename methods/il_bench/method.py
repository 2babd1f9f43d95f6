"""Ways to learn readable classifiers: LSP, searches for one instruction, examples, votes; and metrics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, Method, mean_of, param
from methods.il_bench.predictors import Ballot, Predictor, Program
from methods.il_bench.problem import LONG_ANSWER, SHORT_ANSWER, Learned, ProgramProblem, Spent
from methods.il_bench.programs import Node

if TYPE_CHECKING:
    from methods.il_bench.asking import Executor, Learner
    from methods.il_bench.baselines import Bench
    from methods.il_bench.search import Expand, Propose, Step

WANG = "Wang et al. (2025), arXiv:2406.17224"
ZHOU = "Zhou et al. (2023), arXiv:2211.01910"
YANG = "Yang et al. (2024), arXiv:2309.03409"
PRYZANT = "Pryzant et al. (2023), arXiv:2305.03495"
WEI = "Wei et al. (2022), arXiv:2201.11903"
MORRIS = "Morris et al. (2023), arXiv:2310.14034"

ACCURACY = mean_of("correct", better="higher", name="accuracy", worst=0.0)
"""Of any set, and of the rows of a curve."""
CALLS = mean_of("calls", better="lower", name="calls an input", digits=2)
"""Executor calls for one answer, of any set."""
MODULES = mean_of("modules", better="lower", name="modules", digits=1)
"""Of part ``search`` and of the rows of a curve."""
RULES = mean_of("rules", better="lower", name="rules", digits=1)
LEARNER_CALLS = mean_of("learner", better="lower", name="learner requests", digits=0)
EXECUTOR_CALLS = mean_of("executor", better="lower", name="executor calls of the search", digits=0)
UNREADABLE = mean_of("unreadable", better="lower", name="unreadable answers", digits=0)
"""All of part ``search``."""


@dataclass(frozen=True)
class LSP(Method[ProgramProblem, Learned]):
    """LLM-symbolic programs: a tree of instructions, grown leaf by leaf where most errors are."""

    problem_type: ClassVar[type] = ProgramProblem
    cites: ClassVar[str] = WANG

    expansions: int = param(8, source="card, section 9", doc="T: modules tried one after the other")
    proposals: int = param(4, source="card, section 9", doc="m: instructions tried for each")
    batch: int = param(64, source="card, section 9", doc="b: examples shown for each")
    beam: int = param(1, source="card, section 3.4", doc="d: programs kept")
    leaves: int = param(1, source="card, section 3.4", doc="K: leaves expanded in a step")
    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    select: Literal["count", "rate", "random", "any"] = param(
        "count", source="card, section 3.4", doc="which leaf: most errors, largest rate, any with errors, any"
    )
    learner: Literal["rulesum", "paraphrase"] = param(
        "rulesum", source="card, section 3.3", doc="summarise data, or paraphrase the parent's instruction"
    )
    strict: bool = param(default=True, source="card, section 3.4", doc="take improvements only")
    least: int = param(4, source="ours", doc="smallest leaf that is expanded")
    chosen: Literal["train", "validation"] = param(
        "train", source="card, section 3.4", doc="what ranks the last beam"
    )
    pruned: bool = param(default=False, source="card, section 3.4", doc="cut branches on validation data")
    early: bool = param(
        default=True, source="card, section 3.4", doc="end with the first expansion that finds nothing better"
    )
    curve: bool = param(default=False, source="ours", doc="evaluate the program after each expansion")

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Grow a program within the budget."""
        from methods.il_bench.search import Search, learn_program, prune

        search = Search(
            steps=self.expansions,
            proposals=self.proposals,
            batch=self.batch,
            beam=self.beam,
            leaves=self.leaves,
            strict=self.strict,
            leaf=self.select,
            least=self.least,
            early=self.early,
        )
        learner, executor = problem.learner(ctx, rules=self.rules), problem.executor(ctx)
        root, steps = learn_program(
            problem.train,
            search,
            learner,
            executor,
            ctx.rng("batches"),
            validation=problem.validation if self.chosen == "validation" else (),
            propose=self.propose(ctx),
            expand=self.expand(),
        )
        if self.pruned:
            root = prune(root, problem.validation, executor)
        done = learned(self.wired(root, problem), learner, executor, steps)
        if self.curve:
            for number, step in enumerate(steps, start=1):
                so_far = replace(
                    done, predictor=Program(step.program), growth=tuple(steps[:number]), finished=False
                )
                ctx.probe(number, so_far)
        return done

    def propose(self, ctx: Context) -> Propose:
        """How an instruction is proposed for a node."""
        from methods.il_bench.search import paraphrased, summarised

        return summarised if self.learner == "rulesum" else paraphrased

    def expand(self) -> Expand:
        """Which leaves are expanded."""
        from methods.il_bench.search import worst_leaves

        return worst_leaves

    def wired(self, root: Node, problem: ProgramProblem) -> Predictor:
        """What uses the program; a negative control changes it."""
        return Program(root)


class OneInstruction(Method[ProgramProblem, Learned]):
    """A search for one instruction, which is applied to every input."""

    problem_type: ClassVar[type] = ProgramProblem
    rules: int

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Search with the whole budget."""
        learner, executor = problem.learner(ctx, rules=self.rules), problem.executor(ctx)
        bench = open_bench(problem, learner, executor, ctx)
        return learned(one(self.search(bench, problem), problem), learner, executor)

    @abstractmethod
    def search(self, bench: Bench, problem: ProgramProblem) -> str:
        """The instruction."""


@dataclass(frozen=True)
class BestOf(OneInstruction):
    """The best of as many summaries of examples as the budget allows."""

    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    batch: int = param(64, source="card, section 9", doc="examples shown for each")

    def search(self, bench: Bench, problem: ProgramProblem) -> str:
        """See :class:`OneInstruction`."""
        from methods.il_bench.baselines import best_of

        return best_of(bench, shown=self.batch)


@dataclass(frozen=True)
class LongPrompt(BestOf):
    """One instruction with as many rules as a whole program: the control that LSP must be read with.

    Compare several lengths: an executor that loses itself in 24 rules may be best served by six.
    """

    rules: int = param(24, source="card, section 9", doc="rules that an instruction may have")


@dataclass(frozen=True)
class Ape(OneInstruction):
    """APE: proposals from demonstrations, then variations of the best."""

    cites: ClassVar[str] = ZHOU

    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    batch: int = param(64, source="card, section 9", doc="demonstrations for a proposal")
    rounds: int = param(2, source="ours", doc="rounds of variations")

    def search(self, bench: Bench, problem: ProgramProblem) -> str:
        """See :class:`OneInstruction`."""
        from methods.il_bench.baselines import ape

        return ape(bench, shown=self.batch, rounds=self.rounds)


@dataclass(frozen=True)
class Opro(OneInstruction):
    """OPRO: instructions from the history of instructions and their scores."""

    cites: ClassVar[str] = YANG

    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    each: int = param(8, source="Yang et al. (2024), section 5.1", doc="instructions a step")
    kept: int = param(20, source="Yang et al. (2024), section 5.1", doc="instructions shown")
    exemplars: int = param(3, source="Yang et al. (2024), section 5.1", doc="examples shown")

    def search(self, bench: Bench, problem: ProgramProblem) -> str:
        """See :class:`OneInstruction`."""
        from methods.il_bench.baselines import opro

        return opro(bench, start=problem.question, each=self.each, kept=self.kept, exemplars=self.exemplars)


@dataclass(frozen=True)
class ProTeGi(OneInstruction):
    """ProTeGi: criticism of errors, edits after it, variations, and a beam."""

    cites: ClassVar[str] = PRYZANT

    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    beam: int = param(4, source="official code of ProTeGi", doc="instructions kept")
    batch: int = param(64, source="official code of ProTeGi", doc="items looked at for errors")

    def search(self, bench: Bench, problem: ProgramProblem) -> str:
        """See :class:`OneInstruction`."""
        from methods.il_bench.baselines import Gradients, protegi

        return protegi(bench, sizes=Gradients(beam=self.beam, minibatch=self.batch))


@dataclass(frozen=True)
class ZeroShot(Method[ProgramProblem, Learned]):
    """The question alone: what a model knows without any example."""

    problem_type: ClassVar[type] = ProgramProblem

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Nothing is learnt; unreadable answers count as the first label, whose place means nothing."""
        return Learned(Program(Node(problem.question, problem.labels[0])))


@dataclass(frozen=True)
class InContext(Method[ProgramProblem, Learned]):
    """In-context learning: some labelled examples before each input."""

    problem_type: ClassVar[type] = ProgramProblem

    shots: int = param(32, source="card, section 9", doc="examples before each input")
    reasoning: bool = param(default=False, source="ours", doc="ask for reasoning before the label")

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Choose the examples, spread over the labels."""
        from methods.il_bench.asking import shots_instruction
        from methods.il_bench.search import spread

        items = spread(problem.train, self.shots, ctx.rng("examples"))
        instruction = shots_instruction(problem.question, items, reasoning=self.reasoning)
        tokens = LONG_ANSWER if self.reasoning else SHORT_ANSWER
        return Learned(one(instruction, problem), new_tokens=tokens)


@dataclass(frozen=True)
class ChainOfThought(InContext):
    """In-context learning in which the model reasons before it answers."""

    cites: ClassVar[str] = WEI

    shots: int = param(8, source="Wei et al. (2022), section 3.1", doc="examples before each input")
    reasoning: bool = param(
        default=True, source="Wei et al. (2022)", doc="ask for reasoning before the label"
    )


@dataclass(frozen=True)
class Ensemble(Method[ProgramProblem, Learned]):
    """The best few of all proposals vote: as many calls an input as a program takes."""

    problem_type: ClassVar[type] = ProgramProblem

    voters: int = param(3, source="ours", doc="instructions that vote")
    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    batch: int = param(64, source="card, section 9", doc="examples shown for each")

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Propose with the whole budget and keep the best."""
        from methods.il_bench.baselines import ranked
        from methods.il_bench.items import majority

        learner, executor = problem.learner(ctx, rules=self.rules), problem.executor(ctx)
        chosen = ranked(open_bench(problem, learner, executor, ctx), shown=self.batch)[: self.voters]
        return learned(Ballot(tuple(chosen), majority(problem.train, problem.labels)), learner, executor)


@dataclass(frozen=True)
class TreePrompting(Method[ProgramProblem, Learned]):
    """Tree Prompting: a decision tree over the answers to a fixed pool of instructions."""

    problem_type: ClassVar[type] = ProgramProblem
    cites: ClassVar[str] = MORRIS

    leaves: int = param(8, source="ours", doc="leaves of the tree")
    rules: int = param(3, source="card, section 9", doc="rules that an instruction may have")
    batch: int = param(64, source="card, section 9", doc="examples shown for each")

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Propose with the whole budget, then fit the tree."""
        from methods.il_bench.baselines import ranked
        from methods.il_bench.prompt_tree import fit_prompt_tree

        learner, executor = problem.learner(ctx, rules=self.rules), problem.executor(ctx)
        pool = ranked(open_bench(problem, learner, executor, ctx), shown=self.batch)
        return learned(fit_prompt_tree(pool, problem.train, executor, self.leaves), learner, executor)


def open_bench(problem: ProgramProblem, learner: Learner, executor: Executor, ctx: Context) -> Bench:
    """What searches for one instruction work with."""
    from methods.il_bench.baselines import Bench

    return Bench(problem.train, learner, executor, ctx.rng("batches"), problem.budget.learner)


def one(instruction: str, problem: ProgramProblem) -> Program:
    """A program of one module."""
    from methods.il_bench.items import majority

    return Program(Node(instruction, majority(problem.train, problem.labels)))


def learned(
    predictor: Predictor, learner: Learner, executor: Executor, growth: Sequence[Step] = ()
) -> Learned:
    """A finished search with what it asked."""
    wrote, read = learner.model.usage, executor.model.usage
    spent = Spent(
        learner=learner.asked,
        executor=executor.asked,
        learner_tokens=wrote.prompt_tokens + wrote.completion_tokens,
        executor_tokens=read.prompt_tokens + read.completion_tokens,
        unreadable=executor.unreadable,
    )
    return Learned(predictor, spent, tuple(growth), executor)
