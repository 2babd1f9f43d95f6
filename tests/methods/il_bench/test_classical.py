"""Classical learners on symbolic items: checked by hand, by brute force and against easy trees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from harness.method import ProblemError
from methods.il_bench.asking import Executor
from methods.il_bench.classical import ClassicalLearner, EmbeddingLearner, Learner, fit_classical, symbols
from methods.il_bench.items import Benchmark, Item, majority
from methods.il_bench.predictors import Input
from methods.il_bench.syntree import SynTree, make_syntree
from methods.il_bench.task import SynTreeTask
from methods.il_bench.templates import Template, render
from tests.methods.context import FakeContext

LEARNERS: tuple[Learner, ...] = ("majority", "cart", "forest", "boosting", "knn", "logistic")


def world(depth: int, seed: int = 0) -> Benchmark:
    size = SynTree(depth, 5, train=150, validation=10, test=120)
    return make_syntree(size, np.random.default_rng(seed))[0]


def accuracy(learner: Learner, benchmark: Benchmark, items: Sequence[Item]) -> float:
    fitted = fit_classical(learner, benchmark.train, 0)
    said = fitted([item.text for item in items])
    return float(np.mean([label == item.label for label, item in zip(said, items, strict=True)]))


@pytest.mark.parametrize("learner", LEARNERS)
def test_one_symbol_is_learnt_by_all_but_the_majority(learner: Learner) -> None:
    benchmark = world(1)
    found = accuracy(learner, benchmark, benchmark.test)
    share = Counter(item.label for item in benchmark.test)[majority(benchmark.train, benchmark.labels)]
    expected = share / len(benchmark.test)
    assert found == expected if learner == "majority" else found > expected + 0.1


@pytest.mark.parametrize("learner", ["cart", "forest", "boosting"])
def test_trees_learn_trees(learner: Learner) -> None:
    benchmark = world(2)
    assert accuracy(learner, benchmark, benchmark.test) > 0.9


def test_nearest_neighbours_are_those_that_share_most_symbols() -> None:
    benchmark = world(2)
    fitted = fit_classical("knn", benchmark.train, 0, neighbours=1)
    for item, label in zip(benchmark.test, fitted([i.text for i in benchmark.test]), strict=True):
        shared = [
            sum(other.values[name] == value for name, value in item.values.items())
            for other in benchmark.train
        ]
        nearest = {
            other.label for other, count in zip(benchmark.train, shared, strict=True) if count == max(shared)
        }
        assert label in nearest


@pytest.mark.parametrize("template", ["json", "sentence"])
def test_symbols_are_read_whatever_the_template(template: Template) -> None:
    values = {"x1": "A", "x2": "B"}
    assert symbols([render(values, template)]) == [values]


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_seed_decides_and_unseen_symbols_do_no_harm(learner: Learner) -> None:
    benchmark = world(2)
    texts = ["x1 = Z ; x9 = A", "", *[item.text for item in benchmark.test[:20]]]
    first, second = (fit_classical(learner, benchmark.train, 3)(texts) for _ in range(2))
    assert first == second
    assert set(first) <= set(benchmark.labels)


def test_embeddings_take_the_place_of_symbols() -> None:
    points = {"east": (1.0, 0.0), "north": (0.0, 1.0), "north-east-east": (0.9, 0.4)}
    items = [Item("a", "east", "foo"), Item("b", "north", "bar")]
    fitted = fit_classical(
        "knn", items, 0, embed=lambda texts: np.array([points[text] for text in texts]), neighbours=1
    )
    assert fitted(["north-east-east", "north"]) == ["foo", "bar"]


def test_more_neighbours_than_items_are_all_items() -> None:
    items = [Item("a", "x1 = A", "foo"), Item("b", "x1 = B", "bar"), Item("c", "x1 = C", "bar")]
    assert fit_classical("knn", items, 0, neighbours=9)(["x1 = A"]) == ["bar"]


def test_no_texts_have_no_labels() -> None:
    assert fit_classical("cart", world(1).train, 0)([]) == []


def test_nothing_can_be_learnt_from_nothing() -> None:
    with pytest.raises(ProblemError, match="nothing to learn"):
        fit_classical("cart", [], 0)


@pytest.mark.parametrize("learner", LEARNERS)
def test_as_methods_they_ask_nobody(learner: Learner) -> None:
    task = SynTreeTask(train=80, validation=10, test=40, shifted=True)
    ctx = FakeContext(seed=2)
    parts = task.evaluate(ClassicalLearner(learner=learner).run(task.problem(ctx), ctx), ctx).parts
    assert set(parts["test"]["calls"]) == {0}
    assert [parts["search"][name] for name in ("learner", "executor")] == [[0], [0]]
    # Symbols are read whatever their order and template.
    assert parts["test"]["correct"] == parts["order"]["correct"] == parts["json"]["correct"]


def test_embeddings_read_the_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(encoder: object, texts: Sequence[str], *, longest: int) -> np.ndarray:
        assert (encoder, longest) == ("encoder", 256)
        return np.array([[text.count("A") + 1.0, text.count("B") + 1.0] for text in texts])

    monkeypatch.setattr("methods.common.minilm.embed", counted)
    task = SynTreeTask(train=80, validation=10, test=40, shifted=True)
    ctx = FakeContext(seed=2, objects={"all-minilm-l6-v2": "encoder"})
    learnt = EmbeddingLearner(learner="knn").run(task.problem(ctx), ctx)
    fitted = learnt.predictor.answer([Input("AAAA"), Input("BBBB")], Executor(None, ()))  # type: ignore[arg-type]
    assert fitted.calls == [0, 0]
    benchmark = task.benchmark(ctx)
    nearest = KNeighborsClassifier(5, metric="cosine", algorithm="brute").fit(
        counted("encoder", [item.text for item in benchmark.train], longest=256),
        [item.label for item in benchmark.train],
    )
    assert fitted.labels == list(nearest.predict(counted("encoder", ["AAAA", "BBBB"], longest=256)))
