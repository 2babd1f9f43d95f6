"""SynTree: labels of symbolic inputs by a hidden decision tree (card §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from harness.method import ProblemError
from methods.il_bench.items import SYMBOLS, Benchmark, Item
from methods.il_bench.templates import Template, render

VALUES: tuple[str, ...] = ("A", "B", "C", "D", "E", "F")
"""Names of the values of a variable."""
LARGEST, SMALLEST = Fraction(3, 5), Fraction(2, 25)
"""A tree is drawn again if a class has this share or more, or this share or less."""
_ATTEMPTS = 1000


@dataclass(frozen=True)
class Tree:
    """A hidden tree: an inner node asks for a variable, a leaf has a label.

    Attributes:
        label: Of a leaf; empty for an inner node.
        variable: Of an inner node.
        branches: By value of the variable.
    """

    label: str = ""
    variable: str = ""
    branches: Mapping[str, Tree] = field(default_factory=dict)

    def __call__(self, values: Mapping[str, str]) -> str:
        """The label of an assignment."""
        return self.label or self.branches[values[self.variable]](values)

    @property
    def depth(self) -> int:
        """Variables on the longest path."""
        return 1 + max(child.depth for child in self.branches.values()) if self.branches else 0

    def shares(self) -> dict[str, Fraction]:
        """Exact share of each label under uniform inputs."""
        if self.label:
            return {self.label: Fraction(1)}
        found: dict[str, Fraction] = {}
        for child in self.branches.values():
            for label, share in child.shares().items():
                found[label] = found.get(label, Fraction(0)) + share / len(self.branches)
        return found


@dataclass(frozen=True)
class SynTree:
    """Size of a world of SynTree.

    Attributes:
        depth: D, variables asked on each path.
        variables: d; those that the tree does not ask for are nuisance.
        values: v, values of each variable.
        labels: K.
        train: Items to learn from.
        validation: Items to choose by.
        test: Items for scores, and for each shifted set.

    Raises:
        ProblemError: If the tree cannot be drawn with these sizes.
    """

    depth: int = 2
    variables: int = 6
    values: int = 3
    labels: int = 3
    train: int = 400
    validation: int = 100
    test: int = 1000

    def __post_init__(self) -> None:
        """Check the sizes."""
        wrong = {
            f"depth {self.depth} needs as many variables, and there are {self.variables}": self.depth
            > self.variables,
            f"depth {self.depth}": self.depth < 1,
            f"{self.values} values": not 2 <= self.values <= len(VALUES),
            f"{self.labels} labels": not 2 <= self.labels <= min(len(SYMBOLS), self.values**self.depth),
        }
        for what, is_wrong in wrong.items():
            if is_wrong:
                raise ProblemError(
                    f"SynTree with {what} cannot be drawn",
                    where="SynTree",
                    fix=f"Choose 1 ≤ depth ≤ variables, 2 to {len(VALUES)} values, and 2 labels or more, "
                    "as many as there are leaves at most.",
                )


def draw_tree(size: SynTree, labels: Sequence[str], rng: np.random.Generator) -> Tree:
    """A tree in which no path asks twice and no label is too frequent or too rare.

    Raises:
        ProblemError: If none was found in many attempts.
    """
    names = [f"x{number}" for number in range(1, size.variables + 1)]
    leaves = size.values**size.depth
    # Three leaves and two labels cannot be spread more evenly than 2 : 1.
    evenest = Fraction(-(-leaves // len(labels)), leaves)
    for _ in range(_ATTEMPTS):
        tree = _grow(size, labels, names, size.depth, rng)
        shares = [tree.shares().get(label, Fraction(0)) for label in labels]
        if (max(shares) < LARGEST or max(shares) == evenest) and min(shares) > SMALLEST:
            return tree
    raise ProblemError(
        f"No balanced tree in {_ATTEMPTS} attempts",
        where="SynTree",
        fix="Ask for fewer labels, or for a deeper tree.",
    )


def _grow(
    size: SynTree, labels: Sequence[str], names: Sequence[str], depth: int, rng: np.random.Generator
) -> Tree:
    if depth == 0:
        return Tree(label=labels[int(rng.integers(len(labels)))])
    variable = names[int(rng.integers(len(names)))]
    others = [name for name in names if name != variable]
    branches = {value: _grow(size, labels, others, depth - 1, rng) for value in VALUES[: size.values]}
    return Tree(variable=variable, branches=branches)


def make_syntree(size: SynTree, rng: np.random.Generator) -> tuple[Benchmark, Tree]:
    """A benchmark with the tree behind it.

    Shifted test sets: ``order`` (variables in another order), ``json`` and ``sentence`` (other
    templates), ``margin`` (one value of the root variable has a tenth of its weight), ``nuisance``
    (variables that the tree never asks for take values never seen).
    """
    labels = [SYMBOLS[place] for place in rng.permutation(len(SYMBOLS))[: size.labels]]
    tree = draw_tree(size, labels, rng)
    names = [f"x{number}" for number in range(1, size.variables + 1)]
    count = size.train + size.validation + size.test
    drawn = _draw(names, size, count, rng)
    items = _items("item", drawn, tree, "equations")
    cuts = (size.train, size.train + size.validation)
    tested = drawn[cuts[1] :]
    order = [names[place] for place in rng.permutation(len(names))]
    reordered = [{name: values[name] for name in order} for values in tested]
    shifted = {
        "order": _items("order", reordered, tree, "equations"),
        "json": _items("json", tested, tree, "json"),
        "sentence": _items("sentence", tested, tree, "sentence"),
        "margin": _items("margin", _tilted(names, size, tree.variable, rng), tree, "equations"),
        "nuisance": _items("nuisance", _unseen(tested, tree, rng), tree, "equations"),
    }
    benchmark = Benchmark(
        name=f"syntree-{size.depth}",
        question="Which label does the input have?",
        labels=tuple(labels),
        train=items[: cuts[0]],
        validation=items[cuts[0] : cuts[1]],
        test=items[cuts[1] :],
        shifted=shifted,
    )
    return benchmark, tree


def asked(tree: Tree) -> set[str]:
    """The variables that a tree asks for anywhere."""
    below = set().union(*(asked(child) for child in tree.branches.values())) if tree.branches else set()
    return below | ({tree.variable} if tree.variable else set())


def _draw(names: Sequence[str], size: SynTree, count: int, rng: np.random.Generator) -> list[dict[str, str]]:
    table = rng.integers(size.values, size=(count, len(names)))
    return [{name: VALUES[place] for name, place in zip(names, row, strict=True)} for row in table.tolist()]


def _tilted(names: Sequence[str], size: SynTree, root: str, rng: np.random.Generator) -> list[dict[str, str]]:
    weights = np.ones(size.values)
    weights[0] = 0.1
    found = _draw(names, size, size.test, rng)
    places = rng.choice(size.values, size=size.test, p=weights / weights.sum())
    return [{**values, root: VALUES[place]} for values, place in zip(found, places.tolist(), strict=True)]


def _unseen(drawn: Sequence[Mapping[str, str]], tree: Tree, rng: np.random.Generator) -> list[dict[str, str]]:
    needed = asked(tree)
    fresh = [chr(ord("P") + place) for place in rng.integers(6, size=len(drawn)).tolist()]
    return [
        {name: value if name in needed else new for name, value in values.items()}
        for values, new in zip(drawn, fresh, strict=True)
    ]


def _items(
    prefix: str, drawn: Sequence[Mapping[str, str]], tree: Tree, template: Template
) -> tuple[Item, ...]:
    return tuple(
        Item(f"{prefix}-{number}", render(values, template), tree(values), dict(values))
        for number, values in enumerate(drawn)
    )
