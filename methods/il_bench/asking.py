"""What is said to language models: to learners, to executors, and to those who revise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.method import ProblemError
from methods.common.language_model import Decoding, LanguageModel
from methods.il_bench.items import Item
from methods.il_bench.labels import read_label

EXAMPLES = "Examples:"
"""Stands before the examples of a request to a learner; each is a line "input -> label"."""
ARROW = " -> "
INSTRUCTION = "Instruction:"
"""Stands before an instruction that is talked about."""
_ANSWER = "\n\nAnswer with one of these labels and nothing else: "
_LABEL = "\nLabel:"


def rules_request(items: Sequence[Item], labels: Sequence[str], *, most: int, prior: str = "") -> str:
    """The request of RuleSum: summarise the rules behind examples (card §3.3).

    Args:
        items: What is shown.
        labels: All label names.
        most: Rules that may be written.
        prior: Rules to be revised, if any.
    """
    revise = f"Revise these rules, which make mistakes:\n{prior}\n\n" if prior else ""
    return (
        "You find the rules behind labelled examples, for people who have not seen the examples.\n"
        f"The labels are {', '.join(labels)}; their names mean nothing.\n"
        f"Write at most {most} rules, one a line, the first that applies decides. Begin with the most "
        "telling ones. Do not mention single examples. Write each as\n"
        "If <name> is <value> and <name> is not <value>, then <label>.\n"
        "and the last as\nOtherwise <label>.\n\n"
        f"{revise}{_shown(items)}\n\nRules:\n"
    )


def paraphrase_request(instruction: str) -> str:
    """The request for another wording (APE, ProTeGi): nothing is said about the data."""
    return (
        "Write a variation of the following instruction that keeps its meaning.\n\n"
        f"{INSTRUCTION}\n{instruction}\n\nVariation:\n"
    )


def criticism_request(instruction: str, errors: Sequence[Item]) -> str:
    """ProTeGi's textual gradient: why does an instruction fail for these items?"""
    return (
        f"{INSTRUCTION}\n{instruction}\n\nIt gets the following items wrong.\n"
        f"{_shown(errors)}\n\nSay in one sentence why it could fail for them.\n"
    )


def edit_request(
    instruction: str, errors: Sequence[Item], criticism: str, labels: Sequence[str], *, most: int
) -> str:
    """ProTeGi's step along a textual gradient: a better instruction."""
    prior = f"{instruction}\n\nWhat is wrong with them: {criticism}"
    return rules_request(errors, labels, most=most, prior=prior)


def history_request(
    history: Sequence[tuple[str, int]], items: Sequence[Item], labels: Sequence[str], *, most: int
) -> str:
    """OPRO's request: instructions with their scores, the best last, and a few examples.

    Args:
        history: Instructions with the percentage that they get right, ascending.
        items: Exemplars.
        labels: All label names.
        most: Rules that may be written.
    """
    scored = "\n\n".join(f"{instruction}\nscore: {score}" for instruction, score in history)
    prior = f"{scored}\n\nWrite rules that differ from them and score higher."
    return rules_request(items, labels, most=most, prior=prior)


def shots_instruction(question: str, items: Sequence[Item], *, reasoning: bool = False) -> str:
    """In-context learning as an instruction: labelled examples before the input.

    Args:
        question: What is asked.
        items: The examples, in their order.
        reasoning: Ask for the reasoning before the answer (chain of thought).
    """
    how = 'Think step by step; then write "Label:" and the label in a last line.\n' if reasoning else ""
    return f"{question}\n{how}{_shown(items)}"


def label_request(instruction: str, text: str, labels: Sequence[str]) -> str:
    """The request to an executor: one input under an instruction, LLM(x, s)."""
    return f"{instruction}{_ANSWER}{', '.join(labels)}.\nInput: {text}{_LABEL}"


@dataclass(frozen=True)
class Request:
    """What :func:`label_request` asks.

    Attributes:
        instruction: s.
        labels: What may be answered.
        text: x.
    """

    instruction: str
    labels: tuple[str, ...]
    text: str

    @property
    def shows_examples(self) -> bool:
        """Whether the instruction holds labelled examples."""
        return EXAMPLES in self.instruction


