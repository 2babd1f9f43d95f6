"""Reading the shared beginning once changes nothing but the cost."""

from __future__ import annotations

import math

import pytest

from methods.common.language_model.interface import Decoding
from methods.common.language_model.local import LocalModel
from methods.common.language_model.prefix import PrefixModel
from tests.methods.common import models

BEFORE = "what colour is the hat? red\nrating: 4\n"
PROMPTS = [BEFORE + text for text in ("rating: ", "what colour", "green rating: 3 rating: ")]


@pytest.fixture
def shared(local: LocalModel) -> PrefixModel:
    return PrefixModel("tiny", "tiny-0", local.model, local.tokenizer, batch=2, prefixes=(BEFORE,))


def test_distributions_are_those_of_the_whole_prompt(local: LocalModel, shared: PrefixModel) -> None:
    whole, found = local.next_token(PROMPTS), shared.next_token(PROMPTS)
    assert shared._read
    for left, right in zip(whole, found, strict=True):
        assert set(left.log_probabilities) == set(right.log_probabilities)
        for token, value in left.log_probabilities.items():
            assert math.exp(right.log_probabilities[token]) == pytest.approx(math.exp(value), abs=1e-5)


@pytest.mark.parametrize(
    "decoding",
    [Decoding(new_tokens=6), Decoding(1.0, 20, new_tokens=6), Decoding(1.0, new_tokens=6, stop=("e",))],
)
def test_texts_are_those_of_the_whole_prompt(
    local: LocalModel, shared: PrefixModel, decoding: Decoding
) -> None:
    whole = local.sample(PROMPTS, decoding, count=3, seed=4)
    found = shared.sample(PROMPTS, decoding, count=3, seed=4)
    for left, right in zip(whole, found, strict=True):
        assert [(one.text, one.tokens, one.finished) for one in left] == [
            (one.text, one.tokens, one.finished) for one in right
        ]
        assert [one.log_probability for one in right] == pytest.approx(
            [one.log_probability for one in left], abs=1e-4
        )


def test_prompts_that_begin_otherwise_are_read_whole(local: LocalModel, shared: PrefixModel) -> None:
    other = ["green", "rating: 5"]
    assert [one.text for (one,) in shared.sample(other, Decoding(new_tokens=4))] == [
        one.text for (one,) in local.sample(other, Decoding(new_tokens=4))
    ]
    assert not shared._read


def test_another_beginning_forgets_the_first(local: LocalModel, shared: PrefixModel) -> None:
    shared.next_token(PROMPTS, most=2)
    shared.begin("green red blue\n")
    prompt = "green red blue\nrating: "
    (found,), (whole,) = shared.next_token([prompt], most=1), local.next_token([prompt], most=1)
    assert list(found.log_probabilities) == list(whole.log_probabilities)


def test_what_does_not_fit_a_sliding_window_is_read_whole(local: LocalModel) -> None:
    model = models.gemma3()
    shared = PrefixModel("gemma", "gemma-0", model, local.tokenizer, prefixes=(BEFORE,))
    # Its window of 8 is shorter than the prefix.
    assert not any(shared._before(local.tokenizer.encode(prompt), 1) for prompt in PROMPTS)


@pytest.mark.parametrize("sliding", [False, True])
def test_prompts_that_begin_in_several_ways_are_read_together(local: LocalModel, *, sliding: bool) -> None:
    tokens = len(local.tokenizer)
    model = models.gemma3(window=200, vocabulary=tokens) if sliding else local.model
    whole = LocalModel("tiny", "tiny-0", model, local.tokenizer, batch=3)
    longer = "what is green? rating: 3\n" * 4
    shared = PrefixModel("tiny", "tiny-0", model, local.tokenizer, batch=3, prefixes=(BEFORE, longer))
    prompts = [before + text for text in ("rating: ", "what colour") for before in (BEFORE, longer)]
    for asked in (prompts, [*reversed(prompts), "rating: "]):
        found = shared.next_token(asked, most=5)
        for left, right in zip(whole.next_token(asked, most=5), found, strict=True):
            assert list(right.log_probabilities.values()) == pytest.approx(
                list(left.log_probabilities.values()), abs=1e-4
            )
    assert len(shared._read) == 2
    texts = [row[0].text for row in shared.sample(prompts, Decoding(new_tokens=5))]
    assert texts == [row[0].text for row in whole.sample(prompts, Decoding(new_tokens=5))]
    # What is read beside a prompt changes none of its bits.
    alone = [shared.next_token([prompt], most=5)[0] for prompt in prompts]
    assert alone == shared.next_token(prompts, most=5)
