"""The two metrics at their exact thresholds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.kaft import words

FONTS = (
    "In Britain, Norman art primarily survives as stonework or metalwork, such as capitals and "
    "baptismal fonts."
)


@pytest.mark.parametrize(
    ("prediction", "answer", "value", "counted"),
    [
        ("The Rolling Stones", "Rolling Stones", 1.0, True),
        ("rolling", "The Rolling Stones", 0.5, False),
        ("It was Pink Floyd", "The Rolling Stones", 0.0, False),
        ("alpha beta gamma delta", "alpha beta gamma delta epsilon", 0.8, False),
        ("alpha beta gamma delta epsilon zeta", "alpha beta gamma delta epsilon", 1.0, True),
        ("Paris (from context)", "Paris", 1.0, True),
    ],
)
def test_recall_follows_only_above_its_threshold(
    prediction: str, answer: str, value: float, *, counted: bool
) -> None:
    assert words.recall(prediction, answer) == pytest.approx(value)
    assert words.follows(prediction, answer) is counted


@pytest.mark.parametrize(
    ("prediction", "value", "robust"),
    [
        ("stonework or metalwork", 1.0, False),
        ("In museums", 0.0, True),
        ("museums stonework", 0.5, False),
        ("capitals of museums abroad", 1 / 3, True),
        ("", 0.0, True),
        ("stonework (irrelevant context)", 1.0, False),
    ],
)
def test_overlap_avoids_only_below_its_threshold(prediction: str, value: float, *, robust: bool) -> None:
    assert words.overlap(prediction, FONTS) == pytest.approx(value)
    assert words.avoids(prediction, FONTS) is robust


def test_a_tag_left_in_would_hide_a_copied_distractor() -> None:
    left_in = words.unigrams("stonework (irrelevant context)")
    known = set(words.unigrams(FONTS))
    assert sum(word in known for word in left_in) / len(left_in) == pytest.approx(1 / 3)


@pytest.mark.parametrize("tag", words.TAGS)
def test_tags_are_stripped_whatever_their_case(tag: str) -> None:
    assert words.strip_tag(f" Paris {tag} ") == words.strip_tag(f"Paris {tag.upper()}") == "Paris"
    assert words.strip_tag(tag) == ""


def test_tags_are_only_stripped_from_the_end() -> None:
    assert words.strip_tag("from context to context") == "from context to context"
    assert words.strip_tag("an empty context is a text") == "an empty context is a text"


def test_nothing_said_is_robust_and_flagged() -> None:
    for nothing in ("", "of the", "(irrelevant context)", "!"):
        assert words.is_empty(nothing)
        assert words.avoids(nothing, FONTS)
        assert not words.follows(nothing, "Paris")
    assert not words.is_empty("Paris")


def test_an_answer_without_words_is_never_followed() -> None:
    assert not words.follows("As", "As")
    assert words.recall("anything", "the of") == 0.0


TEXT = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "the", "of", "zeta"]), max_size=8
).map(" ".join)


@given(TEXT, TEXT)
def test_thresholds_agree_with_exact_arithmetic(prediction: str, other: str) -> None:
    from fractions import Fraction

    said, asked = words.unigrams(prediction), words.unigrams(other)
    if asked:
        share = Fraction(sum(word in said for word in asked), len(asked))
        assert words.follows(prediction, other) is (share > Fraction(4, 5))
    if said:
        share = Fraction(sum(word in asked for word in said), len(said))
        assert words.avoids(prediction, other) is (share < Fraction(1, 2))


@given(TEXT, TEXT, st.sampled_from(words.TAGS))
def test_tags_change_no_metric(prediction: str, other: str, tag: str) -> None:
    tagged = f"{prediction} {tag}"
    assert words.follows(tagged, other) is words.follows(prediction, other)
    assert words.avoids(tagged, other) is words.avoids(prediction, other)
