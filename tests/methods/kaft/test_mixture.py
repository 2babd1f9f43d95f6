"""Mixtures of contexts, and what they reduce to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.kaft.mixture import KAFT, Item, Kind, Mixture, build
from methods.kaft.questions import Question, check_disjoint, check_support, with_counterfactual
from methods.kaft.substitution import mentions_any
from methods.kaft.words import strip_tag
from methods.kaft.world import Rules, World

RULES = Rules(subjects=10, novel=3, relations=3, objects=5)
WORLD = World.draw(RULES, np.random.default_rng(0))
QUESTIONS = WORLD.questions(range(10), np.random.default_rng(1))
BELIEFS = {question.text: f"belief-{index}" for index, question in enumerate(QUESTIONS)}


def items(recipe: Mixture, seed: int = 0, questions: list[Question] = QUESTIONS) -> list[Item]:
    return build(questions, recipe, BELIEFS, np.random.default_rng(seed))


def mixture(weights: Sequence[float], **changes: Any) -> Mixture:
    relevant, irrelevant, empty, counterfactual = weights
    return Mixture(relevant, irrelevant, empty, counterfactual, **changes)


def plain(kind: Kind) -> list[tuple[str, str, str]]:
    """The whole set of one kind, written down by hand."""
    rows = {
        Kind.RELEVANT: lambda q: (q.text, q.relevant, q.answer),
        Kind.COUNTERFACTUAL: lambda q: (q.text, q.counterfactual, q.fake),
        Kind.IRRELEVANT: lambda q: (q.text, q.hard, q.answer),
        Kind.EMPTY: lambda q: (q.text, "", q.answer),
    }
    return [rows[kind](question) for question in QUESTIONS]


def triples(found: list[Item]) -> list[tuple[str, str, str]]:
    return [(item.question, item.context, item.target) for item in found]


@pytest.mark.parametrize(
    ("weights", "kinds"),
    [
        ((1, 0, 0, 0), [Kind.RELEVANT]),
        ((0.5, 0.5, 0, 0), [Kind.RELEVANT, Kind.IRRELEVANT]),
        ((0.5, 0, 0, 0.5), [Kind.RELEVANT, Kind.COUNTERFACTUAL]),
    ],
)
def test_weights_reduce_to_the_baselines(weights: tuple[float, ...], kinds: list[Kind]) -> None:
    found = items(mixture(weights, targets="gold", tags=False))
    assert triples(found) == [row for kind in kinds for row in plain(kind)]


def test_kaft_has_equal_parts_with_tags_and_the_models_own_answers() -> None:
    found = items(KAFT)
    assert {kind: sum(item.kind is kind for item in found) for kind in Kind} == dict.fromkeys(Kind, 30)
    for item in found:
        question = next(q for q in QUESTIONS if q.text == item.question)
        expected = {
            Kind.RELEVANT: f"{question.answer} (from context)",
            Kind.COUNTERFACTUAL: f"{question.fake} (from context)",
            Kind.IRRELEVANT: f"{BELIEFS[question.text]} (irrelevant context)",
            Kind.EMPTY: f"{BELIEFS[question.text]} (empty context)",
        }
        assert item.target == expected[item.kind]


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.4, 0.8]), min_size=4, max_size=4))
def test_sizes_follow_the_weights(weights: list[float]) -> None:
    if not any(weights):
        with pytest.raises(ProblemError, match="no mixture"):
            items(mixture(weights))
        return
    found = items(mixture(weights))
    sizes = [sum(item.kind is kind for item in found) for kind in Mixture().weights]
    assert sizes == [round(30 * weight / max(weights)) for weight in weights]


@given(st.integers(0, 50))
def test_answers_are_supported_or_absent(seed: int) -> None:
    questions = WORLD.questions(range(10), np.random.default_rng(seed))
    check_support(questions)
    by_text = {question.text: question for question in questions}
    for item in items(KAFT, questions=questions):
        question = by_text[item.question]
        if item.kind in (Kind.RELEVANT, Kind.COUNTERFACTUAL):
            assert strip_tag(item.target) in item.context
        else:
            assert not mentions_any(item.context, question.aliases)


def test_targets_do_not_depend_on_the_irrelevant_context() -> None:
    again = WORLD.questions(range(10), np.random.default_rng(99))
    first = {item.id: item for item in items(Mixture(0, 0.5, 0.5, 0))}
    second = {item.id: item for item in items(Mixture(0, 0.5, 0.5, 0), questions=again)}
    assert {key: item.target for key, item in first.items()} == {
        key: item.target for key, item in second.items()
    }
    assert any(first[key].context != second[key].context for key in first)


def test_changing_one_weight_leaves_the_other_kinds_alone() -> None:
    with_all, without = items(Mixture(0.4, 0.2, 0.4, 0.4), seed=5), items(Mixture(0.4, 0.2, 0.4, 0), seed=5)
    assert [item for item in with_all if item.kind is not Kind.COUNTERFACTUAL] == without


def test_noise_exchanges_that_share_of_the_contexts_and_no_target() -> None:
    clean, noisy = items(Mixture()), items(Mixture(noise=0.5))
    assert [item.target for item in clean] == [item.target for item in noisy]
    changed = [item for item, before in zip(noisy, clean, strict=True) if item.context != before.context]
    assert {kind: sum(item.kind is kind for item in changed) for kind in Kind} == {
        Kind.RELEVANT: 15,
        Kind.COUNTERFACTUAL: 15,
        Kind.IRRELEVANT: 0,
        Kind.EMPTY: 0,
    }
    by_text = {question.text: question for question in QUESTIONS}
    for item in changed:
        question, answer = by_text[item.question], strip_tag(item.target)
        assert mentions_any(item.context, [answer])
        assert f"{question.subject} {question.relation} {answer}" not in item.context


def test_noise_without_a_known_wrong_answer_is_an_irrelevant_context() -> None:
    bare = [replace(question, distractor="") for question in QUESTIONS]
    contexts = {item.context for item in items(Mixture(1, 0, 0, 0, noise=1.0), questions=bare)}
    assert contexts == {question.hard for question in bare}


def test_hardness_chooses_the_irrelevant_contexts() -> None:
    hard = {question.hard for question in QUESTIONS}
    easy = {question.easy for question in QUESTIONS}
    contexts = {
        hardness: [item.context for item in items(Mixture(0, 1, 0, 0, hardness=hardness))]
        for hardness in ("hard", "easy", "both")
    }
    assert set(contexts["hard"]) <= hard
    assert set(contexts["easy"]) <= easy
    assert sum(text in hard for text in contexts["both"]) == 15


def test_an_easy_context_stands_in_where_there_is_no_hard_one() -> None:
    mixed = [replace(q, hard="", distractor="") if i % 2 else q for i, q in enumerate(QUESTIONS)]
    found = items(Mixture(0, 1, 0, 0), questions=mixed)
    assert [item.context for item in found] == [question.hard or question.easy for question in mixed]
    turned = items(Mixture(0, 1, 0, 0, hardness="both"), questions=mixed)
    assert all(item.context for item in (*found, *turned))


def test_only_easy_contexts_leave_out_questions_without_one() -> None:
    some = [replace(q, easy="") if i < 10 else q for i, q in enumerate(QUESTIONS)]
    found = items(Mixture(0, 1, 0, 0, hardness="easy"), questions=some)
    assert [item.context for item in found] == [question.easy for question in some[10:]]


@pytest.mark.parametrize("hardness", ["hard", "easy", "both"])
def test_questions_without_an_irrelevant_context_are_refused_by_name(hardness: Any) -> None:
    bare = [replace(q, hard="", easy="") if i < 7 else q for i, q in enumerate(QUESTIONS)]
    named = re.escape(f"7 of 30 questions have no irrelevant context: {bare[0].id}, ") + ".* and 2 more"
    with pytest.raises(ProblemError, match=named):
        items(Mixture(hardness=hardness), questions=bare)
    assert len(items(Mixture(0.5, 0, 0, 0.5), questions=bare)) == 60


def test_a_kind_that_does_not_exist_is_refused() -> None:
    bare = [replace(question, counterfactual="", fake="") for question in QUESTIONS]
    with pytest.raises(ProblemError, match="counterfactual"):
        items(KAFT, questions=bare)


def test_missing_beliefs_are_refused() -> None:
    with pytest.raises(ProblemError, match="not known what"):
        build(QUESTIONS, KAFT, {}, np.random.default_rng(0))


def test_an_unchanged_answer_makes_no_counterfactual() -> None:
    question = QUESTIONS[0]
    same, reason = with_counterfactual(replace(question, counterfactual="", fake=""), question.answer)
    assert (same.counterfactual, reason) == ("", "fake is an alias")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"relevant": "nothing here"}, "missing from its relevant"),
        ({"counterfactual": "nothing here"}, "counterfactual answer"),
        ({"hard": QUESTIONS[0].relevant}, "occurs in the hard"),
        ({"easy": QUESTIONS[0].relevant}, "occurs in the easy"),
    ],
)
def test_unsupported_contexts_are_refused(change: dict[str, str], what: str) -> None:
    with pytest.raises(ProblemError, match=what):
        check_support([replace(QUESTIONS[0], **change)])  # type: ignore[arg-type]


def test_shared_entities_are_refused() -> None:
    check_disjoint({"training": QUESTIONS[:15], "test": QUESTIONS[15:]})
    with pytest.raises(ProblemError, match="share"):
        check_disjoint({"training": QUESTIONS[:16], "test": QUESTIONS[16:]})
    with pytest.raises(ProblemError, match="twice"):
        check_disjoint({"test": [QUESTIONS[0], QUESTIONS[0]]})
