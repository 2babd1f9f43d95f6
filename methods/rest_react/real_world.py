"""A world of real facts: countries, capitals, currencies, languages, neighbours and elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from harness.method import ProblemError
from methods.common.countries import Atlas
from methods.common.elements import Element
from methods.rest_react.judge import mentioned, normalised
from methods.rest_react.retrieval import SearchTool, needs_more_than_one_search
from methods.rest_react.world import AnswerKey, Fact, Question, World

_LEAST_PEOPLE = 500_000
"""Smaller countries are left out: most of them lack a neighbour or a language of their own."""
_LAST_ELEMENT = 92


def real_world(atlas: Atlas, elements: Sequence[Element]) -> World:
    """All facts as a world.

    Names with a comma or with " of " in them are left out: questions of the form "the … of the …
    of …" could not be read back. So is what is named like its own value (Singapore), and what has
    two values because two things have one name.
    """
    values: dict[tuple[str, str], dict[str, Fact]] = {}
    for fact in (*_country_facts(atlas), *_element_facts(elements)):
        key = normalised(fact.subject), fact.relation
        values.setdefault(key, {})[normalised(fact.value)] = fact
    facts = [
        fact
        for found in values.values()
        for fact in found.values()
        if len(found) == 1
        and _is_plain(fact.subject)
        and _is_plain(fact.value)
        and normalised(fact.subject) != normalised(fact.value)
    ]
    entities = dict.fromkeys(name for fact in facts for name in (fact.subject, fact.value))
    return World(tuple(facts), tuple(entities), tuple(dict.fromkeys(fact.relation for fact in facts)))


def _country_facts(atlas: Atlas) -> Iterator[Fact]:
    names = {code: country.name for code, country in atlas.countries.items()}
    for country in atlas.of_size(_LEAST_PEOPLE):
        values = {
            "capital": country.capital,
            "currency": country.currency,
            "official language": country.language,
            "continent": country.continent,
            "smallest neighbour": names.get(country.smallest, ""),
            "largest neighbour": names.get(country.largest, ""),
        }
        yield from (Fact(country.name, relation, value) for relation, value in values.items() if value)
        if country.capital in atlas.by_capital:
            yield Fact(country.capital, "country", country.name)


def _element_facts(elements: Sequence[Element]) -> Iterator[Fact]:
    known = [element for element in elements if element.number <= _LAST_ELEMENT]
    for element in known:
        yield Fact(element.name, "symbol", element.symbol)
        yield Fact(element.symbol, "name", element.name)
    for lighter, heavier in pairwise(known):
        yield Fact(heavier.name, "lighter neighbour", lighter.name)
        yield Fact(lighter.name, "heavier neighbour", heavier.name)


def real_questions(
    world: World, tool: SearchTool, *, hops: int, count: int, rng: np.random.Generator
) -> tuple[list[Question], AnswerKey]:
    """Questions about a world whose facts are sparse, none answerable by one search.

    Entities along a chain differ, and so do its relations; a question that names its own answer
    ("Mexico City" and "Mexico") is left out.

    Args:
        world: The facts.
        tool: Searches the world's documents.
        hops: Facts that each question takes.
        count: Questions wanted.
        rng: Draws them.

    Raises:
        ProblemError: If the world has fewer.
    """
    chains = list(_chains(world, hops))
    questions: list[Question] = []
    answers: dict[str, str] = {}
    for place in rng.permutation(len(chains)):
        path, relations = chains[place]
        question = Question(f"{hops}-{path[0]}-{'-'.join(relations)}", path[0], relations)
        if len(questions) < count and _is_fit(question, path[-1], world, tool):
            questions.append(question)
            answers[question.id] = path[-1]
    if len(questions) < count:
        raise ProblemError(
            f"The world has {len(questions)} questions over {hops} hops, and {count} were asked for",
            where="real_questions",
            fix="Ask for fewer.",
        )
    return questions, AnswerKey(answers)


def _is_fit(question: Question, answer: str, world: World, tool: SearchTool) -> bool:
    if mentioned(question.text, {answer}):
        return False
    return needs_more_than_one_search(question, world, tool)


def _chains(world: World, hops: int) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Entities along each chain of facts, and its relations."""
    onward: dict[str, list[Fact]] = {}
    for fact in world.facts:
        onward.setdefault(fact.subject, []).append(fact)
    chains: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((name,), ()) for name in onward]
    for _ in range(hops):
        chains = [
            ((*path, fact.value), (*relations, fact.relation))
            for path, relations in chains
            for fact in onward.get(path[-1], ())
            if fact.value not in path and fact.relation not in relations
        ]
    yield from chains


def _is_plain(name: str) -> bool:
    return bool(name) and "," not in name and " of " not in name and " is " not in name
