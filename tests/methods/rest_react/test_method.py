"""Tasks and methods together, as the engine runs them, on a small generation 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.method import Method, ProblemError
from methods.common.recast import recast
from methods.rest_react.agent import Candidate
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.exams import sit
from methods.rest_react.method import (
    OutcomeFiltered,
    Pilot,
    Prompted,
    SelfImprove,
)
from methods.rest_react.sabotage import CopiedTrajectories, SwappedWorlds
from methods.rest_react.steps import State
from methods.rest_react.students import Student, Students
from methods.rest_react.task import SearchAgents, WorldAgents
from tests.methods.rest_react.small import TASK, context

FEW: dict[str, Any] = {"samples": 2, "samples_xs": 3}
CHAIN = SelfImprove(passes=(1, 2), subsets=(1,), everywhere=("gen2-XS",), shown=("gen0-L",), **FEW)


def scores(
    method: Method[Any, Any], folder: Path, task: SearchAgents = TASK, **changes: Any
) -> dict[str, Any]:
    ctx = context(folder, **changes)
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


@pytest.fixture(scope="module")
def chain(taught: Path) -> dict[str, Any]:
    return scores(CHAIN, taught)


def test_a_chain_scores_every_agent_on_the_same_questions(chain: dict[str, Any]) -> None:
    sizes = [f"gen{generation}-{size}" for generation in (1, 2) for size in ("L", "S", "XS")]
    agents = ["gen0-L", *sizes, "gen2-1x-XS"]
    assert list(chain["agents"]["unit_id"]) == agents
    for name in agents:
        rows = chain[name]
        assert len(rows["unit_id"]) == 20
        assert list(rows["unit_id"]) == list(chain["gen0-L"]["unit_id"])
        assert set(rows["run"]) == {0, 1}
        assert set(rows["final_right"]) <= {0.0, 1.0}
        gains = [f - d for f, d in zip(rows["final_right"], rows["draft_right"], strict=True)]
        assert list(rows["gain"]) == gains
        assert all(0 <= value <= 1 for value in (*rows["failed"], *rows["format_error"]))
        assert all(0 <= value <= 4 for value in rows["searches"])
    assert chain["main"] == chain["gen2-L"]
    # Another exam only for those who take it.
    assert len(chain["gen2-XS@second"]["unit_id"]) == 20
    assert "gen2-S@second" not in chain
    assert set(chain["gen0-L#steps"]["mark"]) <= {"right", "wrong"}


def test_data_sizes_and_parameters_are_told(chain: dict[str, Any]) -> None:
    data = dict(zip(chain["data"]["unit_id"], chain["data"]["trajectories"], strict=True))
    assert data == {"gen1-1x": 20, "gen2-2x": 40, "gen2-1x": 20}
    numbers = dict(zip(chain["agents"]["unit_id"], chain["agents"]["parameters"], strict=True))
    assert numbers["gen2-L"] == numbers["gen0-L"] > 10 * numbers["gen2-XS"]


def test_the_same_seed_gives_the_same_scores_and_another_does_not(taught: Path) -> None:
    method = SelfImprove(generations=1, sizes=("XS",), **FEW)
    first = scores(method, taught)
    assert first == scores(method, taught)
    other = scores(method, taught, seed=101)
    assert set(first["main"]["unit_id"]).isdisjoint(other["main"]["unit_id"])


def test_generation_0_trained_in_a_trial_is_the_prepared_one(taught: Path) -> None:
    # The prepared one has seed 100; a task that does not hold it trains it itself.
    prepared = scores(Prompted(**FEW), taught)
    stranger = replace(TASK, generation_0=replace(TASK.recipe, seed=5))
    # Training is too short for a fall of the loss, which is no number in both.
    np.testing.assert_equal(scores(Prompted(**FEW), taught, stranger), prepared)


def test_other_sizes_learn_from_the_same_demonstrations(taught: Path) -> None:
    found = scores(Prompted(sizes=("L", "XS"), **FEW), taught)
    assert list(found["agents"]["unit_id"]) == ["gen0-L", "gen0-XS"]
    assert found["main"] == found["gen0-L"]


@pytest.mark.parametrize("ranker", ["none", "random", "oracle"])
def test_rankers_change_what_is_learnt(taught: Path, ranker: Any) -> None:
    found = scores(SelfImprove(generations=1, sizes=("XS",), ranker=ranker, start=False, **FEW), taught)
    changed = found["data"]["changed"][0]
    assert (changed == 0) == (ranker == "none")
    assert list(found["agents"]["unit_id"]) == ["gen1-XS"]


def test_a_ranker_that_is_a_model_has_to_be_there(taught: Path) -> None:
    method = SelfImprove(generations=1, sizes=("XS",), ranker="model", **FEW)
    with pytest.raises(ProblemError, match="no model"):
        scores(method, taught)

    class Last:
        calls = 0

        def best(self, state: State, candidates: Sequence[Candidate], rng: np.random.Generator) -> int:
            Last.calls += 1
            return len(candidates) - 1

    ctx = context(taught)
    found = method.run(replace(TASK.problem(ctx), ranker=Last()), ctx)
    assert found.data[0].asked == Last.calls > 0


def test_labels_are_for_those_who_ask(taught: Path) -> None:
    method = OutcomeFiltered(generations=1, sizes=("XS",), **FEW)
    with pytest.raises(ProblemError, match="labels"):
        scores(method, taught)
    found = scores(method, taught, replace(TASK, labels=True, questions=60))
    assert 0 < found["data"]["trajectories"][0] < 60


def test_pilots_take_a_quarter_and_remove_a_third(taught: Path) -> None:
    whole = scores(Pilot(trajectories=10, removed=0.0, **FEW), taught)
    part = scores(Pilot(trajectories=10, **FEW), taught)
    assert whole["data"]["trajectories"] == part["data"]["trajectories"] == [10]
    (all_steps,), (kept,) = whole["data"]["examples"], part["data"]["examples"]
    assert kept == all_steps - round(0.333 * all_steps)
    assert whole["main"] != part["main"]


def test_what_another_world_says_is_not_right(taught: Path) -> None:
    def accuracy(task: WorldAgents) -> float:
        ctx = context(taught)
        problem = task.problem(ctx)
        agent = sit(
            "gen0-L", lambda lexicon: Demonstrator("s", "s", error=0.0), problem.exams, problem.settings
        )
        result = Prompted(**FEW).run(problem, ctx)
        found = task.evaluate(replace(result, agents=(agent,)), ctx).parts["main"]
        return float(np.mean(found["final_right"]))

    assert accuracy(TASK) == 1.0
    assert accuracy(recast(TASK, SwappedWorlds)) < 0.2


def test_copied_trajectories_are_as_many_and_all_the_first(taught: Path) -> None:
    """Data of twice as many trajectories are the same steps twice, of one walk by generation 0."""
    learnt: dict[str, list[Any]] = {}

    @dataclass(frozen=True)
    class Listening:
        students: Students

        def train(self, examples: Any, lexicon: Any, size: str, name: str, streams: Any) -> Student:
            learnt[name] = list(examples)
            return self.students.train(examples, lexicon, size, name, streams)

    ctx = context(taught)
    problem = TASK.problem(ctx)
    heard = replace(problem, students=Listening(problem.students))
    found = CopiedTrajectories(subsets=(1, 2), **FEW).run(heard, ctx)
    assert [one.name for one in found.agents] == ["gen2-1x-XS", "gen2-2x-XS"]
    assert [one.trajectories for one in found.data] == [20, 40]
    once = learnt["gen2-1x-XS"]
    assert learnt["gen2-2x-XS"] == [*once, *once]
    # The walk is the one that self-improvement's first generation learns from.
    SelfImprove(generations=1, sizes=("XS",), **FEW).run(heard, ctx)
    assert [one.state for one in learnt["gen1-XS"]] == [one.state for one in once]


def test_tuning_sees_validation_questions_only(taught: Path) -> None:
    method = SelfImprove(generations=1, sizes=("XS",), **FEW)
    found = scores(method, taught, stage="tune")
    assert list(found) == ["validation"]
    assert set(found["validation"]["unit_id"]).isdisjoint(scores(method, taught)["main"]["unit_id"])


def test_a_method_has_to_name_its_agent(taught: Path) -> None:
    ctx = context(taught)
    found = Prompted(**FEW).run(TASK.problem(ctx), ctx)
    with pytest.raises(ProblemError, match="no agent"):
        TASK.evaluate(replace(found, main="gen9-L"), ctx)
    with pytest.raises(ProblemError, match="size"):
        SelfImprove(sizes=("XXL",), generations=1, **FEW).run(TASK.problem(ctx), ctx)
