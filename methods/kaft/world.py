"""A generated world of facts: subjects, relations and objects, with contexts of three facts.

Some facts are *known*: pretraining states them without a context. The others change with every
telling, so that only a context can answer them, as most questions of real reading-comprehension
sets can only be answered from their passage. Novel subjects have no facts of their own at all.
All text is made of whole words of a small vocabulary: a fact is told as "s1 r2 o2x3" and asked for
as "? s1 r2".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.kaft.questions import Question, Relation
from methods.kaft.word_tokens import WordTokenizer
from methods.kaft.words import TAGS

PAD, END = "<pad>", "<end>"
ASK = "?"


@dataclass(frozen=True)
class Rules:
    """How large a world is.

    Attributes:
        subjects: S, entities with facts.
        novel: Further entities, whose facts are redrawn at every mention.
        relations: R.
        objects: O, possible answers of each relation.
        known: Share of the facts that pretraining states without a context.
    """

    subjects: int = 192
    novel: int = 64
    relations: int = 3
    objects: int = 16
    known: float = 0.8


@dataclass(frozen=True)
class World:
    """The facts of one world.

    Attributes:
        rules: Its size.
        facts: Object of each subject and relation, shape (S, R).
        known: Whether pretraining states a fact, shape (S, R).
    """

    rules: Rules
    facts: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def draw(cls, rules: Rules, rng: np.random.Generator) -> World:
        """A world with random facts."""
        shape = (rules.subjects, rules.relations)
        facts, known = rng.integers(rules.objects, size=shape), rng.random(shape) < rules.known
        return cls(rules, facts, known)

    def entity(self, subject: int) -> str:
        """Name of a subject; numbers from S on are novel ones."""
        size = self.rules.subjects
        return f"s{subject}" if subject < size else f"n{subject - size}"

    def relations(self) -> dict[str, Relation]:
        """What oracles may know of the world: how facts are worded."""
        return {
            f"r{r}": Relation(
                statements=(f"{{subject}} r{r} {{answer}}",),
                question=f"{ASK} {{subject}} r{r}",
                answers=tuple(self._object(r, o) for o in range(self.rules.objects)),
            )
            for r in range(self.rules.relations)
        }

    def vocabulary(self) -> list[str]:
        """All words, in the order of their token ids."""
        rules = self.rules
        words = [PAD, END, ASK, *dict.fromkeys(word for tag in TAGS for word in tag.split())]
        words += [self.entity(s) for s in range(rules.subjects + rules.novel)]
        words += [f"r{r}" for r in range(rules.relations)]
        return words + [self._object(r, o) for r in range(rules.relations) for o in range(rules.objects)]

    def tokenizer(self) -> WordTokenizer:
        """Every word is a token."""
        return WordTokenizer(tuple(self.vocabulary()), pad=PAD, end=END)

    def question(self, subject: int, relation: int, rng: np.random.Generator, *, draw: int = 0) -> Question:
        """A question with freshly drawn contexts of each kind, and a fake answer.

        A context holds the fact that is asked for, one with the same relation and another subject
        (the distractor), and one with the same subject and another relation. The hard irrelevant
        context has a random fact in place of the first, the easy one only random facts.
        """
        truth = int(self.facts[subject, relation])
        fake = int(truth + rng.integers(1, self.rules.objects)) % self.rules.objects
        distractor = self._other_object(rng, relation, {truth, fake})
        beside = [
            (self._other_subject(rng, subject), relation, distractor),
            self._other_relation(subject, relation, rng),
        ]

        def context(value: int) -> str:
            return self._tell([(subject, relation, value), *beside], rng)

        name = f"s{subject}-r{relation}"
        return Question(
            id=f"{name}-{draw}" if draw else name,
            first=name if draw else "",
            entity=self.entity(subject),
            subject=self.entity(subject),
            relation=f"r{relation}",
            text=f"{ASK} {self.entity(subject)} r{relation}",
            aliases=(self._object(relation, truth),),
            relevant=context(truth),
            fake=self._object(relation, fake),
            counterfactual=context(fake),
            hard=self._tell([self._random_fact(subject, relation, {truth}, rng), *beside], rng),
            easy=self._tell([self._random_fact(subject, relation, {truth}, rng) for _ in range(3)], rng),
            distractor=self._object(relation, distractor),
        )

    def questions(
        self, subjects: Sequence[int], rng: np.random.Generator, *, draws: int = 1
    ) -> list[Question]:
        """All questions about some subjects, each with ``draws`` sets of contexts."""
        return [
            self.question(int(subject), relation, rng, draw=draw)
            for draw in range(draws)
            for subject in subjects
            for relation in range(self.rules.relations)
        ]

    def pretraining(self, count: int, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
        """Texts of the pretraining mixture as (prompt, answer), ``count`` of them.

        Three of five are known facts without a context, one is a question about a subject with a
        context, one about a novel subject with a context.
        """
        stated = np.argwhere(self.known)
        for _ in range(count):
            kind = rng.integers(5)
            if kind < 3:
                subject, relation = (int(part) for part in stated[rng.integers(len(stated))])
                value, context = int(self.facts[subject, relation]), ""
            else:
                subject = int(rng.integers(self.rules.subjects))
                subject = subject if kind < 4 else self.rules.subjects + int(rng.integers(self.rules.novel))
                relation = int(rng.integers(self.rules.relations))
                value = self._told(subject, relation, rng)
                context = self._reading(subject, relation, value, rng)
            question = f"{ASK} {self.entity(subject)} r{relation}"
            yield f"{context} {question}".strip(), self._object(relation, value)

    def _reading(self, subject: int, relation: int, value: int, rng: np.random.Generator) -> str:
        """The fact between one of the same relation and one of the same subject."""
        other = self._other_subject(rng, subject)
        near = (other, relation, self._told(other, relation, rng))
        return self._tell(
            [(subject, relation, value), near, self._other_relation(subject, relation, rng)], rng
        )

    def _any_fact(self, subject: int, rng: np.random.Generator) -> tuple[int, int, int]:
        other, kind = self._other_subject(rng, subject), int(rng.integers(self.rules.relations))
        return other, kind, self._told(other, kind, rng)

    def _told(self, subject: int, relation: int, rng: np.random.Generator) -> int:
        """What a true text says: the fact if it is a known one, else anything."""
        if subject < self.rules.subjects and self.known[subject, relation]:
            return int(self.facts[subject, relation])
        return int(rng.integers(self.rules.objects))

    def _other_subject(self, rng: np.random.Generator, subject: int) -> int:
        shift = int(rng.integers(1, self.rules.subjects))
        return (subject + shift) % self.rules.subjects if subject < self.rules.subjects else shift

    def _other_relation(self, subject: int, relation: int, rng: np.random.Generator) -> tuple[int, int, int]:
        other = (relation + int(rng.integers(1, self.rules.relations))) % self.rules.relations
        return subject, other, self._told(subject, other, rng)

    def _other_object(self, rng: np.random.Generator, relation: int, taken: set[int]) -> int:
        free = [o for o in range(self.rules.objects) if o not in taken]
        return int(free[rng.integers(len(free))])

    def _random_fact(
        self, subject: int, relation: int, taken: set[int], rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """A fact about another subject that mentions none of the ``taken`` objects of the relation."""
        other, kind, value = self._any_fact(subject, rng)
        return other, kind, self._other_object(rng, kind, taken) if kind == relation else value

    def _tell(self, facts: Sequence[tuple[int, int, int]], rng: np.random.Generator) -> str:
        order = rng.permutation(len(facts))
        told = [facts[index] for index in order]
        return " ".join(f"{self.entity(s)} r{r} {self._object(r, o)}" for s, r, o in told)

    @staticmethod
    def _object(relation: int, value: int) -> str:
        return f"o{relation}x{value}"
