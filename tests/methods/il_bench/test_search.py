"""Learning programs: the card's properties and golden checks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from harness.method import ProblemError
from methods.il_bench.asking import Executor, Learner, rules_request
from methods.il_bench.items import Item
from methods.il_bench.programs import Leaf, Node, print_program, run
from methods.il_bench.search import Search, learn_program, prune, worst_leaves
from methods.il_bench.surrogate import SurrogateExecutor, SurrogateLearner
from methods.il_bench.syntree import SynTree, make_syntree


def tools(labels: tuple[str, ...], *, capacity: int = 3, error: float = 0.0) -> tuple[Learner, Executor]:
    learner = SurrogateLearner("learner", "learner", capacity=capacity)
    executor = SurrogateExecutor("executor", "executor", error=error)
    return Learner(learner, labels, rules=capacity), Executor(executor, labels)


def items(count: int, wrong: int, label: str = "foo") -> list[Item]:
    return [Item(f"{label}-{i}", f"x1 = {i}", "bar" if i < wrong else label) for i in range(count)]


def test_golden_choice_of_leaves() -> None:
    everything = items(60, 18) + items(10, 6) + items(30, 0)
    leaves = [
        Leaf((), "foo", tuple(range(60))),
        Leaf(("foo",), "foo", tuple(range(60, 70))),
        Leaf(("bar",), "foo", tuple(range(70, 100))),
    ]
    rng = np.random.default_rng(0)
    assert worst_leaves(leaves, everything, Search(leaf="count"), rng) == leaves[:1]
    assert worst_leaves(leaves, everything, Search(leaf="rate"), rng) == leaves[1:2]
    chosen = {worst_leaves(leaves, everything, Search(leaf="random"), rng)[0].path for _ in range(40)}
    assert chosen == {(), ("foo",)}
    assert worst_leaves(leaves, everything, Search(leaf="rate", least=11), rng) == leaves[:1]


@pytest.mark.parametrize(("depth", "seed"), [(1, 0), (2, 1), (3, 2)])
def test_training_accuracy_never_falls(depth: int, seed: int) -> None:
    benchmark, _ = make_syntree(SynTree(depth, train=150, test=10), np.random.default_rng(seed))
    learner, executor = tools(benchmark.labels, error=0.05)
    rng = np.random.default_rng(seed)
    _, steps = learn_program(benchmark.train, Search(steps=5, batch=40), learner, executor, rng)
    right = [step.right for step in steps]
    assert right == sorted(right)
    sizes = [step.program.size for step in steps]
    # The last step may find nothing better, which ends the search.
    assert sizes[:-1] == list(range(1, len(steps)))
    assert sizes[-1] - len(steps) in {0, -1}


def test_one_step_is_the_best_of_the_prompts() -> None:
    benchmark, _ = make_syntree(SynTree(2, train=150, test=10), np.random.default_rng(3))
    learner, executor = tools(benchmark.labels)
    search = Search(steps=1, proposals=6, batch=20)
    program, (step,) = learn_program(benchmark.train, search, learner, executor, np.random.default_rng(4))
    again, _ = tools(benchmark.labels)
    rng = np.random.default_rng(4)
    # The same learner with the same batches, one prompt at a time.
    from methods.il_bench.search import spread

    batches = [spread(benchmark.train, 20, rng) for _ in range(6)]
    texts = [item.text for item in benchmark.train]
    scores = []
    for batch in batches:
        said = executor(again.summarise(batch), texts)
        scores.append(sum(a == item.label for a, item in zip(said, benchmark.train, strict=True)))
    assert step.right == max(scores)
    assert (program.size, learner.asked) == (1, 6)


def test_a_learner_that_is_able_needs_one_module() -> None:
    # P9: enough capacity, all examples, no noise.
    benchmark, _ = make_syntree(SynTree(2, train=300, test=100), np.random.default_rng(5))
    learner, executor = tools(benchmark.labels, capacity=64)
    program, steps = learn_program(
        benchmark.train, Search(batch=300), learner, executor, np.random.default_rng(6)
    )
    assert program.size == 1
    assert steps[-1].right == 300


def test_a_wider_beam_is_not_worse_at_the_root() -> None:
    benchmark, _ = make_syntree(SynTree(2, train=120, test=10), np.random.default_rng(7))
    found = []
    for beam in (1, 3):
        learner, executor = tools(benchmark.labels)
        search = Search(steps=2, proposals=4, batch=30, beam=beam)
        _, steps = learn_program(benchmark.train, search, learner, executor, np.random.default_rng(8))
        found.append(steps[0].right)
    assert found[1] >= found[0]


def test_other_names_for_labels_give_the_same_program() -> None:
    # P5, with a learner and an executor that read names as names.
    benchmark, _ = make_syntree(SynTree(2, train=150, test=60), np.random.default_rng(9))
    # The learner's own ties are broken by the order of names, which renaming keeps.
    renamed = dict(zip(sorted(benchmark.labels), ("apple", "pear", "plum"), strict=True))
    others = [Item(item.id, item.text, renamed[item.label], item.values) for item in benchmark.train]
    texts = [item.text for item in benchmark.test]
    said = []
    for train, labels in (
        (benchmark.train, benchmark.labels),
        (others, tuple(renamed[l] for l in benchmark.labels)),
    ):
        learner, executor = tools(labels)
        program, _ = learn_program(
            train, Search(steps=4, batch=50), learner, executor, np.random.default_rng(1)
        )
        said.append(run(program, texts, executor))
    assert [renamed[label] for label in said[0]] == said[1]


def test_a_child_must_be_right_more_often() -> None:
    # Golden: 4 of 6 right at the leaf; 4 are not enough, 5 are.
    assert _grows("If x1 is d, then bar.\nOtherwise foo.", 5)
    assert not _grows("If x1 is a, then bar.\nOtherwise foo.", 3)
    assert not _grows("If x1 is b, then bar.\nIf x1 is e, then bar.\nOtherwise foo.", 4)


def _grows(proposal: str, right: int) -> bool:
    """Whether a proposal that labels ``right`` of six items rightly replaces a leaf with four right."""
    truth = {"a": "foo", "b": "foo", "c": "foo", "d": "bar", "e": "bar", "f": "foo"}
    members = [Item(name, f"x1 = {name}", label) for name, label in truth.items()]

    class Fixed(Learner):
        def summarise(self, items: object) -> str:
            self.asked += 1
            return "Otherwise foo." if self.asked == 1 else proposal

    learner, executor = tools(("foo", "bar"))
    fixed = Fixed(learner.model, ("foo", "bar"))
    said = executor(proposal, [item.text for item in members])
    assert sum(a == item.label for a, item in zip(said, members, strict=True)) == right
    search = Search(steps=2, proposals=1)
    program, _ = learn_program(members, search, fixed, executor, np.random.default_rng(0))
    return program.size == 2


def test_a_module_that_says_one_thing_is_not_taken() -> None:
    members = [Item(str(i), f"x1 = {i}", "foo" if i < 6 else "bar") for i in range(10)]

    class Constant(Learner):
        def summarise(self, items: object) -> str:
            return "Otherwise bar."

    _, executor = tools(("foo", "bar"))
    search = Search(steps=6, proposals=1, strict=False)
    program, steps = learn_program(
        members, search, Constant(executor.model, ("foo", "bar")), executor, np.random.default_rng(0)
    )
    assert program.size == 1
    assert len(steps) == 2


def test_golden_budget() -> None:
    benchmark, _ = make_syntree(SynTree(3, 8, train=400, test=10), np.random.default_rng(11))
    learner, executor = tools(benchmark.labels, error=0.02)
    _, steps = learn_program(
        benchmark.train, Search(steps=8, proposals=4), learner, executor, np.random.default_rng(12)
    )
    assert learner.asked <= 4 + 7 * 4
    assert [step.calls for step in steps] == [4 * (number + 1) for number in range(len(steps))]


def test_pruning_removes_what_does_not_help() -> None:
    held_out = [Item(str(i), f"x1 = {'A' if i % 2 else 'B'}", "foo" if i % 2 else "bar") for i in range(20)]
    _, executor = tools(("foo", "bar"))
    good = Node("If x1 is A, then foo.\nOtherwise bar.", "foo")
    bad = Node("Otherwise bar.", "bar")
    assert prune(Node(good.instruction, "foo", {"foo": bad}), held_out, executor) == good
    useful = Node("Otherwise foo.", "foo", {"foo": good})
    assert prune(useful, held_out, executor) == useful


def test_each_pair_is_asked_once() -> None:
    _, executor = tools(("foo", "bar"), error=0.5)
    first = executor("Otherwise foo.", ["x1 = A", "x1 = B", "x1 = A"])
    assert executor("Otherwise foo.", ["x1 = A", "x1 = B", "x1 = A"]) == first
    assert (executor.asked, executor.model.usage.calls) == (2, 2)


def test_unreadable_answers_are_counted() -> None:
    _, executor = tools(("foo", "bar"))
    assert executor("Nothing that could be followed", ["x1 = A"]) == [None]
    assert executor.unreadable == executor.model.usage.unread == 1


def test_no_listed_label_is_no_answer_and_not_the_first() -> None:
    class Listing(SurrogateExecutor):
        """As a server that lists next tokens, none of which is a label."""

        def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
            return [[-math.inf] * len(some) for some in options]

    executor = Executor(Listing("executor", "executor", error=0.0), ("foo", "bar"), options=True)
    assert executor("Otherwise bar.", ["x1 = A"]) == [None]
    assert executor.unreadable == executor.model.usage.unread == 1


def test_options_and_texts_name_the_same_labels() -> None:
    _, reading = tools(("foo", "bar"), error=0.3)
    choosing = Executor(reading.model, reading.labels, options=True)
    texts = [f"x1 = {i}" for i in range(30)]
    instruction = "If x1 is 3, then bar.\nOtherwise foo."
    assert reading(instruction, texts) == choosing(instruction, texts)


@pytest.mark.parametrize("name", ["steps", "proposals", "batch", "beam", "leaves"])
def test_a_search_without_size_is_refused(name: str) -> None:
    with pytest.raises(ProblemError, match=name):
        Search(**{name: 0})  # type: ignore[arg-type]


def test_a_request_shows_examples_bound_and_prior() -> None:
    text = rules_request(items(2, 1), ("foo", "bar"), most=3, prior="Otherwise foo.")
    assert "x1 = 0 -> bar" in text
    assert "at most 3" in text
    assert "Otherwise foo." in text


def test_programs_can_be_read_by_people() -> None:
    text = print_program(Node("Otherwise foo.", "bar", {"foo": Node("Otherwise bar.", "foo")}))
    assert text.splitlines()[2].strip() == "when foo:"


def test_a_search_that_goes_on_asks_as_often_whatever_it_finds() -> None:
    benchmark, _ = make_syntree(SynTree(3, 8, train=120, test=10), np.random.default_rng(3))
    asked, right = {}, {}
    for early in (True, False):
        learner, executor = tools(benchmark.labels)
        search = Search(steps=12, proposals=1, batch=10, early=early)
        _, steps = learn_program(benchmark.train, search, learner, executor, np.random.default_rng(3))
        asked[early], right[early] = learner.asked, steps[-1].right
    assert asked[True] < asked[False] == 12
    assert right[False] >= right[True]


def test_a_naive_order_expands_finished_leaves_too() -> None:
    leaves = [Leaf((), "foo", tuple(range(20))), Leaf((), "bar", tuple(range(20, 40)))]
    everything = items(20, 5) + items(20, 0, "bar")
    drawn: dict[str, set[str]] = {"random": set(), "any": set()}
    rng = np.random.default_rng(0)
    for _ in range(40):
        drawn["random"].add(worst_leaves(leaves, everything, Search(leaf="random"), rng)[0].label)
        drawn["any"].add(worst_leaves(leaves, everything, Search(leaf="any"), rng)[0].label)
    assert drawn == {"random": {"foo"}, "any": {"foo", "bar"}}
