"""Learning LLM-symbolic programs: modules by summarising rules, structure by errors (card §3.3, §3.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.method import ProblemError
from methods.il_bench.asking import Learner, paraphrase_request
from methods.il_bench.items import Item, majority
from methods.il_bench.programs import Leaf, Node, Path, Predict, attach, route, run

Choice = Literal["count", "rate", "random", "any"]
Propose = Callable[[Learner, Sequence[Item], str], str]
"""From a learner, a batch of items and the parent's instruction (none for the root) to an instruction."""
Expand = Callable[[Sequence[Leaf], Sequence[Item], "Search", np.random.Generator], list[Leaf]]
"""From all leaves, the items, the sizes and draws to the leaves that are expanded."""


@dataclass(frozen=True)
class Search:
    """Size and rules of the search.

    Attributes:
        steps: T: expansions with the first module, so that T = 1 is one prompt.
        proposals: m: instructions tried for each module.
        batch: b: examples shown for each.
        beam: d: programs kept.
        leaves: K: leaves of a program expanded in a step.
        strict: Take a module only if it is right more often than the leaf's own label.
        leaf: Which leaves: most errors, largest rate of errors, at random one with errors, or any at all.
        least: Smallest leaf that is expanded.
        early: End with the first expansion that finds nothing better. Proposals differ each time, so a
            search that goes on may still find something; where leaves are drawn it always goes on.

    Raises:
        ProblemError: If a size is below 1.
    """

    steps: int = 8
    proposals: int = 4
    batch: int = 64
    beam: int = 1
    leaves: int = 1
    strict: bool = True
    leaf: Choice = "count"
    least: int = 4
    early: bool = True

    def __post_init__(self) -> None:
        """Check the sizes."""
        for name in ("steps", "proposals", "batch", "beam", "leaves", "least"):
            if getattr(self, name) < 1:
                raise ProblemError(
                    f"{name} = {getattr(self, name)}", where="Search", fix="Set it to at least 1."
                )


@dataclass(frozen=True)
class Step:
    """Where a search stands after an expansion.

    Attributes:
        program: The best so far.
        right: Training items that it labels rightly.
        calls: Proposals asked of the learner so far.
    """

    program: Node
    right: int
    calls: int


def learn_program(
    items: Sequence[Item],
    search: Search,
    learner: Learner,
    predict: Predict,
    rng: np.random.Generator,
    *,
    validation: Sequence[Item] = (),
    propose: Propose | None = None,
    expand: Expand | None = None,
) -> tuple[Node, list[Step]]:
    """Grow a program from the whole training set (Algorithm 2).

    Args:
        items: Training items.
        search: Sizes.
        learner: Writes instructions.
        predict: Applies them.
        rng: Chooses examples, and leaves where they are random.
        validation: Chooses the program of the last beam; the training items do without it.
        propose: How an instruction is proposed; by :func:`summarised` without it.
        expand: Which leaves are expanded; those of :func:`worst_leaves` without it.

    Returns:
        The program, and the best program after each step.
    """
    growth = _Growth(items, search, learner, predict, rng, propose or summarised, expand or worst_leaves)
    beam = _best([(node, _right(node, items, predict)) for node in growth.modules(items)], search.beam)
    steps = [Step(*beam[0], learner.asked)]
    for _ in range(search.steps - 1):
        if beam[0][1] == len(items) or learner.left < 1:
            break
        before = beam
        pool = [*beam, *(grown for program, right in beam for grown in growth.expansions(program, right))]
        beam = _best(pool, search.beam)
        steps.append(Step(*beam[0], learner.asked))
        if beam == before and search.early and search.leaf in ("count", "rate"):
            break
    if validation:
        scored = [(program, _right(program, validation, predict)) for program, _ in beam]
        return _best(scored, 1)[0][0], steps
    return beam[0][0], steps


def worst_leaves(
    leaves: Sequence[Leaf], items: Sequence[Item], search: Search, rng: np.random.Generator
) -> list[Leaf]:
    """The leaves to expand: those with errors and enough items, the worst first.

    Of equally bad leaves, the one that was found first comes first.
    """
    open_leaves = [
        leaf
        for leaf in leaves
        if len(leaf.members) >= search.least and (search.leaf == "any" or _errors(leaf, items) > 0)
    ]
    if search.leaf in ("random", "any"):
        return [open_leaves[place] for place in rng.permutation(len(open_leaves))[: search.leaves]]

    def badness(leaf: Leaf) -> float:
        errors = _errors(leaf, items)
        return errors / len(leaf.members) if search.leaf == "rate" else float(errors)

    return sorted(open_leaves, key=badness, reverse=True)[: search.leaves]


