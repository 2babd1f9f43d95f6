"""What has been learnt: something that labels inputs, by asking an executor or without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from methods.il_bench.programs import Node, route

if TYPE_CHECKING:
    from methods.il_bench.asking import Executor


@dataclass(frozen=True)
class Input:
    """What is known of an item that is to be labelled.

    Attributes:
        text: What a language model reads.
        values: The symbols behind the text, for methods that read no text.
    """

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Labelled:
    """Answers to a sequence of inputs.

    Attributes:
        labels: The label of each.
        calls: Executor calls that each took.
    """

    labels: list[str]
    calls: list[int]


class Predictor(ABC):
    """A solution of a problem."""

    @property
    def program(self) -> Node | None:
        """The program, where the solution is one."""
        return None

    @abstractmethod
    def answer(self, inputs: Sequence[Input], executor: Executor) -> Labelled:
        """Label inputs with the help of an executor, any executor."""


@dataclass(frozen=True)
class Program(Predictor):
    """A program of instructions; one instruction alone is the smallest."""

    root: Node

    @property
    def program(self) -> Node:
        """See :class:`Predictor`."""
        return self.root

    def answer(self, inputs: Sequence[Input], executor: Executor) -> Labelled:
        """See :class:`Predictor`."""
        labels, calls = [""] * len(inputs), [0] * len(inputs)
        for leaf in route(self.root, [one.text for one in inputs], executor):
            for place in leaf.members:
                labels[place], calls[place] = leaf.label, len(leaf.path) + 1
        return Labelled(labels, calls)


@dataclass(frozen=True)
class Ballot(Predictor):
    """Several instructions that vote.

    Attributes:
        instructions: The voters.
        fallback: The label where none names one.
    """

    instructions: tuple[str, ...]
    fallback: str

    def answer(self, inputs: Sequence[Input], executor: Executor) -> Labelled:
        """See :class:`Predictor`."""
        from methods.il_bench.baselines import vote

        said = vote(self.instructions, [one.text for one in inputs], executor)
        labels = [self.fallback if label is None else label for label in said]
        return Labelled(labels, [len(self.instructions)] * len(inputs))


@dataclass(frozen=True)
class Ask:
    """A node of a tree over answers: did an instruction give a label?

    Attributes:
        instruction: What is asked; empty for a leaf.
        label: What the answer is compared with, or the leaf's label.
        yes: The tree for equal answers.
        no: The tree for others.
    """

    instruction: str
    label: str
    yes: Ask | None = None
    no: Ask | None = None


@dataclass(frozen=True)
class PromptTree(Predictor):
    """A binary tree over the answers to a fixed pool of instructions (Tree Prompting)."""

    root: Ask

    def answer(self, inputs: Sequence[Input], executor: Executor) -> Labelled:
        """See :class:`Predictor`; an instruction asked twice on a path is paid for once."""
        labels = [""] * len(inputs)
        asked: list[set[str]] = [set() for _ in inputs]
        waiting = [(self.root, list(range(len(inputs))))]
        while waiting:
            node, places = waiting.pop()
            if node.yes is None or node.no is None:
                for place in places:
                    labels[place] = node.label
                continue
            said = executor(node.instruction, [inputs[place].text for place in places])
            sides: dict[bool, list[int]] = {True: [], False: []}
            for place, label in zip(places, said, strict=True):
                asked[place].add(node.instruction)
                sides[label == node.label].append(place)
            waiting += [(node.yes, sides[True]), (node.no, sides[False])]
        return Labelled(labels, [len(one) for one in asked])
