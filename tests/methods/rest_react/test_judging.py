"""Judges of free answers, against the oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.rest_react import judging
from methods.rest_react.judge import implies
from methods.rest_react.measures import ACCURACY, JUDGED, PEARSON
from methods.rest_react.sabotage import LenientJudge
from methods.rest_react.world import Question
from tests.methods.context import FakeContext

TASK = judging.Judging(errors=(0.0, 0.1, 0.2, 0.3, 0.45, 0.6), questions=30, entities=20, relations=4)
ASKED = Question("q", "Ann", ("rival", "mentor"))


@pytest.fixture
def ctx(tmp_path: Path) -> FakeContext:
    return FakeContext(seed=3)


def scores(method: judging.RuleJudge | LenientJudge, ctx: FakeContext) -> dict[str, np.ndarray]:
    result = method.run(TASK.problem(ctx), ctx)
    table = TASK.evaluate(result, ctx).parts["main"]
    return {name: np.asarray(column) for name, column in table.items()}


def test_a_judge_that_reads_ranks_agents_as_the_oracle(ctx: FakeContext) -> None:
    table = scores(judging.RuleJudge(), ctx)
    assert PEARSON(table) > 0.95
    assert len(np.unique(table["agent"])) == 6
    assert len(np.unique(table["unit_id"])) == len(table["unit_id"]) == 180
    by_agent = {name: np.mean(table["final_right"][table["agent"] == name]) for name in ("0", "0.6")}
    assert by_agent["0"] > by_agent["0.6"] + 0.3


def test_a_judge_that_says_yes_tells_nothing_apart(ctx: FakeContext) -> None:
    table = scores(LenientJudge(), ctx)
    assert JUDGED(table) == 100
    assert PEARSON(table) == 0


def test_looking_for_the_name_alone_is_too_lenient_and_for_nothing_else_too_strict(ctx: FakeContext) -> None:
    problem = TASK.problem(ctx)
    truth = ACCURACY(scores(judging.RuleJudge(), ctx))
    assert 100 * np.mean(judging.MentionJudge().run(problem, ctx)) > truth + 2
    assert 100 * np.mean(judging.StringJudge().run(problem, ctx)) < truth - 20


@pytest.mark.parametrize("named", ["Bob", "Cid", "unknown"])
def test_wordings_commit_as_they_say(named: str) -> None:
    names = ("Ann", "Bob", "Cid", "Dan")
    rng = np.random.default_rng(0)
    draws = [judging.word(ASKED, named, "Bob", names=names, vague=0.5, rng=rng) for _ in range(200)]
    seen = dict(draws)
    for answer, right in seen.items():
        assert implies(answer, "Bob", set(names)) == right, answer
        assert right <= (named == "Bob")
    assert any(seen.values()) == (named == "Bob")


def test_answers_are_the_same_whoever_judges(ctx: FakeContext) -> None:
    assert TASK.problem(ctx) == TASK.problem(ctx)


def test_a_language_model_judges_from_a_checkpoint_or_a_folder(tmp_path: Path, ctx: FakeContext) -> None:
    task = judging.Judging(errors=(0.0, 0.5), questions=3, entities=12, relations=3)
    problem = task.problem(ctx)
    tokenizer = tiny_lm.train_tokenizer([item.answer + item.question for item in problem.items], 300)
    size = tiny_lm.Size(1, 16, context=1500)
    tiny_lm.save(
        tiny_lm.new_model(len(tokenizer), size, torch.Generator().manual_seed(0)), tokenizer, tmp_path
    )
    method = judging.LanguageJudge(rows=2)
    found = [
        method.run(problem, FakeContext(seed=3, objects={"SafeWeights": loaded}))
        for loaded in (tmp_path, load_checkpoint(tmp_path))
    ]
    assert found[0] == found[1]
    # An untrained model writes no verdict, and what cannot be read is not right.
    assert found[0] == (False,) * 6
