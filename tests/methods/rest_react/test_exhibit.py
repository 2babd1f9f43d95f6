"""Trajectories to be read."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from methods.rest_react.agent import Settings, roll_out
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.exhibit import sample, steps_table
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.world import all_questions, choose, make_world


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 20))
def test_half_are_wrong_where_there_are_such(right: list[bool], most: int) -> None:
    places = sample(right, most)
    assert len(places) == min(most, len(right))
    assert places == sorted(set(places))
    wrong = sum(not right[place] for place in places)
    assert wrong == min(right.count(False), max(most // 2, most - right.count(True)))


def test_every_step_is_told() -> None:
    rng = np.random.default_rng(0)
    world = make_world(20, 4, rng)
    questions, key = all_questions(world, 2)
    asked = choose(questions, 30, rng)
    walks = roll_out(
        asked, Demonstrator("s", "s", error=0.3), SearchTool(world.documents), Settings(samples=3), seed=0
    )
    right = [walk.final == key[walk.question] for walk in walks]
    table = steps_table(walks, right, most=6)
    rows = list(zip(*(table[name] for name in ("unit_id", "mark", "step", "kind", "text")), strict=True))
    assert len({row[0] for row in rows}) == 6
    assert {row[1] for row in rows} == {"right", "wrong"}
    by_id = {walk.question.id: walk for walk in walks}
    for name in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == name]
        walk = by_id[name]
        assert [row[2] for row in own] == list(range(len(own)))
        assert len(own) == len(walk.steps) + walk.searches + 1
        assert own[-1][3:] == ("final answer", walk.final)
        assert [row[3] for row in own].count("search result") == walk.searches


def test_no_trajectories_give_an_empty_table() -> None:
    assert all(len(column) == 0 for column in steps_table([], []).values())
