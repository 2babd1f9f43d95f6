"""How well an executor follows rule lists of growing length, as context for C1 (card §9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.il_bench.models import READER, Speaker
from methods.il_bench.problem import open_executor

FOLLOWED = mean_of("correct", better="higher", name="rules followed", worst=0.0)
"""Share of inputs that get the label that the rules give."""


@dataclass(frozen=True)
class RuleList:
    """Rules with inputs that they decide.

    Attributes:
        rules: Number of rules that the writer was allowed.
        number: Among the lists of this length.
        instruction: The rules as text.
        texts: Inputs.
    """

    rules: int
    number: int
    instruction: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FollowingProblem:
    """Rule lists to be followed.

    Attributes:
        labels: All labels.
        lists: Rules and inputs.
        reader: Follows them.
        options: The reader chooses the likeliest label instead of writing one.
    """

    labels: tuple[str, ...]
    lists: tuple[RuleList, ...]
    reader: Speaker
    options: bool


@dataclass(frozen=True)
class Followed:
    """Answers to each list's inputs; None where an answer names no label."""

    answers: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class Follow(Method[FollowingProblem, Followed]):
    """An executor that applies each list to its inputs."""

    problem_type: ClassVar[type] = FollowingProblem

    def run(self, problem: FollowingProblem, ctx: Context) -> Followed:
        """Ask for each pair of list and input."""
        executor = open_executor(problem.reader, problem.labels, ctx, options=problem.options)
        return Followed(tuple(tuple(executor(one.instruction, one.texts)) for one in problem.lists))


@dataclass(frozen=True, kw_only=True)
class RuleFollowing(Task[FollowingProblem, Followed]):
    """Follow rule lists that a learner wrote about a hidden tree, of every length.

    A learner that may write n rules about a deep tree writes n; the right label is what the list gives,
    whether or not the list is right about the tree. Trees, lists and inputs are fresh for each seed.

    Attributes:
        reader: The executor that is measured.
    """

    reader: Speaker = READER
    counts: tuple[int, ...] = param((1, 2, 3, 4, 6, 8, 12, 16, 24), source="ours", doc="rules of a list")
    lists: int = param(4, source="ours", doc="trees, each with one list of every length")
    inputs: int = param(25, source="ours", doc="inputs under each list")
    depth: int = param(4, source="ours", doc="depth of the trees: deep enough for the longest list")
    variables: int = param(8, source="card, section 9", doc="variables of an input")
    shown: int = param(400, source="card, section 9", doc="items from which a list is written")
    options: bool = param(default=False, source="ours", doc="choose the likeliest label")

    def problem(self, ctx: Context) -> FollowingProblem:
        """Lists with their inputs."""
        labels, lists = self._lists(ctx)
        return FollowingProblem(labels, lists, self.reader, self.options)

    def evaluate(self, result: Followed, ctx: Context) -> Scores:
        """One row a pair: the number of rules, and whether the label is what the rules give."""
        from methods.il_bench.rules import apply_rules, parse_rules, read_values

        rows: dict[str, list[object]] = {"unit_id": [], "rules": [], "correct": []}
        for one, said in zip(self._lists(ctx)[1], result.answers, strict=True):
            rules = parse_rules(one.instruction)
            for place, (text, label) in enumerate(zip(one.texts, said, strict=True)):
                rows["unit_id"].append(f"{one.rules}-{one.number}-{place}")
                rows["rules"].append(one.rules)
                rows["correct"].append(int(label == apply_rules(rules, read_values(text))))
        return Scores({"main": rows})

    def _lists(self, ctx: Context) -> tuple[tuple[str, ...], tuple[RuleList, ...]]:
        from methods.il_bench.rules import print_rules
        from methods.il_bench.surrogate import fit_rules
        from methods.il_bench.syntree import SynTree, make_syntree

        rng = ctx.rng("rule lists")
        size = SynTree(self.depth, self.variables, train=self.shown, validation=0, test=self.inputs)
        found: list[RuleList] = []
        labels: tuple[str, ...] = ()
        for number in range(self.lists):
            benchmark, _ = make_syntree(size, rng)
            # Lists of several trees are read under one set of labels: the first tree's names.
            names = dict(zip(benchmark.labels, labels or benchmark.labels, strict=True))
            labels = labels or benchmark.labels
            examples = [(dict(item.values), names[item.label]) for item in benchmark.train]
            texts = tuple(item.text for item in benchmark.test)
            found += [
                RuleList(count, number, print_rules(fit_rules(examples, count, number)), texts)
                for count in self.counts
            ]
        return labels, tuple(found)
