"""Random lists: tokens say what the numbers mean, and the right label is what the rules give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.il_bench.asking import label_request, read_request, shots_instruction
from methods.il_bench.items import Item
from methods.il_bench.rule_lists import (
    Sizes,
    draw_inputs,
    draw_sizes,
    lesson,
    overlapping_lists,
    tree_lists,
)
from methods.il_bench.rule_tokens import (
    ASK,
    CONDITION,
    NEGATED,
    THEN,
    WORDS,
    Tokens,
    encode_request,
)
from methods.il_bench.rules import Condition, Rule, apply_rules, parse_rules, print_rules
from methods.il_bench.templates import Template, render

TEN = " ; ".join(f"x{i} = v{i}" for i in range(9))
DRAWS = {"overlapping": overlapping_lists, "tree": tree_lists}


Line = tuple[list[bool], int]


def read(tokens: Tokens) -> list[Line]:
    """Tokens as lines, each with what its conditions come to and the word of its label."""
    lines: list[Line] = []
    holds: list[bool] = []
    for kind, asked, told, line, label in tokens.tolist():
        if kind in {CONDITION, NEGATED}:
            holds.append((asked == told) != (kind == NEGATED))
        elif kind == THEN:
            lines.append((holds, label))
            holds = []
        else:
            assert kind in {0, ASK}
            assert line == 0
    return lines


def decided(lines: list[Line]) -> int | None:
    """The place of the line that decides."""
    return next((place for place, (holds, _) in enumerate(lines) if all(holds)), None)


@pytest.mark.parametrize("kind", DRAWS)
@given(
    st.builds(
        Sizes,
        st.just(3),
        st.just(2),
        st.integers(1, 24),
        st.integers(1, 12),
        st.integers(2, 4),
        st.integers(2, 5),
    ),
    st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_the_label_is_what_the_rules_give(kind: str, sizes: Sizes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists = DRAWS[kind](sizes, rng)
    found = lesson(lists, draw_inputs(lists, sizes, rng), rng)
    assert found.tokens.max() < WORDS
    offsets = set()
    for tokens, label, truth in zip(found.tokens, found.label.tolist(), found.truth.tolist(), strict=True):
        lines = read(tokens)
        assert len(lines) == sizes.lines
        deciding = decided(lines)
        assert deciding is not None
        offsets.add(lines[deciding][1] - label)
        expected = [int(one) for place, (holds, _) in enumerate(lines) for one in (*holds, place == deciding)]
        assert [one for one in truth if one >= 0] == expected
        assert [one >= 0 for one in truth] == [kind in {CONDITION, NEGATED, THEN} for kind in tokens[:, 0]]
    # Names of labels are words with an offset of their own.
    assert len(offsets) == 1


@given(st.integers(0, 10**6))
def test_paths_of_a_tree_exclude_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = Sizes(2, 4, 8, 5, 3, 3)
    lists = tree_lists(sizes, rng)
    inputs = draw_inputs(lists, sizes, rng)
    conditional = np.asarray(lists.real.any(axis=-1))
    rows = np.arange(2)[:, None, None, None]
    seen = inputs[rows, np.arange(4)[None, :, None, None], lists.variable[:, None]]
    equal = np.equal(seen, lists.value[:, None])
    holds = np.logical_xor(equal, lists.negated[:, None]) | ~lists.real[:, None]
    applies = holds.all(axis=-1) & conditional[:, None]
    assert np.sum(applies, axis=-1).max() <= 1


def test_every_length_is_drawn() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_sizes(400, 4, 24, 24, rng) for _ in range(2000)]
    assert {one.lines for one in drawn} == set(range(1, 25))
    assert max(one.variables for one in drawn) == 24
    assert all(one.lists >= 1 for one in drawn)


names = st.sampled_from(["x1", "x2", "x13", "size"])
symbols = st.sampled_from(["A", "B", "low"])
rule_lists = st.lists(
    st.builds(
        Rule,
        st.lists(st.builds(Condition, names, symbols, st.booleans()), max_size=3).map(tuple),
        st.sampled_from(["foo", "bar"]),
    ),
    max_size=6,
)


@pytest.mark.parametrize("template", ["equations", "json", "sentence"])
@given(rule_lists, st.dictionaries(names, symbols, min_size=1))
def test_requests_become_the_tokens_that_mean_them(
    template: Template, rules: list[Rule], values: dict[str, str]
) -> None:
    prompt = label_request(print_rules(rules), render(values, template), ("foo", "bar"))
    request = read_request(prompt)
    assert parse_rules(request.instruction) == rules
    encoded = encode_request(request)
    lines = read(encoded.tokens)
    assert [holds for holds, _ in lines] == [[c.holds(values) for c in rule.conditions] for rule in rules]
    said = [encoded.labels[word - _first_label()] for _, word in lines]
    assert said == [rule.label for rule in rules]
    deciding = decided(lines)
    assert (None if deciding is None else said[deciding]) == apply_rules(rules, values)


def _first_label() -> int:
    request = read_request(label_request("Otherwise foo.", "x1 = A", ("foo",)))
    return int(encode_request(request).tokens[0, 4])


@pytest.mark.parametrize(
    ("instruction", "text", "labels", "what"),
    [
        ("\n".join(["If x1 is A, then foo."] * 40), "x1 = A", ("foo",), "40 rules"),
        ("\n".join(f"If x is v{i}, then foo." for i in range(12)), "x = v0", ("foo",), "12 values"),
        ("\n".join(f"If x{i} is A, then foo." for i in range(9)), TEN, ("foo",), "10 values"),
        ("Otherwise foo.", "x1 = A", tuple(f"l{i}" for i in range(12)), "12 labels"),
        (shots_instruction("Which?", [Item("1", "x1 = A", "foo")]), "x1 = A", ("foo",), "examples"),
    ],
)
def test_what_is_too_much_is_refused(instruction: str, text: str, labels: tuple[str, ...], what: str) -> None:
    with pytest.raises(ProblemError, match=what):
        encode_request(read_request(label_request(instruction, text, labels)))


def test_other_prompts_are_no_requests() -> None:
    with pytest.raises(ProblemError, match="request"):
        read_request("Write a poem.")
