"""How questions and contexts are put to a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from methods.kaft.mixture import Item


@dataclass(frozen=True)
class Asked:
    """What a model is asked in one evaluation, without any answer.

    Attributes:
        question: The question.
        context: The context; empty if there is none.
        subject: What the question is about.
        relation: The kind of fact, or empty.
    """

    question: str
    context: str
    subject: str = ""
    relation: str = ""


@dataclass(frozen=True)
class Template:
    """Texts around question, context and answer; the paper's own template is not known.

    Attributes:
        with_context: Uses ``{context}`` and ``{question}``.
        without: Uses ``{question}``.
        answer: Uses ``{answer}``; with the space before it, where a model needs one.
        between: Stands between the examples of a few-shot prompt.
    """

    with_context: str
    without: str
    answer: str
    between: str = "\n\n"

    def prompt(self, question: str, context: str) -> str:
        """The input of one question."""
        if not context:
            return self.without.format(question=question)
        return self.with_context.format(question=question, context=context)

    def shots(self, items: Sequence[Item]) -> str:
        """Solved examples before a question; empty without any."""
        solved = [self.prompt(item.question, item.context) + self.target(item.target) for item in items]
        return "".join(text + self.between for text in solved)

    def target(self, answer: str) -> str:
        """What follows the prompt."""
        return self.answer.format(answer=answer)


PLAIN = Template(with_context="{context} {question}", without="{question}", answer=" {answer}", between=" ")
"""For generated worlds, in which every word is a token."""
DECODER = Template(
    with_context="Context: {context}\nQuestion: {question}\nAnswer:",
    without="Question: {question}\nAnswer:",
    answer=" {answer}",
)
"""For decoder-only models."""
ENCODER_DECODER = Template(
    with_context="question: {question}\ncontext: {context}",
    without="question: {question}",
    answer="{answer}",
)
"""For T5."""
