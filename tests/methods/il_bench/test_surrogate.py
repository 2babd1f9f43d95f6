"""Surrogates: rules in English, limited learners, interpreters with a known error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.common.language_model import Decoding
from methods.il_bench.asking import Executor, label_request, rules_request
from methods.il_bench.programs import Node, run
from methods.il_bench.rules import Condition, Rule, apply_rules, parse_rules, print_rules, read_values
from methods.il_bench.surrogate import SurrogateExecutor, SurrogateLearner, fit_rules
from methods.il_bench.syntree import SynTree, make_syntree
from methods.il_bench.templates import Template, render

names, values = st.sampled_from(["x1", "x2", "x13"]), st.sampled_from(["A", "B", "low"])
conditions = st.builds(Condition, names, values, st.booleans())
rule_lists = st.lists(
    st.builds(Rule, st.lists(conditions, max_size=3).map(tuple), st.sampled_from(["foo", "bar"]))
)


@given(rule_lists)
def test_rules_read_back(rules: list[Rule]) -> None:
    assert parse_rules(print_rules(rules)) == rules


def test_rules_are_found_among_other_words() -> None:
    text = (
        "Here are the rules:\n1. If x1 is A and x2 is not B, then foo.\n- otherwise bar\nI hope this helps."
    )
    assert parse_rules(text) == [
        Rule((Condition("x1", "A"), Condition("x2", "B", negated=True)), "foo"),
        Rule((), "bar"),
    ]
    assert apply_rules(parse_rules(text), {"x1": "A", "x2": "C"}) == "foo"
    assert apply_rules(parse_rules(text)[:1], {"x1": "B"}) is None


@pytest.mark.parametrize("template", ["equations", "json", "sentence"])
@given(st.dictionaries(st.sampled_from([f"x{i}" for i in range(1, 9)]), values, min_size=1))
def test_assignments_are_read_from_every_template(template: Template, assignment: dict[str, str]) -> None:
    assert read_values(render(assignment, template)) == assignment


def test_a_learner_writes_no_more_rules_than_it_can() -> None:
    benchmark, _ = make_syntree(SynTree(3, 8, test=10), np.random.default_rng(0))
    prompt = rules_request(benchmark.train, benchmark.labels, most=10)
    for capacity in (1, 3, 24):
        learner = SurrogateLearner("l", "l", capacity=capacity)
        ((found,),) = learner.sample([prompt], Decoding())
        assert len(parse_rules(found.text)) <= capacity
    with pytest.raises(ProblemError, match="examples"):
        learner.sample(["Write a poem."], Decoding())


def test_enough_rules_repeat_the_tree() -> None:
    benchmark, tree = make_syntree(SynTree(2, train=300, test=200), np.random.default_rng(1))
    rules = fit_rules([(dict(item.values), item.label) for item in benchmark.train], 64, 0)
    assert all(apply_rules(rules, item.values) == tree(item.values) for item in benchmark.test)


def test_rules_say_nothing_twice() -> None:
    benchmark, _ = make_syntree(SynTree(3, 8, train=300, test=10), np.random.default_rng(2))
    examples = [(dict(item.values), item.label) for item in benchmark.train]
    rules = fit_rules(examples, 200, 0)
    for rule in rules:
        known = {one.name for one in rule.conditions if not one.negated}
        assert not any(one.negated and one.name in known for one in rule.conditions)
    # With leaves enough the examples themselves are met, shortened rules or not.
    assert all(apply_rules(rules, assignment) == label for assignment, label in examples)


@pytest.mark.parametrize(
    ("error", "length", "expected"),
    [(0.02, 2, 0.9604), (0.02, 3, 0.9412), (0.02, 5, 0.9039), (0.1, 3, 0.729)],
)
def test_golden_noise_along_a_path(error: float, length: int, expected: float) -> None:
    # Two labels: a module that errs sends the input out of the chain.
    executor = Executor(SurrogateExecutor("e", "e", error=error), ("foo", "bar"))
    node = Node("Otherwise foo. ", "bar")
    for number in range(length - 1):
        node = Node(f"Step {number}.\nOtherwise foo.", "bar", {"foo": node})
    count = 3000
    said = run(node, [f"x1 = v{i}" for i in range(count)], executor)
    share = said.count("foo") / count
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / count))


def test_each_rule_can_cost_accuracy() -> None:
    rules = "\n".join(f"If x1 is z{i}, then bar." for i in range(7)) + "\nOtherwise foo."
    executor = Executor(SurrogateExecutor("e", "e", error=0.0, per_rule=0.02), ("foo", "bar"))
    said = executor(rules, [f"x1 = v{i}" for i in range(3000)])
    assert said.count("foo") / 3000 == pytest.approx(0.98**8, abs=0.03)


def test_surrogates_say_so_and_have_no_tokens() -> None:
    learner, executor = SurrogateLearner("l", "l"), SurrogateExecutor("e", "e")
    assert learner.surrogate
    assert executor.surrogate
    with pytest.raises(ProblemError, match="tokens"):
        executor.next_token(["a"])
    with pytest.raises(ProblemError, match="writes"):
        learner.score(["a"], [["b"]])


def test_scores_choose_the_answered_label() -> None:
    executor = SurrogateExecutor("e", "e", error=0.0)
    prompt = label_request("If x1 is A, then foo.\nOtherwise bar.", "x1 = A", ("foo", "bar"))
    assert executor.score([prompt], [[" foo", " bar"]]) == [[0.0, -math.inf]]
