"""Programs: semantics, routing, text round trip, and what labels answers name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.il_bench.labels import read_label
from methods.il_bench.programs import Node, attach, calls, parse_program, print_program, route, run

LABELS = ("foo", "bar", "baz")
INPUTS = ["".join(bits) for bits in product("01", repeat=4)]


def predict(instruction: str, texts: Sequence[str]) -> list[str | None]:
    """Instructions of the tests: the label of a place's bit, or a constant; "?" names none."""
    place, *names = instruction.split()
    if place == "?":
        return [None] * len(texts)
    return [names[int(text[int(place)])] for text in texts]


instructions = st.builds(
    "{} {} {}".format, st.integers(0, 3), st.sampled_from(LABELS), st.sampled_from(LABELS)
) | st.just("?")
nodes = st.recursive(
    st.builds(Node, instructions, st.sampled_from(LABELS)),
    lambda below: st.builds(
        Node,
        instructions,
        st.sampled_from(LABELS),
        st.dictionaries(st.sampled_from(LABELS), below, max_size=2),
    ),
    max_leaves=6,
)


def interpreted(node: Node, text: str) -> tuple[str, int]:
    """The semantics of the card, one input at a time."""
    (label,) = predict(node.instruction, [text])
    label = label or node.fallback
    if label not in node.children:
        return label, 1
    found, asked = interpreted(node.children[label], text)
    return found, asked + 1


@given(nodes)
def test_programs_mean_what_the_grammar_says(root: Node) -> None:
    expected = [interpreted(root, text) for text in INPUTS]
    assert run(root, INPUTS, predict) == [label for label, _ in expected]
    assert calls(root, INPUTS, predict) == [asked for _, asked in expected]


@given(nodes)
def test_leaves_are_a_partition(root: Node) -> None:
    leaves = route(root, INPUTS, predict)
    assert sorted(i for leaf in leaves for i in leaf.members) == list(range(len(INPUTS)))
    assert len({(leaf.path, leaf.label) for leaf in leaves}) == len(leaves)


@given(nodes, nodes, st.data())
def test_a_new_child_changes_only_what_reaches_it(root: Node, child: Node, data: st.DataObject) -> None:
    leaf = data.draw(st.sampled_from(route(root, INPUTS, predict)))
    before, after = (
        run(root, INPUTS, predict),
        run(attach(root, leaf.path, leaf.label, child), INPUTS, predict),
    )
    assert all(before[i] == after[i] for i in range(len(INPUTS)) if i not in leaf.members)
    members = [INPUTS[i] for i in leaf.members]
    assert [after[i] for i in leaf.members] == run(child, members, predict)


@given(nodes)
def test_the_text_of_a_program_reads_back(root: Node) -> None:
    assert parse_program(print_program(root)) == root


@given(
    st.text(
        st.characters(exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", exclude_categories=["Cs"])
    )
)
def test_any_instruction_survives_printing(instruction: str) -> None:
    root = Node(instruction, "foo", {"foo": Node("when foo:\n| x", "bar")})
    assert parse_program(print_program(root)) == root


@pytest.mark.parametrize("text", ["", "hello", "ask (if unreadable: foo)\n    | a\nmore", "ask (if"])
def test_other_texts_are_no_programs(text: str) -> None:
    with pytest.raises(ProblemError, match="Line"):
        parse_program(text)


def test_every_function_has_a_program() -> None:
    # P6: one module a leaf is enough, since a child may be any module.
    truth = {text: LABELS[(3 * int(text[0]) + int(text[1]) * int(text[2])) % 3] for text in INPUTS}

    def build(path: str) -> Node:
        if len(path) == 3:
            return Node(f"3 {truth[path + '0']} {truth[path + '1']}", "foo")
        return Node(f"{len(path)} foo bar", "foo", {"foo": build(path + "0"), "bar": build(path + "1")})

    assert run(build(""), INPUTS, predict) == [truth[text] for text in INPUTS]


def test_golden_xor() -> None:
    inputs = [a + b for a, b in product("01", repeat=2)] * 2
    truth = ["bar" if text in {"01", "10"} else "foo" for text in inputs]

    def accuracy(root: Node) -> float:
        return sum(a == b for a, b in zip(run(root, inputs, predict), truth, strict=True)) / len(inputs)

    root = Node("0 foo bar", "foo")
    assert accuracy(root) == 0.5
    assert [len(leaf.members) for leaf in route(root, inputs, predict)] == [4, 4]
    root = attach(root, (), "foo", Node("1 foo bar", "foo"))
    assert accuracy(root) == 0.75
    assert sum(calls(root, inputs, predict)) / len(inputs) == 1.5
    root = attach(root, (), "bar", Node("1 bar foo", "foo"))
    assert accuracy(root) == 1.0
    assert sum(calls(root, inputs, predict)) / len(inputs) == 2.0


def test_a_branch_that_is_not_there_cannot_grow() -> None:
    with pytest.raises(ProblemError, match="branch"):
        attach(Node("0 foo bar", "foo"), ("baz",), "foo", Node("?", "foo"))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("bar", "bar"),
        ("The label is Bar.", "bar"),
        ("barn", None),
        ("foo or bar", None),
        ("It looks like foo, but x1 is A.\nLabel: bar", "bar"),
        ("Answer: foo bar", "foo bar"),
        ("", None),
    ],
)
def test_labels_in_answers(text: str, label: str | None) -> None:
    assert read_label(text, ["foo", "bar", "foo bar"]) == label
