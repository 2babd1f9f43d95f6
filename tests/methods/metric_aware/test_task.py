"""Tasks of read-outs, from data to rows, with small models in place of real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from methods.common import tiny_lm
from methods.common.language_model.record import replayed
from methods.metric_aware.corpora import Corpus
from methods.metric_aware.method import Constant, Enumerated, Greedy, Sampled
from methods.metric_aware.metrics import (
    BIAS2,
    DETECTION,
    EXCESS,
    MAE,
    PEARSON,
    RANKING,
    RMSE,
    VARIANCE,
)
from methods.metric_aware.prepare import GradedEmbeddings, PromptedGrades
from methods.metric_aware.public_sets import FLAN, load_similar
from methods.metric_aware.task import EmbeddedRatings, LatentTask, PromptedTask
from suites.metric_aware.public import corpora as public_corpora
from tests.methods.common import models
from tests.methods.context import FakeContext
from tests.methods.metric_aware.data import many_rated, tiny_checkpoint, write_split

CORPUS = Corpus(part="amazon")
ANSWERS = PromptedGrades(
    corpus=CORPUS, draws=(100, 101), shots=3, held=8, test=12, space_in="answer", batch=5
)


def test_latent_items_are_the_same_for_every_method_and_pair() -> None:
    task, ctx = LatentTask(train=200, held=50, test=80), FakeContext()
    problem = task.problem(ctx)
    rows = [
        task.evaluate(method.run(problem, ctx), ctx).parts["main"]
        for method in (Enumerated(), Greedy(), Constant(), Sampled(count=2))
    ]
    for one in rows[1:]:
        assert list(one["unit_id"]) == list(rows[0]["unit_id"])
        assert np.array_equal(one["truth"], rows[0]["truth"])
    assert RMSE(rows[0]) < RMSE(rows[2])
    assert PEARSON(rows[0]) > 0.4
    assert EXCESS(rows[3]) > 0
    other = LatentTask(train=200, held=50, test=80).problem(FakeContext(seed=101))
    assert not np.array_equal(other.test.scores, problem.test.scores)


def test_metrics_of_rows() -> None:
    rows = {
        "truth": np.array([1.0, 2.0, 3.0, 4.0]),
        "decision": np.array([2.0, 2.0, 2.0, 5.0]),
        "positive": np.array([False, False, True, True]),
    }
    assert RMSE(rows) == pytest.approx(np.sqrt(3 / 4))
    assert MAE(rows) == pytest.approx(3 / 4)
    assert BIAS2(rows) + VARIANCE(rows) == pytest.approx(RMSE(rows) ** 2)
    assert RANKING(rows) == pytest.approx((3 + 3 * 0.5) / 6)
    assert DETECTION(rows) == pytest.approx((2 + 2 * 0.5) / 4)


def test_metrics_of_labels_that_are_all_alike() -> None:
    rows = {"truth": np.ones(3), "decision": np.arange(3.0), "positive": np.ones(3, dtype=bool)}
    assert RANKING(rows) == DETECTION(rows) == 0.5


def test_heads_on_embeddings_are_judged_by_all_raters(tmp_path: Path) -> None:
    data = many_rated(200)
    levels = data["amazon"].means
    rng = np.random.default_rng(0)
    vectors = (levels[:, None] * rng.standard_normal(16) + rng.standard_normal((200, 16))).astype(np.float32)
    scores = GradedEmbeddings(draws=(100,), train=120, held=30, test=40)
    ctx = FakeContext(
        objects={
            "human-ratings": data,
            "RatedTextEmbeddings": vectors / np.linalg.norm(vectors, axis=1)[:, None],
        }
    )
    scores.build(tmp_path, ctx)
    seen = FakeContext(objects={"human-ratings": data, "GradedEmbeddings": scores.load(tmp_path)})
    task = EmbeddedRatings(scores=scores)
    problem = task.problem(seen)
    parts = task.evaluate(Enumerated().run(problem, seen), seen).parts
    assert set(parts) == {"main", "rater", "law"}
    assert PEARSON(parts["main"]) > 0.5
    places = [int(name) for name in parts["main"]["unit_id"]]
    assert parts["main"]["truth"] == pytest.approx(levels[places] + 5)
    for place, one in zip(places, parts["rater"]["truth"], strict=True):
        assert one - 5 in data["amazon"].ratings[place]
    constant = task.evaluate(Constant().run(problem, seen), seen).parts
    assert np.mean(parts["law"]["distance"]) < np.mean(constant["law"]["distance"])


@pytest.mark.parametrize("width", [0, 4])
def test_heads_of_any_size_give_distributions(tmp_path: Path, width: int) -> None:
    data = many_rated(100)
    vectors = np.random.default_rng(0).standard_normal((100, 8)).astype(np.float32)
    scores = GradedEmbeddings(draws=(100, 101), train=60, held=10, test=20, width=width)
    scores.build(tmp_path, FakeContext(objects={"human-ratings": data, "RatedTextEmbeddings": vectors}))
    found = scores.load(tmp_path)
    assert set(found) == {100, 101}
    for order, laws in found.values():
        assert len(order) == len(laws) == 30
        assert np.exp(laws).sum(axis=1) == pytest.approx(1.0, abs=1e-6)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    folder = tmp_path_factory.mktemp("answers")
    checkpoint = tiny_checkpoint(tmp_path_factory.mktemp("model"))
    ctx = FakeContext(objects={"SafeWeights": checkpoint, "human-ratings": many_rated()})
    ANSWERS.build(folder, ctx)
    return ANSWERS.load(folder)


def test_a_prompted_model_is_read_out_from_its_record(calls: dict[str, list[object]]) -> None:
    ctx = FakeContext(objects={"PromptedGrades": calls, "human-ratings": many_rated()})
    task = PromptedTask(answers=ANSWERS, corpus=CORPUS)
    problem = task.problem(ctx)
    assert len(problem.test.ids) == 12
    assert len(problem.held.ids) == len(problem.held_truth) == 8
    parts = task.evaluate(Enumerated(record=True).run(problem, ctx), ctx).parts
    assert set(parts) == {"main", "rater", "law", "calls"}
    assert 0 < max(parts["main"]["mass"]) <= 1
    assert len(parts["calls"]["call"]) == 20
    # A record holds hashes of prompts, never the prompts.
    assert "Review" not in "".join(map(str, parts["calls"]["prompt_hash"]))
    # What the record of the trial holds is enough to decide again.
    chosen = ANSWERS.chosen(CORPUS.read(many_rated()), 100)
    kept: Any = parts["calls"]
    again, _ = ANSWERS.ask(replayed(kept, name="again"), chosen, 100)
    assert np.array_equal(again.scores, problem.test.scores)
    assert again.samples == problem.test.samples


def test_draws_of_examples_change_answers_and_not_texts(calls: dict[str, list[object]]) -> None:
    objects = {"PromptedGrades": calls, "human-ratings": many_rated()}
    task = PromptedTask(answers=ANSWERS, corpus=CORPUS)
    first, second = (task.problem(FakeContext(seed=seed, objects=objects)) for seed in (100, 101))
    assert first.test.ids == second.test.ids
    assert not np.array_equal(first.test.scores, second.test.scores)


@pytest.mark.parametrize("how", ["next-token", "score"])
def test_the_path_of_the_large_profiles_runs_on_an_encoder_decoder(tmp_path: Path, how: str) -> None:
    (tmp_path / "model").mkdir()
    tokenizer = tiny_lm.train_tokenizer(["0 1 2 3 4 5 Similarity:"], 280)
    model = models.t5()
    model.resize_token_embeddings(len(tokenizer))
    tiny_lm.save(model, tokenizer, tmp_path / "model")
    (tmp_path / "data").mkdir()
    pairs = [{"sentence1": f"a {i}", "sentence2": f"b {i}", "score": i % 6} for i in range(30)]
    write_split(tmp_path / "data", "validation", pairs)
    corpus = public_corpora()["sts-b"]
    answers = PromptedGrades(
        source=FLAN["base"],
        corpus=corpus,
        draws=(100,),
        shots=2,
        held=5,
        test=10,
        space_in="answer",
        how=how,  # type: ignore[arg-type]
    )
    objects: dict[str, Any] = {"flan-t5-base": tmp_path / "model", "sts-b": load_similar(tmp_path / "data")}
    answers.build(tmp_path, FakeContext(objects=objects))
    ctx = FakeContext(objects={**objects, "PromptedGrades": answers.load(tmp_path)})
    task = PromptedTask(answers=answers, corpus=corpus)
    found = Enumerated(rule="median").run(task.problem(ctx), ctx)
    parts = task.evaluate(found, ctx).parts
    assert set(parts) == {"main", "law"}
    assert set(parts["main"]["decision"]) <= set(range(6))
