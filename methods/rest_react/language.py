"""Large models in place of the toy models: a few-shot agent, a ranker and a judge (card §3.1, §3.3, §5).

Prompts are plain text. The paper's prompts are Python code that is continued; they are not published,
and states here say the same (card §3.1) in fewer tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.common.language_model import Completion, Decoding, LanguageModel, NextToken
from methods.rest_react.agent import Candidate
from methods.rest_react.reading import right_action
from methods.rest_react.steps import Kind, Round, Snippet, State, write

TASKS = {
    Kind.DECISION: "Decide whether another search is needed. Write 'search: QUERY', or 'stop' if the "
    "notes suffice. Ask for one fact at a time, and search as little as possible.",
    Kind.SUMMARY: "Write the numbers of the results that answer the query, then ' => ' and one sentence "
    "that says what they say. Write '=>' alone if none does.",
    Kind.ANSWER: "Answer the question from the notes, shortly, and then name the results that it rests "
    "on. Write 'unknown' if the notes do not tell.",
    Kind.RELEVANCE: "Does the draft answer the question that was asked? Write 'pass', or "
    "'revise: ANSWER' with a better answer.",
    Kind.GROUNDING: "Do the notes support the draft? Write 'pass', or 'revise: ANSWER' with one that they "
    "support.",
}
"""What is asked of the model at each kind of step."""
_QUESTIONS = (
    ("author", "Ulysses", "birthplace", "James Joyce", "Dublin"),
    ("capital", "Peru", "founder", "Lima", "Francisco Pizarro"),
    ("discoverer", "penicillin", "employer", "Alexander Fleming", "St Mary's Hospital"),
)
"""Relation and entity of the first hop, relation of the second, and what each hop leads to."""


def shots(kind: Kind) -> str:
    """Solved examples of one kind of step: right actions at hand-made states."""
    return "\n\n".join(f"{state.prompt} {write(right_action(state))}" for state in _solved(kind))


def _solved(kind: Kind) -> list[State]:
    states = []
    for number, (first, subject, second, middle, end) in enumerate(_QUESTIONS):
        question = f"What is the {second} of the {first} of {subject}?"
        facts = [f"The {first} of {subject} is {middle}.", f"The {second} of {middle} is {end}."]
        rounds = (
            Round(f"{first} of {subject}", (2,), facts[0]),
            Round(f"{second} of {middle}", (4,), facts[1]),
        )
        results = (Snippet(3, f"The {first} of {middle} is {subject}."), Snippet(4, facts[1]))
        # Drafts of the first hop and of the second take turns, so that both verdicts are shown.
        draft = middle if number % 2 else end
        states.append(
            {
                Kind.DECISION: State(kind, question, rounds[: number % 3], 4 - number % 3),
                Kind.SUMMARY: State(kind, question, rounds[:1], 3, rounds[1].query, results),
                Kind.ANSWER: State(kind, question, rounds),
                Kind.RELEVANCE: State(kind, question, rounds, draft=draft),
                Kind.GROUNDING: State(kind, question, rounds, draft=draft),
            }[kind]
        )
    return states


@dataclass
class FewShot(LanguageModel):
    """A model that is shown its task and solved examples before each state.

    Attributes:
        inner: The model.
    """

    inner: LanguageModel = field(kw_only=True)

    @property
    def tells_probabilities(self) -> bool:
        """As the inner model."""
        return self.inner.tells_probabilities

    def described(self) -> dict[str, Any]:
        """As the inner model, with its own identity."""
        return self.inner.described() | {"identity": self.identity}

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        return self.inner.sample([self.dressed(p) for p in prompts], decoding, count=count, seed=seed)

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        return self.inner.score([self.dressed(p) for p in prompts], options)

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        return self.inner.next_token([self.dressed(p) for p in prompts], most=most)

    @staticmethod
    def dressed(prompt: str) -> str:
        """Task, solved examples and a state."""
        kind = State.parse(prompt).kind
        return f"{TASKS[kind]}\n\n{shots(kind)}\n\n{prompt}"


def few_shot(model: LanguageModel) -> FewShot:
    """A model as the agent of generation 0."""
    identity = f"few-shot {model.identity}"
    return FewShot(model.name, identity, surrogate=model.surrogate, usage=model.usage, inner=model)


@dataclass
class ModelRanker:
    """Asks a model which candidate is best, in plain language and without examples (paper, section 3.3).

    Candidates come shuffled and without repetition (see
    :func:`~methods.rest_react.training_data.retarget`). Each is asked about as the option of a letter,
    under as many rotations of the letters as there are candidates, so that no letter is favoured. A model
    that tells no probabilities, or lists no letter, writes it.

    Attributes:
        model: Instruction-tuned, as a rule.
        failures: Calls in which the model preferred no letter.
        asked: Calls so far.
        silent: Calls in which no letter could be read under any rotation.
    """

    model: LanguageModel
    failures: int = 0
    asked: int = 0
    silent: int = 0

    def best(self, state: State, candidates: Sequence[Candidate], rng: np.random.Generator) -> int:
        """See :class:`~methods.rest_react.training_data.Ranker`.

        Raises:
            ProblemError: If most calls of many had no letter to read, so that a choice would be by chance.
        """
        count = len(candidates)
        rotations = [[(place + shift) % count for place in range(count)] for shift in range(count)]
        prompts = [ranking_prompt(state, [candidates[i].text for i in order]) for order in rotations]
        rows = self._answers(prompts, count)
        votes = np.zeros(count)
        readable = np.isfinite(rows).any(axis=1)
        for order, row in zip(np.array(rotations)[readable], rows[readable], strict=True):
            votes[order] += np.exp(row - row[np.isfinite(row)].max())
        self.model.usage.unread += int((~readable).sum())
        self.asked += 1
        self.silent += not readable.any()
        if self.asked >= _MANY and 2 * self.silent > self.asked:
            raise ProblemError(
                f"No letter could be read in {self.silent} of {self.asked} rankings",
                where=self.model.name,
                fix="Rank with a model that answers with a letter: instruction-tuned, and without thoughts.",
            )
        if np.ptp(votes) == 0:
            self.failures += 1
            return int(rng.integers(count))
        return int(votes.argmax())

    def _answers(self, prompts: Sequence[str], count: int) -> NDArray[np.float64]:
        """Log-probability of each letter after each prompt, −∞ where it is not known: (prompts, letters)."""
        if not self.model.tells_probabilities:
            return self._written(prompts, count)
        letters = [f" {_LETTERS[place]}" for place in range(count)]
        found = np.array(self.model.score(prompts, [letters] * len(prompts)))
        # A chat model may begin with a word, so that no letter is among its likely next tokens.
        silent = [place for place, row in enumerate(found) if not np.isfinite(row).any()]
        if silent:
            found[silent] = self._written([prompts[place] for place in silent], count)
        return found

    def _written(self, prompts: Sequence[str], count: int) -> NDArray[np.float64]:
        """0 for the letter that an answer names, −∞ for all others."""
        found = np.full((len(prompts), count), -np.inf)
        for row, (one,) in zip(found, self.model.sample(prompts, Decoding(new_tokens=16)), strict=True):
            place = read_letter(one.text, count)
            if place is not None:
                row[place] = 0.0
        return found


_MANY = 8
"""Rankings after which a ranker that mostly cannot be read is given up."""


def read_letter(text: str, count: int) -> int | None:
    """The place of the first letter of an answer that stands alone, among the first ``count``.

    "A" at the beginning of a sentence is an article: a letter counts with a mark behind it, in brackets or
    quotes, or where the answer ends with it.
    """
    marked = re.search(r"(?:^|[\s(\"'*`])([A-Z])(?=[)\].:,\"'*`]|\s*$|\s*\n)", text.strip())
    if marked is None:
        return None
    place = _LETTERS.index(marked.group(1))
    return place if place < count else None


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def ranking_prompt(state: State, texts: Sequence[str]) -> str:
    """The question for the best of several actions."""
    options = "\n".join(f"{_LETTERS[place]}) {text}" for place, text in enumerate(texts))
    return (
        "A search agent chooses its next step. Good steps are relevant to the question, rest on the "
        "notes shown and nothing else, and need few searches. A step with an empty part is bad.\n\n"
        f"Its task: {TASKS[state.kind]}\n\n{state.prompt}\n\nPossible steps:\n{options}\n\n"
        "The best step is the one with the letter"
    )


@dataclass
class ModelJudge:
    """Asks a model whether an answer implies the reference answer (paper, section 4.2).

    Attributes:
        model: The judge.
        unread: Verdicts that could not be read; they count as wrong.
    """

    model: LanguageModel
    unread: int = 0

    def __call__(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[str]
    ) -> list[bool]:
        """Whether each answer is right; a refusal, or a verdict that cannot be read, is not."""
        prompts = [judging_prompt(*item) for item in zip(questions, answers, references, strict=True)]
        decoding = Decoding(new_tokens=64, stop=("\n\n",))
        rows = self.model.sample(prompts, decoding) if prompts else []
        verdicts = [_verdict(row[0].text) for row in rows]
        # A refusal is no verdict, and the model has counted it already.
        unread = sum(
            verdict is None and not one.refusal for verdict, (one,) in zip(verdicts, rows, strict=True)
        )
        self.unread += unread
        self.model.usage.unread += unread
        return [bool(verdict) for verdict in verdicts]


_JUDGED = (
    ("What is the capital of Peru?", "It is Lima.", "Lima", "The answer names Lima.", "True"),
    ("Who wrote Ulysses?", "Either Joyce or Beckett.", "James Joyce", "It does not commit to one.", "False"),
    ("What is the capital of Peru?", "I could not find it.", "Lima", "The answer is a refusal.", "False"),
    ("Who wrote Ulysses?", "It was written by Joyce, in Paris.", "James Joyce", "It names Joyce.", "True"),
    ("What is the capital of Peru?", "Cusco, not Lima.", "Lima", "The answer denies Lima.", "False"),
)
"""Question, answer, reference, reason and verdict of the five solved examples."""


def judging_prompt(question: str, answer: str, reference: str) -> str:
    """The question whether an answer implies its reference, with a reason before the verdict."""
    shown = [
        f"Question: {q}\nAnswer: {a}\nReference: {r}\nReason: {why}\nImplied: {verdict}"
        for q, a, r, why, verdict in _JUDGED
    ]
    asked = f"Question: {question}\nAnswer: {_line(answer)}\nReference: {reference}\nReason:"
    return "\n\n".join(["Does the answer imply the reference answer?", *shown, asked])


def _line(text: str) -> str:
    return " ".join(text.split())


def _verdict(text: str) -> bool | None:
    match = re.search(r"Implied:\s*(True|False)\b", text)
    return None if match is None else match.group(1) == "True"
