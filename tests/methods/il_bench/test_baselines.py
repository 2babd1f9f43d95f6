"""Baselines: budgets are kept, the best candidate is returned, and each reads what it should."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from methods.il_bench.asking import Executor, Learner, shots_instruction
from methods.il_bench.baselines import Bench, accuracy, ape, best_of, opro, protegi, vote
from methods.il_bench.items import Benchmark, Item
from methods.il_bench.rules import parse_rules
from methods.il_bench.surrogate import SurrogateExecutor, SurrogateLearner
from methods.il_bench.syntree import SynTree, make_syntree

QUESTION = "Which label does the input have?"
SEARCHES: dict[str, Callable[[Bench], str]] = {
    "ape": ape,
    "opro": lambda bench: opro(bench, start=QUESTION),
    "protegi": protegi,
    "best-of": best_of,
}


def tools(seed: int, *, capacity: int = 3, budget: int = 20, depth: int = 2) -> tuple[Benchmark, Bench]:
    size = SynTree(depth, train=150, validation=10, test=200)
    benchmark, _ = make_syntree(size, np.random.default_rng(seed))
    learner = Learner(SurrogateLearner("l", "l", capacity=capacity), benchmark.labels, rules=capacity)
    executor = Executor(SurrogateExecutor("e", "e", error=0.0), benchmark.labels)
    return benchmark, Bench(benchmark.train, learner, executor, np.random.default_rng(seed), budget)


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("budget", [1, 7, 20])
def test_no_search_asks_more_than_its_budget(name: str, budget: int) -> None:
    _, bench = tools(0, budget=budget)
    SEARCHES[name](bench)
    assert 0 < bench.learner.asked <= budget


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_learn_something(name: str) -> None:
    benchmark, bench = tools(1)
    found = accuracy(SEARCHES[name](bench), benchmark.test, bench.predict)
    counts = [item.label for item in benchmark.test]
    assert found > max(map(counts.count, counts)) / len(counts) + 0.05


@pytest.mark.parametrize("name", ["ape", "protegi", "best-of"])
def test_easy_trees_need_one_instruction(name: str) -> None:
    benchmark, bench = tools(2, depth=1)
    assert accuracy(SEARCHES[name](bench), benchmark.test, bench.predict) == 1.0


def test_the_start_is_kept_if_nothing_is_better() -> None:
    _, bench = tools(3, budget=2)
    perfect = best_of(tools(3, capacity=64, budget=1)[1])
    bench.sample = len(bench.items)
    assert accuracy(opro(bench, start=perfect), bench.items, bench.predict) >= accuracy(
        perfect, bench.items, bench.predict
    )


def test_a_long_prompt_holds_what_a_short_one_does_not() -> None:
    benchmark, short = tools(4, budget=8)
    _, long = tools(4, capacity=24, budget=8)
    few, many = best_of(short), best_of(long, shown=150)
    assert len(parse_rules(few)) <= 3 < len(parse_rules(many))
    tested = [accuracy(one, benchmark.test, short.predict) for one in (few, many)]
    assert tested[1] > tested[0] + 0.1


def test_nothing_is_known_without_examples() -> None:
    benchmark, bench = tools(5)
    assert accuracy(QUESTION, benchmark.test, bench.predict) == 0.0
    assert bench.predict(QUESTION, [benchmark.test[0].text]) == [None]


def test_examples_answer_by_the_nearest() -> None:
    executor = Executor(SurrogateExecutor("e", "e", error=0.0), ("foo", "bar"))
    shots = [Item("1", "x1 = A ; x2 = A", "foo"), Item("2", "x1 = B ; x2 = B", "bar")]
    instruction = shots_instruction(QUESTION, shots)
    assert executor(instruction, ["x1 = A ; x2 = A", "x1 = B ; x2 = C"]) == ["foo", "bar"]


def test_votes_count_what_could_be_read() -> None:
    def predict(instruction: str, texts: object) -> list[str | None]:
        return {"a": ["foo", None], "b": ["bar", None], "c": ["foo", "bar"], "d": ["bar", None]}[instruction]  # type: ignore[return-value]

    assert vote(["a", "b", "c", "d"], ["1", "2"], predict) == ["foo", "bar"]
    assert vote(["a", "b"], ["1", "2"], predict) == ["foo", None]
