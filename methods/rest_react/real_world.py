"""A world of real facts: countries, capitals, currencies, languages, neighbours and elements.

The facts are read from installed packages; nothing of them is copied into this repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.method import PackageSource, ProblemError, Resource
from methods.rest_react.judge import mentioned
from methods.rest_react.retrieval import SearchTool, needs_more_than_one_search
from methods.rest_react.world import AnswerKey, Fact, Question, World

FILE = "facts.json"
_LEAST_PEOPLE = 500_000
"""Smaller countries are left out: most of them lack a neighbour or a language of their own."""
_LAST_ELEMENT = 92

Table = list[dict[str, str]]
"""Rows of text fields."""


def _resource(name: str, source: PackageSource, licence: str, size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="dataset",
        licence=licence,
        version=source.version,
        sources=(source,),
        loader="methods.rest_react.real_world:load_table",
        size_mb=size_mb,
    )


_HERE = "methods.rest_react.real_world"
COUNTRIES = _resource(
    "country-relations", PackageSource("countryinfo", "1.0.1", f"{_HERE}:provide_countries"), "MIT", 2
)
NAMES = _resource(
    "currency-language-names", PackageSource("pycountry", "26.2.16", f"{_HERE}:provide_names"), "LGPL-2.1", 23
)
ELEMENTS = _resource(
    "element-relations",
    PackageSource("periodictable", "2.1.0", f"{_HERE}:provide_elements"),
    "public domain",
    3,
)


def provide_countries(folder: Path) -> None:
    """Write capitals, codes of the only currency and language, region and neighbours."""
    from countryinfo import all_countries

    found = [country.info() for country in all_countries()]
    by_code = {info["ISO"]["alpha3"]: info for info in found if info.get("area")}
    rows: dict[str, dict[str, str]] = {}
    for info in found:
        if info.get("capital") and (info.get("population") or 0) >= _LEAST_PEOPLE:
            near = [by_code[code] for code in info.get("borders") or () if code in by_code]
            # Some countries are listed twice.
            rows[info["name"]] = _country(info, sorted(near, key=lambda other: float(other["area"])))
    _write(folder, sorted(rows.values(), key=lambda row: row["name"]))


def _country(info: Mapping[str, Any], near: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        "name": info["name"],
        "capital": info["capital"],
        "currency": _only(info.get("currencies")),
        "language": _only(info.get("languages")),
        "continent": info.get("region") or "",
        "smallest": near[0]["name"] if len(near) > 1 else "",
        "largest": near[-1]["name"] if near else "",
    }


def provide_names(folder: Path) -> None:
    """Write the names of currencies and languages by their codes."""
    import pycountry

    rows = [{"kind": "currency", "code": item.alpha_3, "name": item.name} for item in pycountry.currencies]
    rows += [
        {"kind": "language", "code": item.alpha_2, "name": item.name.partition(" (")[0]}
        for item in pycountry.languages
        if getattr(item, "alpha_2", "")
    ]
    _write(folder, rows)


def provide_elements(folder: Path) -> None:
    """Write names and symbols of elements in the order of their atomic numbers."""
    import periodictable

    _write(
        folder,
        [
            {"name": element.name.capitalize(), "symbol": element.symbol}
            for element in sorted(periodictable.elements, key=lambda item: item.number)
            if 0 < element.number <= _LAST_ELEMENT
        ],
    )


def load_table(folder: Path) -> Table:
    """The rows that a package provided."""
    found: Table = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return found


def real_world(countries: Table, names: Table, elements: Table) -> World:
    """All facts as a world.

    Names with a comma or with " of " in them are left out: questions of the form "the … of the …
    of …" could not be read back. So is what is named like its own value (Singapore).
    """
    facts = [
        fact
        for fact in (*_country_facts(countries, names), *_element_facts(elements))
        if _is_plain(fact.subject) and _is_plain(fact.value) and fact.subject != fact.value
    ]
    facts = list({(fact.subject, fact.relation): fact for fact in facts}.values())
    entities = dict.fromkeys(name for fact in facts for name in (fact.subject, fact.value))
    return World(tuple(facts), tuple(entities), tuple(dict.fromkeys(fact.relation for fact in facts)))


def _country_facts(countries: Table, names: Table) -> Iterator[Fact]:
    codes = {(row["kind"], row["code"]): row["name"] for row in names}
    for row in countries:
        name = row["name"]
        values = {
            "capital": row["capital"],
            "currency": codes.get(("currency", row["currency"]), ""),
            "official language": codes.get(("language", row["language"]), ""),
            "continent": row["continent"],
            "smallest neighbour": row["smallest"],
            "largest neighbour": row["largest"],
        }
        yield from (Fact(name, relation, value) for relation, value in values.items() if value)
        yield Fact(row["capital"], "country", name)


def _element_facts(elements: Table) -> Iterator[Fact]:
    for place, row in enumerate(elements):
        yield Fact(row["name"], "symbol", row["symbol"])
        yield Fact(row["symbol"], "name", row["name"])
        if place:
            yield Fact(row["name"], "lighter neighbour", elements[place - 1]["name"])
            yield Fact(elements[place - 1]["name"], "heavier neighbour", row["name"])


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


def _only(values: Sequence[str] | None) -> str:
    """The value of a list with one."""
    return values[0] if values and len(values) == 1 else ""


def _write(folder: Path, rows: Table) -> None:
    (folder / FILE).write_text(json.dumps(rows, ensure_ascii=False, indent=0), encoding="utf-8")
