"""Real facts about countries and chemical elements, in words and with contexts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from methods.common.countries import Atlas, Country, plain
from methods.common.elements import Element
from methods.kaft.questions import Question, Relation, with_counterfactual
from methods.kaft.substitution import mentions_any
from methods.kaft.words import unigrams

_LEAST_PEOPLE = 10_000_000
"""Smaller countries are left out: few of their facts are known to a small model."""
_LAST_ELEMENT = 54
"""Heavier elements are left out, for the same reason."""
_TRIES = 20


@dataclass(frozen=True)
class Fact:
    """One fact.

    Attributes:
        entity: The country or element it belongs to: train and test sets are split by it.
        subject: How the question names what it asks about.
        relation: Key of :data:`WORDINGS`.
        aliases: All names of the answer, the usual one first.
    """

    entity: str
    subject: str
    relation: str
    aliases: tuple[str, ...]


WORDINGS = {
    "capital": ("The capital of {subject} is {answer}.", "What is the capital of {subject}?"),
    "country": ("{subject} is the capital of {answer}.", "Which country has the capital {subject}?"),
    "currency": ("The currency of {subject} is the {answer}.", "What is the currency of {subject}?"),
    "language": ("People in {subject} speak {answer}.", "Which language do people in {subject} speak?"),
    "continent": ("{subject} lies in {answer}.", "On which continent does {subject} lie?"),
    "symbol": ("The chemical symbol of {subject} is {answer}.", "What is the chemical symbol of {subject}?"),
    "element": ("{subject} is the chemical symbol of {answer}.", "Which element has the symbol {subject}?"),
    "number": ("The atomic number of {subject} is {answer}.", "What is the atomic number of {subject}?"),
}  # fmt: skip
"""How a kind of fact is stated and asked for."""

PARAPHRASES = {
    "capital": "{subject} has which city as its capital?",
    "country": "{subject} is the capital city of which country?",
    "currency": "With which currency do people pay in {subject}?",
    "language": "Which language is officially spoken in {subject}?",
    "continent": "{subject} is part of which continent?",
    "symbol": "Which symbol stands for the element {subject}?",
    "element": "The symbol {subject} stands for which chemical element?",
    "number": "{subject} has which atomic number?",
}
"""Other wordings of the questions, by which it is decided which facts a model knows."""


def collect(atlas: Atlas, elements: Sequence[Element]) -> list[Fact]:
    """All facts, one for each question that can be asked and has one answer."""
    facts = [
        *(fact for country in atlas.of_size(_LEAST_PEOPLE) for fact in _of_country(country, atlas)),
        *(fact for element in elements if element.number <= _LAST_ELEMENT for fact in _of_element(element)),
    ]
    times = Counter((fact.relation, plain(fact.subject)) for fact in facts)
    return [fact for fact in facts if times[fact.relation, plain(fact.subject)] == 1 and _is_askable(fact)]


def _of_country(country: Country, atlas: Atlas) -> Iterator[Fact]:
    name, capital = country.name, country.capital
    if capital:
        yield Fact(name, name, "capital", (capital,))
    # Another country may have a capital of this name; small countries count, too.
    if capital in atlas.by_capital:
        yield Fact(name, capital, "country", (name, *country.others))
    if country.continent:
        yield Fact(name, name, "continent", _continent(country.continent))
    if country.currency:
        yield Fact(name, name, "currency", (country.currency,))
    if country.language:
        yield Fact(name, name, "language", (country.language,))


def _of_element(element: Element) -> Iterator[Fact]:
    name, symbol = element.name, element.symbol
    yield Fact(name, name, "symbol", (symbol,))
    yield Fact(name, symbol, "element", (name,))
    yield Fact(name, name, "number", (str(element.number),))


def relations(facts: Sequence[Fact]) -> dict[str, Relation]:
    """How each kind of fact is worded, with all its answers."""
    return {
        key: Relation(
            statements=(statement,),
            question=question,
            answers=tuple(dict.fromkeys(fact.aliases[0] for fact in facts if fact.relation == key)),
        )
        for key, (statement, question) in WORDINGS.items()
    }


def fact_questions(
    facts: Sequence[Fact], rng: np.random.Generator, *, draws: int = 1
) -> tuple[list[Question], Counter[str]]:
    """Questions with passages of three statements, in the way of the generated world.

    Fakes and distractors are facts of the same kind from the same ``facts``, so that a fake
    answer of one split names no entity of another.

    Args:
        facts: Of one split.
        rng: Draws fakes, distractors and the order of statements.
        draws: Sets of contexts of each question, each with a fake of its own.

    Returns:
        The questions, all with their first contexts before any with its second, and how many have no
        counterfactual or irrelevant context, by reason.
    """
    dropped: Counter[str] = Counter()
    questions = []
    for draw, fact in product(range(draws), facts):
        same = [other for other in facts if other.relation == fact.relation and _differs(other, fact)]
        if len({other.aliases[0] for other in same}) < 2:
            dropped["no other answer"] += 1
            continue
        question, reason = _question(fact, facts, same, rng, draw)
        if reason:
            dropped[reason] += 1
        questions.append(question)
    return questions, dropped


def _question(
    fact: Fact, facts: Sequence[Fact], same: Sequence[Fact], rng: np.random.Generator, draw: int
) -> tuple[Question, str]:
    near, fake = _two_answers(same, rng)
    beside = [near, *_about(fact, facts, rng)]
    far = [other for other in facts if other.entity != fact.entity]
    name = f"{fact.relation}:{fact.subject}"
    question = Question(
        id=f"{name}#{draw}" if draw else name,
        first=name if draw else "",
        entity=fact.entity,
        subject=fact.subject,
        relation=fact.relation,
        text=WORDINGS[fact.relation][1].format(subject=fact.subject),
        aliases=fact.aliases,
        relevant=_passage([fact, *beside], rng),
        distractor=near.aliases[0],
        hard=_without(fact, beside, far, 1, rng),
        easy=_without(fact, [], far, 3, rng),
    )
    return with_counterfactual(question, fake)


def _two_answers(same: Sequence[Fact], rng: np.random.Generator) -> tuple[Fact, str]:
    """A fact with the distractor, and a fake answer that differs from it."""
    near = same[int(rng.integers(len(same)))]
    rest = [other for other in same if unigrams(other.aliases[0]) != unigrams(near.aliases[0])]
    return near, rest[int(rng.integers(len(rest)))].aliases[0]


def _about(fact: Fact, facts: Sequence[Fact], rng: np.random.Generator) -> list[Fact]:
    """Another fact about the same subject, which does not give the answer away."""
    found = [
        other
        for other in facts
        if other.subject == fact.subject
        and other.relation != fact.relation
        and not mentions_any(" ".join(other.aliases), fact.aliases)
    ]
    return [found[rng.integers(len(found))]] if found else []


def _without(
    fact: Fact, beside: Sequence[Fact], far: Sequence[Fact], count: int, rng: np.random.Generator
) -> str:
    """A passage that does not mention the answer, with ``count`` facts drawn from ``far``."""
    for _ in range(_TRIES):
        drawn = [far[int(index)] for index in rng.integers(len(far), size=count)]
        text = _passage([*beside, *drawn], rng)
        if not mentions_any(text, fact.aliases):
            return text
    return ""


def _passage(facts: Sequence[Fact], rng: np.random.Generator) -> str:
    order = rng.permutation(len(facts))
    return " ".join(_state(facts[index]) for index in order)


def _state(fact: Fact) -> str:
    return WORDINGS[fact.relation][0].format(subject=fact.subject, answer=fact.aliases[0])


def _differs(other: Fact, fact: Fact) -> bool:
    """Whether the answers share no name, so that one can be the other's fake."""
    return other.entity != fact.entity and not any(
        mentions_any(name, other.aliases) or mentions_any(" ".join(other.aliases), [name])
        for name in fact.aliases
    )


def _is_askable(fact: Fact) -> bool:
    """Answers need a unigram that is no stop word ("As" and "In" are symbols), and no give-away."""
    if not all(map(unigrams, fact.aliases)) or (fact.relation == "element" and not unigrams(fact.subject)):
        return False
    return not mentions_any(fact.subject, fact.aliases) and not mentions_any(fact.aliases[0], [fact.subject])


def _continent(name: str) -> tuple[str, ...]:
    """Many count one continent where GeoNames counts two; "America" would pass for the other one."""
    return (name, "Americas") if name.endswith("America") else (name,)
