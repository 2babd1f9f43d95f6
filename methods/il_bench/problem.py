"""What methods are given to learn from, and what they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.method import Context
from methods.il_bench.models import Speaker
from methods.il_bench.predictors import Predictor

if TYPE_CHECKING:
    from methods.il_bench.asking import Executor, Learner
    from methods.il_bench.items import Item
    from methods.il_bench.search import Step

SHORT_ANSWER, LONG_ANSWER = 16, 200
"""Tokens of an answer that is a label, and of one that reasons before it names a label."""


@dataclass(frozen=True)
class Budget:
    """What a search may ask.

    Attributes:
        learner: Requests to the learner.
        executor: Pairs of instruction and input.
    """

    learner: int
    executor: int


@dataclass(frozen=True)
class ProgramProblem:
    """Labelled items, and two language models that may be asked.

    Attributes:
        question: What is asked, in a sentence.
        labels: All labels; their order means nothing.
        train: Items to learn from.
        validation: Items to choose by.
        writer: Writes instructions.
        reader: Follows them.
        options: The reader chooses the likeliest label instead of writing one.
        budget: What may be asked.
    """

    question: str
    labels: tuple[str, ...]
    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    writer: Speaker
    reader: Speaker
    options: bool
    budget: Budget

    def learner(self, ctx: Context, *, rules: int) -> Learner:
        """A learner that may write so many rules at once, with the whole budget before it."""
        from methods.il_bench.asking import Learner

        return Learner(self.writer.open(ctx), self.labels, rules=rules, budget=self.budget.learner)

    def executor(self, ctx: Context, *, new_tokens: int = SHORT_ANSWER) -> Executor:
        """An executor that has been asked nothing yet."""
        return open_executor(self.reader, self.labels, ctx, options=self.options, new_tokens=new_tokens)


def open_executor(
    reader: Speaker, labels: tuple[str, ...], ctx: Context, *, options: bool, new_tokens: int = SHORT_ANSWER
) -> Executor:
    """An executor over a model of its own; a long answer is always written, never chosen."""
    from methods.il_bench.asking import Executor

    chosen = options and new_tokens <= SHORT_ANSWER
    return Executor(reader.open(ctx), labels, options=chosen, new_tokens=new_tokens)


@dataclass(frozen=True)
class Spent:
    """What a search has asked.

    Attributes:
        learner: Requests to the learner.
        executor: Pairs of instruction and input.
        learner_tokens: Tokens that the learner read and wrote; words, for surrogates.
        executor_tokens: The same of the executor.
        unreadable: Answers of the executor that named no label.
    """

    learner: int = 0
    executor: int = 0
    learner_tokens: int = 0
    executor_tokens: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Learned:
    """What a method returns.

    Attributes:
        predictor: Labels inputs.
        spent: What learning took.
        growth: The best program after each expansion.
        executor: The executor of the search, whose answers need not be asked again.
        new_tokens: Tokens of an answer, :data:`SHORT_ANSWER` or :data:`LONG_ANSWER`.
        finished: False while the search goes on; then one row of averages is all that is scored.
    """

    predictor: Predictor
    spent: Spent = Spent()
    growth: tuple[Step, ...] = ()
    executor: Executor | None = None
    new_tokens: int = SHORT_ANSWER
    finished: bool = True
