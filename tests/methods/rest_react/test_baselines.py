"""Agents that do less than the search agent, and controls."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.method import ProblemError
from methods.rest_react import baselines, simpler_agents
from methods.rest_react.agent import Settings, roll_out
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.exams import AgentResult, Exam, Outcome
from methods.rest_react.generations import lexicon_of
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.sabotage import StandIn
from methods.rest_react.steps import Kind
from methods.rest_react.students import Student
from methods.rest_react.task import AgentProblem
from methods.rest_react.world import AnswerKey, all_questions, choose, make_world
from tests.methods.context import FakeContext


@pytest.fixture(scope="module")
def exam() -> tuple[Exam, AnswerKey]:
    rng = np.random.default_rng(0)
    world = make_world(30, 5, rng)
    questions, key = all_questions(world, 2)
    asked = tuple(choose(questions, 40, rng))
    return Exam("two-hop", asked, SearchTool(world.documents), lexicon_of(world), (1, 2, 3)), key


def script(error: float = 0.2) -> Demonstrator:
    return Demonstrator("script", "script", error=error)


def problem(exam: Exam, model: Demonstrator) -> AgentProblem:
    unused: Any = None
    return AgentProblem(
        train=(),
        tool=exam.tool,
        lexicon=exam.lexicon,
        exams=(exam, replace(exam, name="second")),
        settings=Settings(),
        teacher=Student(lambda lexicon: model, 7, lambda folder: None),
        students=unused,
        beginner=unused,
    )


def right(rows: tuple[Outcome, ...], key: AnswerKey) -> float:
    return float(np.mean([one.final == key.answers[one.question] for one in rows]))


def own(method: baselines.Baseline, exam: Exam, model: Demonstrator) -> AgentResult:
    (found,) = method.run(problem(exam, model), FakeContext()).agents
    return found


def test_without_searching_nothing_is_known(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, key = exam
    found = own(baselines.ClosedBook(), sheet, script(0.0))
    assert all((one.searches, one.steps) == (0, 1) for one in found.outcomes["two-hop"])
    assert right(found.outcomes["two-hop"], key) == 0
    assert {one.final for one in found.outcomes["two-hop"]} == {"unknown"}


def test_one_search_for_the_question_is_one_search(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, _ = exam
    walks = simpler_agents.single_search(sheet.questions, script(), sheet.tool, Settings(samples=2), seed=0)
    for walk, question in zip(walks, sheet.questions, strict=True):
        assert [step.state.kind for step in walk.steps] == [Kind.SUMMARY, Kind.ANSWER]
        assert walk.steps[0].state.query == question.text
        assert walk.searches == 1
        assert walk.final == walk.draft


def test_plain_react_ends_with_the_draft_of_the_same_trajectory(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, _ = exam
    whole = own(baselines.SearchAgent(), sheet, script()).outcomes["two-hop"]
    plain = own(baselines.PlainReAct(), sheet, script()).outcomes["two-hop"]
    assert [one.final for one in plain] == [one.draft for one in whole]
    assert [one.steps for one in plain] == [one.steps - 2 for one in whole]
    assert any(one.final != one.draft for one in whole)


def test_the_vote_is_the_commonest_answer(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, key = exam
    runs = own(baselines.SearchAgent(), sheet, script()).outcomes["two-hop"]
    elected = own(baselines.MajorityVote(), sheet, script()).outcomes["two-hop"]
    assert sorted(one.question for one in elected) == sorted(one.id for one in sheet.questions)
    for one in elected:
        votes = Counter(other.final for other in runs if other.question == one.question)
        assert votes[one.final] == max(votes.values())
    assert right(elected, key) > right(runs, key)


def test_k_samples_are_drawn(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, _ = exam
    model = script()
    roll_out(sheet.questions, model, sheet.tool, Settings(samples=1), seed=1)
    single = model.usage.calls
    own(baselines.SearchAgent(samples=3), replace(sheet, seeds=(1,)), model)
    assert model.usage.calls > 3 * single


def test_a_stand_in_hands_in_one_result_under_all_names(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, _ = exam
    method = StandIn(names=("gen1-S", "gen2-L"), everywhere=("gen0-L",))
    found = method.run(problem(sheet, script()), FakeContext())
    assert [one.name for one in found.agents] == ["gen1-S", "gen2-L"]
    assert found.agents[0].outcomes == found.agents[1].outcomes
    assert set(found.agents[0].outcomes) == {"two-hop", "second"}
    unchecked = replace(method, checks=False).run(problem(sheet, script()), FakeContext())
    assert all(one.final == one.draft for one in unchecked.agents[0].outcomes["two-hop"])
    with pytest.raises(ProblemError, match="nobody"):
        StandIn().run(problem(sheet, script()), FakeContext())


def test_who_goes_astray_answers_other_questions(exam: tuple[Exam, AnswerKey]) -> None:
    sheet, key = exam
    method = StandIn(names=("gen1-L", "gen2-L"), astray=("gen2-L",))
    plain, stray = (
        one.outcomes["two-hop"] for one in method.run(problem(sheet, script()), FakeContext()).agents
    )
    assert [(one.question, one.run) for one in stray] == [(one.question, one.run) for one in plain]
    assert Counter(one.final for one in stray) == Counter(one.final for one in plain)
    right = [np.mean([one.final == key.answers[one.question] for one in rows]) for rows in (plain, stray)]
    assert right[0] > 2 * right[1]
