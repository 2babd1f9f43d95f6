"""Examples: encoding, padding, packing, and the order they come in."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.common.examples import (
    IGNORED,
    Cut,
    Example,
    collate,
    encode,
    pack,
    pad_token,
    prompt_tokens,
    stream,
)
from methods.common.forward import summed_loss, target_logits
from methods.common.tiny_lm import train_tokenizer
from tests.methods.common import models

TEXTS = ["the cat sat on the mat", "a dog ran", "two birds sang in a tree"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(TEXTS, 300)


class T5Style:
    """A tokenizer that ends every input with its end token and has no beginning token."""

    bos_token_id, eos_token_id, pad_token_id = None, 1, 0

    def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        ids = [ord(letter) for letter in text]
        return {"input_ids": ids + [1] * add_special_tokens}


def test_a_causal_example_begins_and_ends_with_special_tokens(tokenizer: Any) -> None:
    example = encode(tokenizer, "x", "the cat", " sat", limit=50, cut=Cut())
    assert example.prompt[0] == tokenizer.bos_token_id
    assert tokenizer.decode(example.prompt[1:]) == "the cat"
    assert tokenizer.decode(example.target[:-1]) == " sat"
    assert example.target[-1] == tokenizer.eos_token_id


def test_inputs_of_an_encoder_end_with_the_end_token() -> None:
    example = encode(T5Style(), "x", "ab", "c", limit=50, cut=Cut())
    assert example == Example("x", (97, 98, 1), (99, 1))
    assert pad_token(T5Style()) == 0


@pytest.mark.parametrize(("keep", "text"), [("end", "fgh"), ("start", "abc")])
def test_long_prompts_are_cut_by_policy_and_counted(keep: Any, text: str) -> None:
    cut = Cut(keep)
    example = encode(T5Style(), "x", "abcdefgh", "z", limit=6, cut=cut)
    assert example.prompt == (*map(ord, text), 1)
    assert (cut.cut, cut.tokens) == (1, 5)
    encode(T5Style(), "y", "abc", "z", limit=6, cut=cut)
    assert (cut.cut, cut.tokens) == (1, 5)


def test_a_target_without_room_is_refused() -> None:
    with pytest.raises(ProblemError, match="No token of the prompt fits") as caught:
        encode(T5Style(), "long one", "a", "bcdef", limit=7, cut=Cut())
    assert caught.value.where == "long one"


def test_a_tokenizer_without_an_end_token_is_refused(tokenizer: Any) -> None:
    class Endless(T5Style):
        eos_token_id = None  # type: ignore[assignment]

    with pytest.raises(ProblemError, match="no end-of-sequence token"):
        encode(Endless(), "x", "a", "b", limit=9, cut=Cut())
    assert prompt_tokens(Endless(), "ab", 9, Cut()) == (97, 98)
    assert pad_token(tokenizer) == tokenizer.eos_token_id


def test_rows_are_padded_on_the_right_and_labels_cover_targets_only() -> None:
    batch = collate([Example("a", (5, 6), (7, 1)), Example("b", (8,), (9,))], pad=0)
    assert batch.ids.tolist() == [[5, 6, 7, 1], [8, 9, 0, 0]]
    assert batch.mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch.labels.tolist() == [[IGNORED, IGNORED, 7, 1], [IGNORED, 9, IGNORED, IGNORED]]
    assert batch.places.tolist() == [1, 2, 4]
    assert batch.gold.tolist() == [7, 1, 9]
    assert batch.owner.tolist() == [0, 0, 1]
    assert batch.names == ("a", "b")


def test_an_encoder_decoder_reads_prompt_and_target_apart() -> None:
    batch = collate([Example("a", (5, 6), (7,)), Example("b", (8,), (9, 1))], pad=0, separate=True)
    assert batch.ids.tolist() == [[5, 6], [8, 0]]
    assert batch.labels.tolist() == [[7, IGNORED], [9, 1]]
    assert batch.places.tolist() == [0, 2, 3]
    assert batch.gold.tolist() == [7, 9, 1]


@pytest.mark.parametrize("example", [Example("empty", (), (1,)), Example("empty", (1,), ())])
def test_an_example_without_prompt_or_target_is_refused(example: Example) -> None:
    for build in (lambda rows: collate(rows, 0), lambda rows: pack(rows, 9, 0)):
        with pytest.raises(ProblemError, match="empty") as caught:
            build([example])
        assert caught.value.where == "empty"


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12), spare=st.integers(0, 25))
def test_packing_keeps_every_example_once_and_in_one_piece(seed: int, count: int, spare: int) -> None:
    data = models.examples(count, seed)
    length = max(len(e.prompt) + len(e.target) for e in data) + spare
    batch = pack(data, length, pad=0)
    assert batch.positions is not None
    assert batch.ids.shape[1] <= length
    found: Counter[tuple[int, ...]] = Counter()
    for ids, mask, positions in zip(batch.ids, batch.mask, batch.positions, strict=True):
        starts = [*np.flatnonzero((positions == 0).numpy() & (mask == 1).numpy()), int(mask.sum())]
        found.update(tuple(ids[a:b].tolist()) for a, b in pairwise(starts))
    assert found == Counter(e.prompt + e.target for e in data)
    for owner, gold in zip(batch.owner.tolist(), batch.gold.tolist(), strict=True):
        assert gold in data[owner].target


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "gemma3"])
def test_packed_examples_lose_exactly_what_padded_ones_lose(name: str) -> None:
    model, data = models.MODELS[name](), models.examples(9, seed=3, longest=14)
    padded, packed = collate(data, 0), pack(data, 40, 0)
    assert len(packed.ids) < len(padded.ids)
    losses = []
    for batch in (padded, packed):
        logits = target_logits(model, batch).detach()
        each = [float(summed_loss(logits[batch.owner == i], batch.gold[batch.owner == i])) for i in range(9)]
        losses.append(each)
    assert losses[0] == pytest.approx(losses[1], rel=2e-5)


def test_a_row_too_short_for_an_example_is_refused() -> None:
    with pytest.raises(ProblemError, match="does not fit into a row of 3"):
        pack([Example("a", (1, 2), (3, 4))], 3, 0)


@settings(max_examples=30)
@given(count=st.integers(1, 9), size=st.integers(1, 12), passes=st.integers(1, 4))
def test_each_pass_shows_every_example_once(count: int, size: int, passes: int) -> None:
    data = models.examples(count)
    flow = stream(data, size, np.random.default_rng(0))
    shown = [e.id for part in islice(flow, -(-passes * count // size)) for e in part][: passes * count]
    for number in range(passes):
        assert sorted(shown[number * count : (number + 1) * count]) == sorted(e.id for e in data)


def test_the_order_depends_on_the_generator_alone() -> None:
    data = models.examples(20)
    first, again, other = (
        [e.id for part in islice(stream(data, 7, np.random.default_rng(seed)), 6) for e in part]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    with pytest.raises(ProblemError, match="no examples"):
        next(stream([], 2, np.random.default_rng(0)))
