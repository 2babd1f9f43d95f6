"""Replacing answers in contexts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.kaft.substitution import mentions, mentions_any, replace_all, substitute
from methods.kaft.words import unigrams

FOO = "Foo City is the capital of X. Foo has parks."


@pytest.mark.parametrize("aliases", [("Foo City", "Foo"), ("Foo", "Foo City")])
def test_longest_alias_is_replaced_first(aliases: tuple[str, ...]) -> None:
    assert substitute(FOO, aliases, "Bar") == ("Bar is the capital of X. Bar has parks.", None)


def test_case_and_possessives_are_replaced_too() -> None:
    text, reason = substitute("PARIS is big. Paris's river, paris.", ("Paris",), "Rome")
    assert reason is None
    assert text == "Rome is big. Rome's river, Rome."


@pytest.mark.parametrize(
    ("context", "aliases", "fake", "reason"),
    [
        ("Rome is big.", ("Paris",), "Oslo", "answer not in context"),
        ("Romania is big.", ("Oman",), "Oslo", "answer not in context"),
        ("Paris is big.", ("Paris", "City of Light"), "the city of light", "fake is an alias"),
        ("Paris is big.", ("Paris",), "of the", "fake is an alias"),
        ("Paris is bigger than Rome.", ("Paris",), "Rome", "fake already in context"),
        ("Paris is big.", ("Paris",), "New Paris", "answer remains"),
    ],
)
def test_unsuitable_examples_are_dropped(
    context: str, aliases: tuple[str, ...], fake: str, reason: str
) -> None:
    assert substitute(context, aliases, fake) == (context, reason)


def test_signs_are_no_patterns() -> None:
    assert replace_all("C++ and C. A C++!", ["C++"], r"\1") == r"\1 and C. A \1!"
    assert not mentions("abc", "a.c")
    assert not mentions("anything", " ")


WORDS = st.sampled_from(["foo", "bar", "city", "north", "foobar", "x"])
NAME = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@given(st.lists(WORDS, max_size=12).map(" ".join), st.lists(NAME, min_size=1, max_size=3), NAME)
def test_a_counterfactual_context_states_the_fake_and_no_alias(
    context: str, aliases: list[str], fake: str
) -> None:
    text, reason = substitute(context, aliases, fake)
    if reason is None:
        assert mentions(text, fake)
        assert not mentions_any(text, aliases)
        assert all(unigrams(fake) != unigrams(alias) for alias in aliases)
    else:
        assert text == context
