"""MiniLM on ratings, as the engine runs it, with a tiny encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods.common.examples import collate
from methods.common.minilm import Encoder, embed
from methods.common.ratings import RatingSet
from methods.lora_rite.encoder import RatingLoss, RatingTask
from methods.lora_rite.finetune import FineTune
from tests.methods.common.models import bert
from tests.methods.context import FakeContext

WORDS = ("good", "bad", "great", "awful", "film", "hat", "the", "a")
VALUES = np.array([2, -2, 4, -4, 0, 0, 0, 0])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return bert(tmp_path_factory.mktemp("encoder"), WORDS)


@pytest.fixture(scope="module")
def rated() -> RatingSet:
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(WORDS), size=(80, 4))
    texts = tuple(" ".join(WORDS[i] for i in row) for row in chosen)
    ratings = tuple(VALUES[row].astype(np.int8) for row in chosen)
    return RatingSet("amazon", tuple(map(str, range(80))), texts, ratings, np.zeros(80, dtype=np.bool_))


@pytest.fixture
def ctx(encoder: Encoder, rated: RatingSet) -> FakeContext:
    vectors = embed(encoder, rated.texts)
    objects: dict[str, Any] = {
        "all-minilm-l6-v2": encoder,
        "human-ratings": {"amazon": rated},
        "RatedTextEmbeddings": vectors,
    }
    return FakeContext(objects=objects)


TASK = RatingTask(steps=3, batch=4, train=40, test=20)


def test_estimates_are_paired_with_ratings_of_other_texts(ctx: FakeContext, rated: RatingSet) -> None:
    problem = TASK.problem(ctx)
    result = FineTune(rank=2, alpha=2.0).run(problem, ctx)
    rows = TASK.evaluate(result, ctx).parts["main"]
    assert len(rows["estimate"]) == 20
    assert {example.id for example in problem.train}.isdisjoint(rows["unit_id"])
    assert np.allclose(rows["gold"], rated.means[[int(i) for i in rows["unit_id"]]])
    assert list(TASK.evaluate(result, replace(ctx, stage="tune")).parts) == ["validation"]
    assert [step for step, _ in ctx.probes] == [2, 3]


def test_head_starts_as_a_ridge_regression_on_frozen_embeddings(ctx: FakeContext, encoder: Encoder) -> None:
    problem = TASK.problem(ctx)
    vectors = ctx.objects["RatedTextEmbeddings"]
    chosen = [int(example.id) for example in problem.train[:5]]
    loss = problem.loss
    assert isinstance(loss, RatingLoss)
    batch = collate(problem.train[:5], problem.pad)
    with torch.inference_mode():
        found = loss.estimates(problem.model(), batch)
        value = float(loss(problem.model(), batch, 0.0))
    head = loss.head
    expected = torch.from_numpy(vectors[chosen]) @ head[:-1] + head[-1]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    gold = torch.tensor([loss.gold[str(i)] for i in chosen])
    assert value == pytest.approx(float((found - gold).square().sum()), rel=1e-4)


def test_training_lowers_the_error_on_training_texts(ctx: FakeContext) -> None:
    task = replace(TASK, steps=30, batch=8)
    problem = task.problem(ctx)
    batch = collate(problem.train, problem.pad)
    result = FineTune(optimizer="rite", rate=3e-3, rank=2, alpha=2.0).run(problem, ctx)
    with torch.inference_mode():
        before, after = (float(problem.loss(model, batch, 0.0)) for model in (problem.model(), result.model))
    assert after < before


def test_folder_is_not_touched(ctx: FakeContext, encoder: Encoder) -> None:
    before = {path.name: path.read_bytes() for path in Path(encoder.folder).iterdir()}
    FineTune(rank=2).run(TASK.problem(ctx), ctx)
    assert before == {path.name: path.read_bytes() for path in Path(encoder.folder).iterdir()}
