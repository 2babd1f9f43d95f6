"""Grow and improve: what becomes of trajectories, and what may be known on the way."""

from __future__ import annotations

import dataclasses
import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.method import ProblemError
from methods.rest_react import cloning, exams, generations, method, policy, prepare, students
from methods.rest_react.agent import Settings, Trajectory
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.exams import Outcome, long_form, sit
from methods.rest_react.generations import (
    filtered,
    grow,
    hard_questions,
    improve,
    lexicon_of,
    rightly_answered,
)
from methods.rest_react.judge import exactly_right, implies
from methods.rest_react.ranker import LocalRanker
from methods.rest_react.retrieval import SearchTool, needs_more_than_one_search
from methods.rest_react.steps import Kind, State
from methods.rest_react.training_data import StepExample
from methods.rest_react.world import AnswerKey, Question, World, answer_key, make_world
from tests.methods.rest_react.small import TASK, context

WORLD = make_world(24, 4, np.random.default_rng(0))
TOOL = SearchTool(WORLD.documents)
QUESTIONS = hard_questions(WORLD, TOOL, {2: 20, 3: 5}, np.random.default_rng(1))


def walks(error: float = 0.3, *, passes: int = 1) -> tuple[tuple[Trajectory, ...], ...]:
    model = Demonstrator("script", "script", error=error)
    return grow(model, QUESTIONS, TOOL, Settings(), seeds=range(passes))


def test_questions_are_hard_and_as_many_as_wanted() -> None:
    assert Counter(one.hops for one in QUESTIONS) == {2: 20, 3: 5}
    assert len({one.id for one in QUESTIONS}) == 25
    assert all(needs_more_than_one_search(one, WORLD, TOOL) for one in QUESTIONS)
    with pytest.raises(ProblemError, match="larger"):
        hard_questions(WORLD, TOOL, {2: 10_000}, np.random.default_rng(0))


def test_growing_repeats_the_questions_and_not_the_trajectories() -> None:
    found = walks(passes=3)
    assert [[one.question for one in some] for some in found] == [list(QUESTIONS)] * 3
    said = [[step.text for one in some for step in one.steps] for some in (*found, *walks(passes=1))]
    assert said[0] != said[1]
    assert said[3] == said[0]


def test_every_step_of_every_trajectory_becomes_an_example() -> None:
    (found,) = walks(0.6)
    data = improve("gen1-1x", found, LocalRanker(), np.random.default_rng(0))
    assert len(data.examples) == sum(len(one.steps) for one in found) == data.about.examples
    assert data.about.trajectories == 25
    assert 0 < data.about.changed <= data.about.asked <= data.about.examples
    # Golden: 2h + 4 examples a trajectory of h searches.
    assert data.about.examples == sum(2 * one.searches + 4 for one in found)
    assert data.about.searches == pytest.approx(np.mean([one.searches for one in found]))


def test_an_annotator_removes_bad_steps_and_no_more_than_told() -> None:
    (found,) = walks(0.4)
    examples = improve("pilot", found, None, np.random.default_rng(0)).examples
    kept = filtered(examples, 1 / 3, 0.0, np.random.default_rng(0))
    assert len(kept) == len(examples) - round(len(examples) / 3)
    assert set(kept) <= set(examples)
    assert filtered(examples, 0.0, 0.5, np.random.default_rng(0)) == examples
    looks = [generations._look(one) for one in examples]
    bad = sum(look == 0 for look in looks)
    assert sum(generations._look(one) == 0 for one in kept) == max(0, bad - round(len(examples) / 3))


def test_annotators_see_empty_steps_of_free_questions() -> None:
    state = State(Kind.SUMMARY, "Who wrote Ulysses?", query="author of Ulysses")
    steps = [StepExample(state.prompt, target) for target in ("[1] => Joyce wrote it.", "=>", "nonsense")]
    assert filtered(steps, 2 / 3, 0.0, np.random.default_rng(0)) == (steps[0],)


def test_filtering_by_outcome_needs_labels_and_keeps_what_is_right() -> None:
    (found,) = walks(0.4)
    key = answer_key(WORLD, QUESTIONS)
    right = rightly_answered(found, lambda question, answer: exactly_right(answer, key[question]))
    assert 0 < len(right) < len(found)
    assert all(exactly_right(one.final, key[one.question]) for one in right)


def test_outcomes_say_what_happened() -> None:
    exam = exams.Exam("two-hop", QUESTIONS, TOOL, lexicon_of(WORLD), (1, 2))
    model = Demonstrator("script", "script", error=0.2)
    result = sit("gen0-L", lambda lexicon: model, [exam], Settings(), parameters=5, show=True)
    rows = result.outcomes["two-hop"]
    assert [(one.question, one.run) for one in rows] == [(q.id, run) for run in (0, 1) for q in QUESTIONS]
    assert {one.unread for one in rows} == {0.0}
    assert len(result.shown) == len(QUESTIONS)
    assert [Outcome.of(one, 0) for one in result.shown] == list(rows[: len(QUESTIONS)])
    key = answer_key(WORLD, QUESTIONS)
    for walk in result.shown:
        text = long_form(walk)
        assert text.startswith(walk.final)
        if exactly_right(walk.final, key[walk.question]):
            assert implies(text, key[walk.question], WORLD.entities)


def reachable(thing: Any, seen: set[int]) -> Iterator[Any]:
    """Everything that can be got hold of from an object, through fields, containers and closures."""
    if id(thing) in seen or isinstance(thing, (str, int, float, bool, type(None))):
        return
    seen.add(id(thing))
    yield thing
    inner: list[Any] = []
    if type(thing).__module__.startswith("methods."):
        inner += list(vars(thing).values())
    if isinstance(thing, dict):
        inner += [*thing.keys(), *thing.values()]
    if isinstance(thing, (list, tuple, set, frozenset)):
        inner += list(thing)
    if inspect.isfunction(thing) and thing.__closure__:
        inner += [cell.cell_contents for cell in thing.__closure__]
    if inspect.ismethod(thing):
        inner.append(thing.__self__)
    for one in inner:
        yield from reachable(one, seen)


def test_no_answer_is_reachable_from_what_builds_training_data(taught: Path) -> None:
    problem = TASK.problem(context(taught))
    found = list(reachable(problem, set()))
    assert any(isinstance(one, Question) for one in found)
    # Facts are in documents, as on the web; answers and worlds, which give them, are not at hand.
    assert not any(isinstance(one, (AnswerKey, World)) for one in found)
    assert not any(callable(one) and "right" in getattr(one, "__name__", "") for one in found)
    for module in (generations, exams, students, cloning, policy, prepare, method):
        names = set(vars(module))
        assert not {"AnswerKey", "answer_key", "all_questions", "follow"} & names, module.__name__
        assert "AnswerKey" not in inspect.getsource(module)
    labelled = dataclasses.replace(TASK, labels=True).problem(context(taught))
    assert labelled.labels is not None
    assert any(isinstance(one, AnswerKey) for one in reachable(labelled, set()))
