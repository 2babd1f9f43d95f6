"""Generated tasks: exact splits, balance, shifts, and nothing to be known without examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer

from harness.method import ProblemError
from methods.il_bench.items import SYMBOLS, Benchmark, Item, anonymous, majority
from methods.il_bench.rules import read_values
from methods.il_bench.symbols import Table, make_table, make_waveform, waveforms
from methods.il_bench.syntree import LARGEST, SMALLEST, SynTree, Tree, asked, make_syntree

sizes = st.builds(
    SynTree,
    st.integers(2, 3),
    st.integers(4, 8),
    st.just(3),
    st.integers(2, 4),
    st.just(60),
    st.just(20),
    st.just(80),
)


def paths(tree: Tree) -> list[list[str]]:
    if tree.label:
        return [[]]
    return [[tree.variable, *path] for child in tree.branches.values() for path in paths(child)]


@given(sizes, st.integers(0, 10**6))
def test_trees_are_balanced_and_ask_once(size: SynTree, seed: int) -> None:
    benchmark, tree = make_syntree(size, np.random.default_rng(seed))
    shares = tree.shares()
    assert set(shares) == set(benchmark.labels)
    assert sum(shares.values()) == 1
    assert min(shares.values()) > SMALLEST
    assert (
        max(shares.values()) < LARGEST
        or max(shares.values()) == -(-(3**size.depth) // size.labels) / 3**size.depth
    )
    assert all(len(set(path)) == len(path) == size.depth for path in paths(tree))


@given(st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_items(seed: int) -> None:
    size = SynTree(train=30, validation=10, test=20)
    first, second = (make_syntree(size, np.random.default_rng(seed)) for _ in range(2))
    assert first == second


def test_shifts_change_what_they_name_and_no_label() -> None:
    size = SynTree(2, 6, train=50, validation=10, test=3000)
    benchmark, tree = make_syntree(size, np.random.default_rng(0))
    for name, items in benchmark.shifted.items():
        assert all(item.label == tree(item.values) for item in items), name
        assert all(read_values(item.text) == dict(item.values) for item in items), name
    base = benchmark.test
    assert [i.values for i in benchmark.shifted["json"]] == [i.values for i in base]
    assert [i.values for i in benchmark.shifted["order"]] == [i.values for i in base]
    assert any(
        list(a.values) != list(b.values) for a, b in zip(benchmark.shifted["order"], base, strict=True)
    )
    share = np.mean([item.values[tree.variable] == "A" for item in benchmark.shifted["margin"]])
    assert share == pytest.approx(0.1 / 2.1, abs=0.02)
    for item, before in zip(benchmark.shifted["nuisance"], base, strict=True):
        changed = {name for name in item.values if item.values[name] != before.values[name]}
        assert changed == set(item.values) - asked(tree)


def test_waveforms_are_those_of_the_book() -> None:
    values, classes = waveforms(6000, np.random.default_rng(0))
    assert values.shape == (6000, 21)
    means = np.stack([values[classes == one].mean(axis=0) for one in range(3)])
    place = np.arange(1, 22)
    triangles = np.stack([np.maximum(6 - np.abs(place - centre), 0) for centre in (7, 15, 11)])
    expected = np.stack([triangles[[0, 1]].mean(0), triangles[[0, 2]].mean(0), triangles[[1, 2]].mean(0)])
    assert np.abs(means - expected).max() < 0.15
    forest = RandomForestClassifier(200, random_state=0).fit(values[:3000], classes[:3000])
    # Bayes accuracy is about .86.
    assert 0.80 < forest.score(values[3000:], classes[3000:]) < 0.88


@pytest.mark.parametrize("table", ["iris", "wine", "breast cancer", "digits"])
def test_tables_can_be_learnt_from_symbols(table: Table) -> None:
    benchmark = make_table(table, 90, 20, np.random.default_rng(0))
    vectorizer = DictVectorizer()
    features = vectorizer.fit_transform([dict(item.values) for item in benchmark.train])
    forest = RandomForestClassifier(100, random_state=0).fit(features, [i.label for i in benchmark.train])
    tested = vectorizer.transform([dict(item.values) for item in benchmark.test])
    accuracy = forest.score(tested, [item.label for item in benchmark.test])
    base = np.mean([item.label == majority(benchmark.train, benchmark.labels) for item in benchmark.test])
    assert accuracy > base + 0.2


def test_names_of_labels_follow_the_seed() -> None:
    found = [anonymous(["a", "b", "c"], np.random.default_rng(seed))["a"] for seed in range(20)]
    assert len(set(found)) > 1
    assert set(found) <= set(SYMBOLS)
    with pytest.raises(ProblemError, match="classes"):
        anonymous([str(i) for i in range(99)], np.random.default_rng(0))


def test_waveform_has_disjoint_splits() -> None:
    benchmark = make_waveform(40, 10, 50, np.random.default_rng(0))
    ids = [item.id for item in (*benchmark.train, *benchmark.validation, *benchmark.test)]
    assert len(set(ids)) == 100


@pytest.mark.parametrize(
    "values", [{"depth": 0}, {"depth": 9}, {"values": 1}, {"labels": 1}, {"depth": 1, "labels": 5}]
)
def test_impossible_sizes_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ProblemError, match="cannot be drawn"):
        SynTree(**values)


@pytest.mark.parametrize(
    "items",
    [
        {"train": (Item("1", "a", "foo"),), "test": (Item("1", "b", "foo"),)},
        {"train": (Item("1", "a", "strange"),), "test": (Item("2", "b", "foo"),)},
        {"train": (), "test": (Item("2", "b", "foo"),)},
    ],
)
def test_inconsistent_benchmarks_are_refused(items: dict[str, tuple[Item, ...]]) -> None:
    with pytest.raises(ProblemError):
        Benchmark("b", "?", ("foo", "bar"), items["train"], (), items["test"])