def summarised(learner: Learner, items: Sequence[Item], parent: str) -> str:
    """RuleSum: rules that sum up the items."""
    return learner.summarise(items)


def paraphrased(learner: Learner, items: Sequence[Item], parent: str) -> str:
    """A variation of the parent's instruction that never looks at the items; the root has none to vary."""
    return learner.write(paraphrase_request(parent)) if parent else learner.summarise(items)


def spread(items: Sequence[Item], size: int, rng: np.random.Generator) -> list[Item]:
    """At most ``size`` items, labels in proportion, with one item of each label where there is room."""
    if len(items) <= size:
        return list(items)
    groups: dict[str, list[Item]] = {}
    for place in rng.permutation(len(items)):
        groups.setdefault(items[place].label, []).append(items[place])
    shares = {label: max(1, round(size * len(group) / len(items))) for label, group in groups.items()}
    chosen = [item for label, group in sorted(groups.items()) for item in group[: shares[label]]]
    return [chosen[place] for place in rng.permutation(len(chosen))[:size]]


@dataclass(frozen=True)
class _Growth:
    """What every expansion of one search shares."""

    items: Sequence[Item]
    search: Search
    learner: Learner
    predict: Predict
    rng: np.random.Generator
    propose: Propose
    expand: Expand

    def modules(self, items: Sequence[Item], parent: str = "") -> list[Node]:
        """m modules for some of the items, each from a batch of its own (Algorithm 1)."""
        fallback = majority(items, self.learner.labels)
        count = min(self.search.proposals, self.learner.left)
        batches = [spread(items, self.search.batch, self.rng) for _ in range(int(count))]
        return [Node(self.propose(self.learner, batch, parent), fallback) for batch in batches]

    def expansions(self, program: Node, right: int) -> list[tuple[Node, int]]:
        """Programs with one more module behind one of the worst leaves, and how often they are right."""
        leaves = route(program, _texts(self.items), self.predict)
        found = []
        for leaf in self.expand(leaves, self.items, self.search, self.rng):
            members = [self.items[i] for i in leaf.members]
            standing = len(members) - _errors(leaf, self.items)
            for child in self.modules(members, _at(program, leaf.path).instruction):
                said = run(child, _texts(members), self.predict)
                better = sum(label == item.label for label, item in zip(said, members, strict=True))
                # A module that gives one label only would leave the same items in one leaf, one level deeper.
                if len(set(said)) == 1 or (self.search.strict and better <= standing):
                    continue
                grown = attach(program, leaf.path, leaf.label, child)
                found.append((grown, right + better - standing))
        return found


def _at(root: Node, path: Path) -> Node:
    for label in path:
        root = root.children[label]
    return root


def _best(pool: Sequence[tuple[Node, int]], count: int) -> list[tuple[Node, int]]:
    """The most often right; of equals the smaller, then the older."""
    return sorted(pool, key=lambda one: (-one[1], one[0].size))[:count]


def _errors(leaf: Leaf, items: Sequence[Item]) -> int:
    return sum(items[i].label != leaf.label for i in leaf.members)


def _right(program: Node, items: Sequence[Item], predict: Predict) -> int:
    said = run(program, _texts(items), predict)
    return sum(label == item.label for label, item in zip(said, items, strict=True))


def _texts(items: Sequence[Item]) -> list[str]:
    return [item.text for item in items]


def prune(program: Node, items: Sequence[Item], predict: Predict) -> Node:
    """Cut branches that do not help on held-out items, the deepest first (reduced-error pruning)."""
    for path, node in sorted(program.modules(), key=lambda one: -len(one[0])):
        for label in node.children:
            cut = _without(program, path, label)
            if _right(cut, items, predict) >= _right(program, items, predict):
                program = cut
    return program


def _without(root: Node, path: Path, label: str) -> Node:
    if path:
        child = root.children.get(path[0])
        if child is None:
            return root
        return Node(
            root.instruction, root.fallback, {**root.children, path[0]: _without(child, path[1:], label)}
        )
    kept = {name: child for name, child in root.children.items() if name != label}
    return Node(root.instruction, root.fallback, kept)
