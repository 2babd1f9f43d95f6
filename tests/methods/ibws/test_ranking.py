"""Learning to rank: linear models against scikit-learn, methods on generated texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from harness.method import ProblemError
from methods.common.ratings import LEXICON
from methods.ibws.problems import RankingProblem
from methods.ibws.ranking import pairwise_logistic, standardised, tfidf_ridge, vector_ridge
from methods.ibws.ranking_method import LexiconRanker, LinearRanker
from methods.ibws.sabotage import ShuffledLabels
from methods.ibws.tasks import Items, RankingTask
from tests.methods.ibws.conftest import FakeContext

TASK = RankingTask(items=Items(count=260), test=100)


def _data(noise: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(2, 3, size=(150, 6))
    w = rng.normal(size=6)
    return x[:100], (x @ w + rng.normal(0, noise, 150))[:100], x[100:], x[100:] @ w


def test_ridge_agrees_with_scikit_learn() -> None:
    train, labels, test, _ = _data()
    scaler = StandardScaler().fit(train)
    reference = Ridge(alpha=0.3 * 100).fit(scaler.transform(train), standardised(labels))
    ours = vector_ridge(train, labels, test, 0.3)
    np.testing.assert_allclose(ours, reference.predict(scaler.transform(test)), atol=1e-10)


def test_pairwise_logistic_agrees_with_scikit_learn_on_differences() -> None:
    train, labels, test, _ = _data(noise=3.0)
    ours = pairwise_logistic(train, labels, test, 0.01, np.random.default_rng(0), pairs=400)
    first, second = np.random.default_rng(0).integers(100, size=(2, 400))
    keep = labels[first] != labels[second]
    scaler = StandardScaler().fit(train)
    x = scaler.transform(train)
    differences = x[first[keep]] - x[second[keep]]
    target = np.sign(labels[first] - labels[second])[keep]
    model = LogisticRegression(C=1 / (0.01 * keep.sum()), fit_intercept=False, tol=1e-8, max_iter=1000)
    reference = scaler.transform(test) @ model.fit(differences, target).coef_[0]
    np.testing.assert_allclose(ours, reference, atol=2e-3)


@pytest.mark.parametrize("model", ["ridge", "pairwise"])
def test_models_rank_unseen_items(model: str) -> None:
    train, labels, test, truth = _data()
    if model == "ridge":
        scores = vector_ridge(train, labels, test, 0.01)
    else:
        scores = pairwise_logistic(train, labels, test, 0.001, np.random.default_rng(0))
    assert spearmanr(scores, truth).statistic > 0.97


def test_equal_labels_give_no_ranking() -> None:
    train, _, test, _ = _data()
    assert not pairwise_logistic(train, np.ones(100), test, 0.1, np.random.default_rng(0)).any()
    np.testing.assert_allclose(vector_ridge(train, np.ones(100), test, 0.1), 0, atol=1e-12)


def test_word_pairs_count() -> None:
    train = ["not good", "good", "bad", "not bad"] * 5
    scores = tfidf_ridge(train, np.array([-1.0, 1, -1, 1] * 5), ["not good", "not bad"], 0.01)
    assert scores[0] < 0 < scores[1]


@pytest.mark.parametrize("labels", ["slider", "five_point", "bws", "ibws", "gold"])
def test_rankers_learn_from_every_kind_of_label(labels: str) -> None:
    ctx = FakeContext()
    method = LinearRanker(labels=labels, amount=4, model="tfidf", strength=1.0)
    found = method.run(TASK.problem(ctx), ctx)
    gold = TASK.items.draw(ctx).gold[160:]
    assert spearmanr(found.estimate, gold).statistic > 0.5
    assert np.isnan(found.label_reads) if labels == "gold" else found.label_reads >= 4
    assert not ctx.probes


def test_embeddings_are_used_where_the_task_has_them() -> None:
    ctx = FakeContext()
    problem = TASK.problem(ctx)
    gold = TASK.items.draw(ctx).gold.astype(np.float32)
    vectors = np.stack([gold, np.random.default_rng(0).normal(size=260)], axis=1)
    known = replace(problem, train_vectors=vectors[:160], test_vectors=vectors[160:])
    models: tuple[Literal["ridge", "pairwise"], ...] = ("ridge", "pairwise")
    for model in models:
        found = LinearRanker(model=model, strength=0.01).run(known, ctx)
        assert spearmanr(found.estimate, gold[160:]).statistic > 0.9
    with pytest.raises(ProblemError, match="no embeddings"):
        LinearRanker(model="ridge").run(problem, ctx)


def test_shuffled_labels_teach_nothing() -> None:
    rhos = []
    for seed in range(100, 108):
        ctx = FakeContext(seed=seed)
        found = ShuffledLabels(model="tfidf", strength=1.0, amount=4).run(TASK.problem(ctx), ctx)
        rhos.append(spearmanr(found.estimate, TASK.items.draw(ctx).gold[160:]).statistic)
    assert abs(np.mean(rhos)) < 0.12


def test_unknown_labels_are_refused() -> None:
    ctx = FakeContext()
    with pytest.raises(ProblemError, match="protocol 'guess'"):
        LinearRanker(labels="guess", model="tfidf").run(TASK.problem(ctx), ctx)


class _Length:
    def compound(self, texts: tuple[str, ...]) -> np.ndarray:
        return np.array([float(len(text)) for text in texts])


def test_lexicon_ranker_scores_test_texts() -> None:
    ctx = FakeContext(objects={LEXICON: _Length()})
    problem: RankingProblem = TASK.problem(ctx)
    found = LexiconRanker().run(problem, ctx)
    assert found.estimate.tolist() == [len(text) for text in problem.test_texts]


def test_pairwise_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    train, labels, test, _ = _data()
    seen = {}

    def spy(loss: Any, start: Any, **options: Any) -> Any:
        seen["loss"] = loss
        return type("Found", (), {"x": start})

    monkeypatch.setattr("scipy.optimize.minimize", spy)
    pairwise_logistic(train, labels, test, 0.1, np.random.default_rng(0), pairs=200)
    w = np.random.default_rng(1).normal(size=6)
    assert check_grad(lambda v: seen["loss"](v)[0], lambda v: seen["loss"](v)[1], w) < 1e-5