def read_request(prompt: str) -> Request:
    """The inverse of :func:`label_request`, for executors that are no language models.

    Raises:
        ProblemError: If the prompt is another one.
    """
    instruction, found, rest = prompt.rpartition(_ANSWER)
    heading, _, question = rest.partition(".\nInput: ")
    if not found or not question.endswith(_LABEL):
        raise ProblemError(
            f"Not a request to follow an instruction: {prompt[:60]!r}",
            where="executor",
            fix="Ask with label_request.",
        )
    return Request(instruction, tuple(heading.split(", ")), question.removesuffix(_LABEL))


def _shown(items: Sequence[Item]) -> str:
    return f"{EXAMPLES}\n" + "\n".join(f"{item.text}{ARROW}{item.label}" for item in items)


@dataclass
class Executor:
    """Applies instructions to inputs; each pair is asked once, so that routing never changes.

    Attributes:
        model: Who answers.
        labels: What may be answered.
        options: Choose the likeliest label instead of reading an answer; then every answer is a label,
            but for servers that list none.
        new_tokens: Tokens of an answer; more than 16 leave room for reasoning before the label.
        asked: Pairs of instruction and input so far: what was paid for.
        unreadable: Answers that named no label, or several.
    """

    model: LanguageModel
    labels: tuple[str, ...]
    options: bool = False
    new_tokens: int = 16
    asked: int = 0
    unreadable: int = 0
    _known: dict[tuple[str, str], str | None] = field(default_factory=dict, repr=False)

    def __call__(self, instruction: str, texts: Sequence[str]) -> list[str | None]:
        """The label of each input, or None where the answer names none."""
        new = [text for text in dict.fromkeys(texts) if (instruction, text) not in self._known]
        if new:
            answers = self._ask([label_request(instruction, text, self.labels) for text in new])
            self._known.update(zip(((instruction, text) for text in new), answers, strict=True))
            self.asked += len(new)
            self.unreadable += answers.count(None)
        return [self._known[instruction, text] for text in texts]

    def _ask(self, prompts: list[str]) -> list[str | None]:
        if self.options:
            scores = self.model.score(prompts, [[f" {label}" for label in self.labels]] * len(prompts))
            # A server that lists next tokens may list none of the labels: the first is no answer then.
            found = [self.labels[int(np.argmax(row))] if max(row) > -math.inf else None for row in scores]
            self.model.usage.unread += found.count(None)
            return found
        # A chain of thought has several lines.
        stop = ("\n",) if self.new_tokens <= 16 else ()
        rows = self.model.sample(prompts, Decoding(new_tokens=self.new_tokens, stop=stop))
        answers = [read_label(one.text, self.labels) for (one,) in rows]
        self.model.usage.unread += sum(
            answer is None and not one.refusal for answer, (one,) in zip(answers, rows, strict=True)
        )
        return answers


@dataclass
class Learner:
    """Writes instructions from examples.

    Attributes:
        model: Who writes.
        labels: All labels.
        rules: Rules of an instruction, at most.
        temperature: Of the writing; several proposals differ by it and by their examples.
        budget: Requests that may be made; 0 for any number.
        asked: Requests so far.
    """

    model: LanguageModel
    labels: tuple[str, ...]
    rules: int = 3
    temperature: float = 0.7
    budget: int = 0
    asked: int = 0

    @property
    def left(self) -> float:
        """Requests that may still be made."""
        return self.budget - self.asked if self.budget else math.inf

    def summarise(self, items: Sequence[Item]) -> str:
        """One proposal of RuleSum."""
        return self.write(rules_request(items, self.labels, most=self.rules))

    def write(self, prompt: str) -> str:
        """An answer to any request; each gets a seed of its own."""
        self.asked += 1
        decoding = Decoding(temperature=self.temperature, new_tokens=400)
        ((found,),) = self.model.sample([prompt], decoding, seed=self.asked)
        return found.text.strip()
