"""Knowledge bases, their documents, and questions that need several searches (card §9).

Questions carry no answers. Answers are kept apart, in an :class:`AnswerKey`, which only evaluation
takes: code that builds training data cannot reach them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.method import ProblemError

RELATIONS: tuple[str, ...] = (
    "mentor", "rival", "neighbour", "employer", "landlord", "editor", "doctor", "cousin", "tailor",
    "banker", "agent", "sponsor",
)  # fmt: skip
"""What entities can be to each other in a generated world."""
_SYLLABLES = (
    "ba",
    "do",
    "fi",
    "ka",
    "lu",
    "me",
    "no",
    "pa",
    "ri",
    "so",
    "ta",
    "vu",
    "we",
    "zo",
    "che",
    "gri",
)


@dataclass(frozen=True)
class Fact:
    """The ``relation`` of ``subject`` is ``value``."""

    subject: str
    relation: str
    value: str

    def __str__(self) -> str:
        """As a sentence."""
        return f"The {self.relation} of {self.subject} is {self.value}."


@dataclass(frozen=True)
class World:
    """Facts with one document each.

    Attributes:
        facts: At most one value for each subject and relation.
        entities: All names that a fact may have as subject or value.
        relations: All relations.
    """

    facts: tuple[Fact, ...]
    entities: tuple[str, ...]
    relations: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that facts are functional.

        Raises:
            ProblemError: If a subject has two values of one relation.
        """
        if len({(fact.subject, fact.relation) for fact in self.facts}) != len(self.facts):
            raise ProblemError(
                "A subject has two values of one relation", where="World", fix="Keep one value of each."
            )

    @cached_property
    def table(self) -> dict[tuple[str, str], str]:
        """Values by subject and relation."""
        return {(fact.subject, fact.relation): fact.value for fact in self.facts}

    @property
    def documents(self) -> tuple[str, ...]:
        """A sentence for each fact, in the order of the facts."""
        return tuple(map(str, self.facts))


@dataclass(frozen=True)
class Question:
    """A question over several hops; its answer is elsewhere.

    Attributes:
        id: Unique in its world.
        subject: Where the chain begins.
        relations: The hops, in the order in which they are followed.
    """

    id: str
    subject: str
    relations: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a sentence, the last hop first."""
        return "What is the " + " of the ".join(reversed(self.relations)) + f" of {self.subject}?"

    @property
    def hops(self) -> int:
        """How many facts it takes."""
        return len(self.relations)


@dataclass(frozen=True)
class AnswerKey:
    """Answers by question id, for evaluation."""

    answers: Mapping[str, str]

    def __getitem__(self, question: Question) -> str:
        """The answer of a question."""
        return self.answers[question.id]


def make_world(entities: int, relations: int, rng: np.random.Generator) -> World:
    """A world in which each entity has one value, another entity, of each relation.

    Raises:
        ProblemError: If there are too few entities or too many relations.
    """
    if entities < 3 or not 1 <= relations <= len(RELATIONS):
        raise ProblemError(
            f"{entities} entities and {relations} relations make no world",
            where="make_world",
            fix=f"Ask for 3 entities or more and 1 to {len(RELATIONS)} relations.",
        )
    names = _names(entities, rng)
    chosen = [RELATIONS[place] for place in rng.permutation(len(RELATIONS))[:relations]]
    facts = []
    for relation in chosen:
        # One ring through all: nobody is anything to themselves, and each is the value of one fact, so
        # that two documents at most hold the words of a question about one hop.
        ring = [names[place] for place in rng.permutation(entities)]
        facts += [Fact(name, relation, ring[place - 1]) for place, name in enumerate(ring)]
    order = rng.permutation(len(facts))
    return World(tuple(facts[place] for place in order), tuple(names), tuple(chosen))


def _names(count: int, rng: np.random.Generator) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        parts = rng.integers(len(_SYLLABLES), size=3)
        found.setdefault("".join(_SYLLABLES[part] for part in parts).capitalize())
    return list(found)


def follow(world: World, question: Question) -> list[str] | None:
    """The entities along the chain, the answer last; None if a fact is missing."""
    table, place, found = world.table, question.subject, []
    for relation in question.relations:
        value = table.get((place, relation))
        if value is None:
            return None
        place = value
        found.append(value)
    return found


def all_questions(world: World, hops: int) -> tuple[list[Question], AnswerKey]:
    """Every question of so many hops that has an answer, and the answers.

    All entities along a chain differ, and so do its relations.
    """
    questions = unanswered_questions(world, hops)
    return questions, answer_key(world, questions)


def answer_key(world: World, questions: Sequence[Question]) -> AnswerKey:
    """The answers to questions that have one.

    Raises:
        ProblemError: If one has none in this world.
    """
    answers = {}
    for question in questions:
        path = follow(world, question)
        if not path:
            raise ProblemError("The question has no answer", where=question.text, fix="Ask another world.")
        answers[question.id] = path[-1]
    return AnswerKey(answers)


def unanswered_questions(world: World, hops: int) -> list[Question]:
    """The questions of :func:`all_questions`, without their answers."""
    questions = []
    chains: list[tuple[str, ...]] = [()]
    for _ in range(hops):
        chains = [(*chain, relation) for chain in chains for relation in world.relations]
    for subject in world.entities:
        for number, chain in enumerate(chains):
            question = Question(f"{hops}-{subject}-{number}", subject, chain)
            path = follow(world, question)
            if path is not None and len({subject, *path}) == hops + 1 and len(set(chain)) == hops:
                questions.append(question)
    return questions


def choose(questions: Sequence[Question], count: int, rng: np.random.Generator) -> list[Question]:
    """So many of the questions, without repetition.

    Raises:
        ProblemError: If there are fewer.
    """
    if count > len(questions):
        raise ProblemError(
            f"{count} questions were asked for and the world has {len(questions)}",
            where="choose",
            fix="Make a larger world.",
        )
    return [questions[place] for place in rng.permutation(len(questions))[:count]]
