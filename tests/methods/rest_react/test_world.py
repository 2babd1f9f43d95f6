"""Worlds, questions and the search tool."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.rest_react.retrieval import SearchTool, needs_more_than_one_search
from methods.rest_react.world import (
    AnswerKey,
    Fact,
    Question,
    World,
    all_questions,
    choose,
    follow,
    make_world,
)


@given(st.integers(3, 30), st.integers(1, 8), st.integers(0, 10**6))
def test_worlds_are_functional_and_complete(entities: int, relations: int, seed: int) -> None:
    world = make_world(entities, relations, np.random.default_rng(seed))
    assert len(world.facts) == len(world.table) == entities * relations
    assert all(fact.value in world.entities and fact.value != fact.subject for fact in world.facts)
    assert world == make_world(entities, relations, np.random.default_rng(seed))


@pytest.mark.parametrize("hops", [2, 3])
def test_answers_end_their_chains(hops: int) -> None:
    world = make_world(12, 4, np.random.default_rng(0))
    questions, key = all_questions(world, hops)
    assert len({question.id for question in questions}) == len(questions) > 20
    for question in questions:
        place = question.subject
        for relation in question.relations:
            place = world.table[place, relation]
        assert key[question] == place
        assert question.hops == hops
        assert question.text.count(" of ") == hops


def test_a_question_reads_backwards() -> None:
    assert Question("1", "Ada", ("mentor", "rival")).text == "What is the rival of the mentor of Ada?"


def test_missing_facts_end_a_chain() -> None:
    world = World((Fact("a", "r", "b"),), ("a", "b"), ("r",))
    assert follow(world, Question("1", "a", ("r",))) == ["b"]
    assert follow(world, Question("1", "a", ("r", "r"))) is None
    with pytest.raises(ProblemError, match="two values"):
        World((Fact("a", "r", "b"), Fact("a", "r", "c")), ("a", "b", "c"), ("r",))


def test_golden_bm25() -> None:
    documents = [
        "citibank was founded in 1812",
        "james madison was president from 1809 to 1817",
        "citibank is a bank",
        "ford was founded in 1903",
    ]
    tool = SearchTool(documents, cut=str.split)
    assert tool.scores("citibank founded") == pytest.approx([1.4398, 0, 0.7802, 0.7199], abs=1e-4)
    assert tool.scores("president 1812") == pytest.approx([1.2505, 1.0152, 0, 0], abs=1e-4)
    assert tool.search("citibank founded") == [0, 2, 3]
    assert tool.search("nothing known") == []
    assert tool.search("") == []


def test_the_right_query_finds_its_document() -> None:
    world = make_world(40, 5, np.random.default_rng(1))
    tool = SearchTool(world.documents)
    for place, fact in enumerate(world.facts):
        assert place in tool.search(f"{fact.relation} of {fact.subject}")[:2]


def test_most_questions_need_more_than_one_search() -> None:
    world = make_world(40, 5, np.random.default_rng(2))
    tool = SearchTool(world.documents)
    questions, _ = all_questions(world, 2)
    needing = [one for one in questions if needs_more_than_one_search(one, world, tool)]
    assert len(needing) > 0.8 * len(questions)
    table = world.table
    for question in needing[:50]:
        middle = table[question.subject, question.relations[0]]
        last = str(Fact(middle, question.relations[1], table[middle, question.relations[1]]))
        assert last not in [tool.documents[place] for place in tool.search(question.text)]


def test_questions_hold_no_answer() -> None:
    # By type: nothing that a question is made of leads to its answer.
    world = make_world(12, 4, np.random.default_rng(3))
    questions, key = all_questions(world, 2)
    fields = set(Question.__dataclass_fields__)
    assert fields == {"id", "subject", "relations"}
    assert not any(key[one] in {one.subject, *one.relations, one.id, one.text} for one in questions)
    assert isinstance(key, AnswerKey)


def test_impossible_worlds_are_refused() -> None:
    with pytest.raises(ProblemError, match="entities"):
        make_world(2, 1, np.random.default_rng(0))
    with pytest.raises(ProblemError, match="questions"):
        choose([], 1, np.random.default_rng(0))
    with pytest.raises(ProblemError, match="nothing to search"):
        SearchTool([])


def test_mixed_results_are_the_same_ones_and_fillers_in_an_order_that_says_nothing() -> None:
    world = make_world(40, 6, np.random.default_rng(0))
    ranked, mixed = SearchTool(world.documents), SearchTool(world.documents, mixed=True)
    places = []
    for fact in world.facts:
        query = f"{fact.relation} of {fact.subject}"
        best, shown = ranked.search(query), mixed.search(query)
        assert len(shown) == len(set(shown)) == 3
        assert set(best) <= set(shown)
        assert mixed.search(query) == shown
        places.append(shown.index(best[0]))
    assert all(0.25 < places.count(place) / len(places) < 0.42 for place in range(3))
    assert mixed.search("zzz") == []
