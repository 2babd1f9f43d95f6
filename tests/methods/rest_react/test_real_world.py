"""A world of real facts."""

from __future__ import annotations

import numpy as np
import pytest

from harness.method import ProblemError
from methods.common.countries import Atlas, Country
from methods.rest_react import real_world as real
from methods.rest_react.agent import Settings, roll_out
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.reading import read_fact, read_state
from methods.rest_react.retrieval import SearchTool, needs_more_than_one_search
from methods.rest_react.steps import Kind, State
from methods.rest_react.world import World, follow
from tests.methods.common.real_tables import atlas, elements


@pytest.fixture(scope="module")
def world() -> World:
    return real.real_world(atlas(), elements())


@pytest.fixture(scope="module")
def tool(world: World) -> SearchTool:
    return SearchTool(world.documents)


def test_facts_that_anybody_can_check(world: World) -> None:
    table = world.table
    assert table["Kenya", "capital"] == "Nairobi"
    assert table["Nairobi", "country"] == "Kenya"
    assert table["Japan", "currency"] == "Yen"
    assert table["Portugal", "largest neighbour"] == "Spain"
    assert table["Brazil", "official language"] == "Portuguese"
    assert table["Iron", "symbol"] == "Fe"
    assert table["Fe", "name"] == "Iron"
    assert table["Iron", "heavier neighbour"] == "Cobalt"
    assert table["Iron", "lighter neighbour"] == "Manganese"


def test_every_fact_reads_back_from_its_document(world: World) -> None:
    from methods.rest_react.judge import normalised

    for fact, document in zip(world.facts, world.documents, strict=True):
        assert read_fact(document) == ((normalised(fact.relation), normalised(fact.subject)), fact.value)


def test_a_neighbour_has_this_country_for_a_neighbour_unless_it_has_a_larger_one(world: World) -> None:
    table = world.table
    ends = [fact for fact in world.facts if fact.relation == "lighter neighbour"]
    assert all(table[fact.value, "heavier neighbour"] == fact.subject for fact in ends)
    assert all(
        table.get((fact.value, "capital")) == fact.subject
        for fact in world.facts
        if fact.relation == "country" and (fact.value, "capital") in table
    )


@pytest.mark.parametrize("hops", [2, 3])
def test_questions_take_all_their_hops(world: World, tool: SearchTool, hops: int) -> None:
    questions, key = real.real_questions(world, tool, hops=hops, count=125, rng=np.random.default_rng(0))
    assert len({question.text for question in questions}) == 125
    for question in questions:
        path = follow(world, question)
        assert path is not None
        assert path[-1] == key[question]
        assert len({question.subject, *path}) == hops + 1
        assert needs_more_than_one_search(question, world, tool)
        reading = read_state(State(Kind.DECISION, question.text))
        assert reading.relations == question.relations
        assert reading.reached == (question.subject,)


def test_an_agent_that_never_errs_answers_them(world: World, tool: SearchTool) -> None:
    questions, key = real.real_questions(world, tool, hops=2, count=60, rng=np.random.default_rng(1))
    walks = roll_out(questions, Demonstrator("s", "s", error=0.0), tool, Settings(samples=1), seed=0)
    assert np.mean([walk.final == key[walk.question] for walk in walks]) > 0.95


def test_too_many_questions_are_refused(world: World, tool: SearchTool) -> None:
    with pytest.raises(ProblemError, match="over 2 hops"):
        real.real_questions(world, tool, hops=2, count=10_000, rng=np.random.default_rng(0))


def test_a_question_that_names_its_answer_is_left_out() -> None:
    wales = Country("WL", "Wales", population=10**6, capital="Wales Town", continent="Europe")
    small = real.real_world(Atlas({"WL": wales}, ()), [])
    chains = real.real_questions(
        small, SearchTool(small.documents), hops=1, count=0, rng=np.random.default_rng(0)
    )
    assert chains[0] == []
    with pytest.raises(ProblemError):
        # Town → country would be answered by the question's own words.
        real.real_questions(small, SearchTool(small.documents), hops=2, count=2, rng=np.random.default_rng(0))


def test_states_that_ended_are_nowhere(world: World) -> None:
    assert world.table["Belgrade", "country"] == "Serbia"
    assert world.table["Serbia", "currency"] == "Serbian Dinar"
    assert not {"Serbia and Montenegro", "Burma", "Scotland"} & set(world.entities)
    # Kosovo has no code, and what countries with it for a neighbour are asked would be disputed.
    assert ("Serbia", "smallest neighbour") not in world.table


def test_every_question_has_one_answer(world: World) -> None:
    from methods.rest_react.judge import normalised

    asked = [(normalised(fact.subject), fact.relation) for fact in world.facts]
    assert len(asked) == len(set(asked))


def test_two_countries_with_one_capital_are_not_asked_for_by_it() -> None:
    rows = {
        code: Country(code, name, population=10**6, capital="Newtown", continent="Europe")
        for code, name in (("AA", "Aland"), ("BB", "Bland"))
    }
    table = real.real_world(Atlas(rows, ()), []).table
    assert table["Aland", "capital"] == table["Bland", "capital"] == "Newtown"
    assert ("Newtown", "country") not in table
