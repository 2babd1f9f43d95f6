"""Negative controls: LSP and its surroundings with one mechanism broken. No real method imports this."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, param
from methods.il_bench.asking import Executor
from methods.il_bench.method import LSP
from methods.il_bench.models import Speaker
from methods.il_bench.predictors import Input, Labelled, Predictor, Program
from methods.il_bench.problem import Learned, ProgramProblem
from methods.il_bench.programs import Leaf, Node
from methods.il_bench.task import SynTreeTask

if TYPE_CHECKING:
    import numpy as np

    from methods.il_bench.asking import Learner
    from methods.il_bench.items import Benchmark, Item
    from methods.il_bench.search import Expand, Propose, Search


@dataclass(frozen=True)
class Sabotaged(LSP):
    """LSP with one mechanism broken, at the same sizes and cost.

    ``shuffled-labels`` shows the learner its examples with their labels exchanged; ``vain-growth`` does so
    after the first module. ``fewest-errors`` expands the leaf with the fewest errors first.
    ``crossed-switch`` hangs each branch of the finished program under the next label. ``one-wording`` uses
    the finished program only for inputs that are worded as the training items are.
    """

    cites: ClassVar[str] = ""

    bug: Literal["shuffled-labels", "vain-growth", "fewest-errors", "crossed-switch", "one-wording"] = param(
        "shuffled-labels", source="ours", doc="what is broken"
    )

    def propose(self, ctx: Context) -> Propose:
        """See :class:`LSP`."""
        if self.bug == "shuffled-labels":
            return shuffled(ctx.rng("shuffled labels"))
        if self.bug == "vain-growth":
            return shuffled(ctx.rng("shuffled labels"), spared=super().propose(ctx))
        return super().propose(ctx)

    def expand(self) -> Expand:
        """See :class:`LSP`."""
        return best_leaves if self.bug == "fewest-errors" else super().expand()

    def wired(self, root: Node, problem: ProgramProblem) -> Predictor:
        """See :class:`LSP`."""
        if self.bug == "crossed-switch":
            return Program(crossed(root, problem.labels))
        if self.bug == "one-wording":
            return OneWording(Program(root), frozenset(wording(item.text) for item in problem.train))
        return super().wired(root, problem)


def shuffled(rng: np.random.Generator, *, spared: Propose | None = None) -> Propose:
    """RuleSum over items that have exchanged their labels.

    Args:
        rng: Exchanges them.
        spared: Proposes the first module, if that is to be honest.
    """

    def propose(learner: Learner, items: Sequence[Item], parent: str) -> str:
        if spared is not None and not parent:
            return spared(learner, items, parent)
        order = rng.permutation(len(items))
        pairs = zip(items, order, strict=True)
        return learner.summarise([replace(item, label=items[other].label) for item, other in pairs])

    return propose


def best_leaves(
    leaves: Sequence[Leaf], items: Sequence[Item], search: Search, rng: np.random.Generator
) -> list[Leaf]:
    """The leaves with errors and enough items, the one with the fewest errors first."""
    from methods.il_bench.search import worst_leaves

    ranked = worst_leaves(leaves, items, replace(search, leaves=max(1, len(leaves))), rng)
    return ranked[::-1][: search.leaves]


def crossed(root: Node, labels: Sequence[str]) -> Node:
    """The program with each branch hung under the next label: a switch that reads its label wrong."""
    following = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    children = {following[label]: crossed(child, labels) for label, child in root.children.items()}
    return replace(root, children=children)


_SYMBOL = re.compile(r"\b[A-Z]\b")


def wording(text: str) -> str:
    """A text with its symbols left out: what stays is the template and the order of the variables."""
    return _SYMBOL.sub("_", text)


@dataclass(frozen=True)
class OneWording(Predictor):
    """A program for inputs worded as those that it was learnt from; others get its fallback label.

    Attributes:
        inner: The program.
        known: Wordings of the training items.
    """

    inner: Program
    known: frozenset[str]

    @property
    def program(self) -> Node:
        """See :class:`Predictor`."""
        return self.inner.program

    def answer(self, inputs: Sequence[Input], executor: Executor) -> Labelled:
        """See :class:`Predictor`."""
        said = self.inner.answer(inputs, executor)
        pairs = zip(said.labels, inputs, strict=True)
        fallback = self.program.fallback
        labels = [label if wording(one.text) in self.known else fallback for label, one in pairs]
        return Labelled(labels, said.calls)


@dataclass
class ErringExecutor(Executor):
    """An executor of which three of ten answers are exchanged for the next label.

    Which ones depends on instruction and input alone, so that routing never changes.
    """

    def __call__(self, instruction: str, texts: Sequence[str]) -> list[str | None]:
        """See :class:`Executor`."""
        said = super().__call__(instruction, texts)
        pairs = zip(said, texts, strict=True)
        return [self._next(label) if _errs(instruction, text) else label for label, text in pairs]

    def _next(self, label: str | None) -> str:
        place = -1 if label is None else self.labels.index(label)
        return self.labels[(place + 1) % len(self.labels)]


def _errs(instruction: str, text: str) -> bool:
    digest = blake2b(f"{instruction}\0{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < 0.3 * 2**64


@dataclass(frozen=True, kw_only=True)
class ErringStranger(SynTreeTask):
    """Hidden trees whose other executor errs in three of ten calls."""

    @classmethod
    def of(cls, task: SynTreeTask) -> ErringStranger:
        """The same task with that executor."""
        return cls(**{item.name: getattr(task, item.name) for item in fields(task)})

    def stranger(self, other: Speaker, found: Benchmark, result: Learned, ctx: Context) -> Executor:
        """See :class:`~methods.il_bench.task.Learning`."""
        whole = super().stranger(other, found, result, ctx)
        return ErringExecutor(whole.model, whole.labels, options=whole.options, new_tokens=whole.new_tokens)
