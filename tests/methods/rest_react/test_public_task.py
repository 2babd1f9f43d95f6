"""The paper's own scale, on two questions and a tiny model with a real tokenizer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.method import SERVER_FILE, ProblemError, ResourceError
from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.rest_react.language import ModelRanker
from methods.rest_react.method import Prompted, SelfImprove
from methods.rest_react.public_questions import FreeQuestion, QuestionSet
from methods.rest_react.public_task import FewShotTeacher, PublicAgents
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.world import AnswerKey
from tests.methods.context import FakeContext

TEACHER = FewShotTeacher(searches=1, base_steps=2, base_batch=2, limit=200, rows=8)
TASK = PublicAgents(generation_0=TEACHER, runs=1, questions=1)


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> FakeContext:
    folder = tmp_path_factory.mktemp("model")
    tokenizer = tiny_lm.train_tokenizer(["who wrote ulysses? james joyce"] * 3, 300)
    generator = torch.Generator().manual_seed(0)
    tiny_lm.save(
        tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 16, context=6000), generator), tokenizer, folder
    )
    asked = (
        FreeQuestion("q0", "", (), "Who wrote Ulysses?"),
        FreeQuestion("q1", "", (), "Where was he born?"),
    )
    questions = QuestionSet(asked, AnswerKey({"q0": "James Joyce", "q1": "Dublin"}))
    objects: dict[str, Any] = {
        "search-agent": folder,
        "bamboogle": questions,
        "bamtwoogle": questions,
        "hotpotqa-questions": questions,
        "search-passages": SearchTool(["Ulysses was written by James Joyce.", "Joyce was born in Dublin."]),
        "FewShotTeacher": folder,
    }
    objects |= {f"search-student-{size}": load_checkpoint(folder) for size in ("l", "s", "xs")}
    return FakeContext(objects=objects)


@pytest.mark.slow
def test_a_prompted_agent_and_its_student_are_judged_by_the_model(ctx: FakeContext) -> None:
    method = SelfImprove(generations=1, sizes=("S",), samples=1, everywhere=("gen0-L",), ranker="model")
    problem = TASK.problem(ctx)
    assert isinstance(problem.ranker, ModelRanker)
    assert problem.labels is None
    problem = replace(problem, settings=replace(problem.settings, new_tokens=4))
    parts = TASK.evaluate(method.run(problem, ctx), ctx).parts
    assert list(parts["agents"]["unit_id"]) == ["gen0-L", "gen1-S"]
    assert list(parts["main"]["unit_id"]) == ["q0", "q1"]
    # A model that says nothing sensible judges nothing to be right.
    assert set(parts["main"]["final_right"]) == set(parts["gen0-L@second"]["judge_right"]) == {0.0}


def test_no_other_size_is_prompted(ctx: FakeContext) -> None:
    with pytest.raises(ProblemError, match="'S'"):
        Prompted(samples=1, sizes=("L", "S")).run(TASK.problem(ctx), ctx)


def test_servers_are_described_in_a_file(ctx: FakeContext, tmp_path: Path) -> None:
    server = {"address": "http://127.0.0.1:1/v1", "model": "m", "protocol": "completions", "scoring": "none"}
    (tmp_path / SERVER_FILE).write_text(json.dumps({"server": server}), encoding="utf-8")
    served = replace(ctx, objects={**ctx.objects, "search-agent": tmp_path}, asked=[])
    assert TEACHER.prompted(served).name == "m"
    assert [model.described()["address"] for model in served.asked] == ["http://127.0.0.1:1/v1"]
    (tmp_path / SERVER_FILE).write_text("nonsense", encoding="utf-8")
    with pytest.raises(ResourceError, match="description"):
        TEACHER.prompted(served)
