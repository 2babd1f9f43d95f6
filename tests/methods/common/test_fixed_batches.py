"""A row gives the same bits alone, among others and in another place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods.common.answering import generate, option_scores
from methods.common.fixed_batches import fixed_batches, fixed_rows, fixed_width
from methods.common.language_model import Decoding, LanguageModel
from methods.common.language_model.local import LocalModel
from methods.common.language_model.prefix import PrefixModel
from methods.common.minilm import embed
from methods.kaft.decoding import decode
from tests.methods.common import models

PROMPTS = [
    [1, *np.random.default_rng(n).integers(2, models.VOCABULARY, n).tolist()] for n in (3, 14, 15, 1, 16, 30)
]
OPTIONS = [[[3], [4, 9], [5, 6, 7], [5, 6, 8], [4]], [[3], [4, 5, 6, 7, 8]]] * (len(PROMPTS) // 2)
TEXTS = ["red", "what colour is the hat?", "rating: 1 2 3", "1 2 3 4 5", "green rating: 10 blue", "hat"]
BEFORE = "what colour is the hat? red\nrating: 4\n"


@pytest.fixture(params=[1, 2])
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def parts(count: int) -> list[list[int]]:
    """Rows as a cache may leave them over: the other way round, some, and one alone."""
    rows = list(range(count))
    return [rows[::-1], rows[1::2], rows[:1]]


def assert_same(answer: Callable[[list[int]], list[Any]], count: int) -> None:
    """Every part gives the bits that all rows together give."""
    whole = answer(list(range(count)))
    for rows in parts(count):
        assert answer(rows) == [whole[row] for row in rows]


def of_type(name: str, dtype: torch.dtype) -> Any:
    return models.MODELS[name]().to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_scores_and_answers_do_not_depend_on_other_rows(name: str, dtype: torch.dtype) -> None:
    model = of_type(name, dtype)
    assert_same(
        lambda rows: option_scores(model, [PROMPTS[i] for i in rows], [OPTIONS[i] for i in rows], pad=0),
        len(PROMPTS),
    )
    assert_same(
        lambda rows: generate(model, [PROMPTS[i] for i in rows], new_tokens=5, stop=(7,), pad=0),
        len(PROMPTS),
    )


@pytest.mark.parametrize("name", ["llama", "gemma3"])
def test_answers_after_shared_examples_do_not_depend_on_other_rows(name: str) -> None:
    model, against = of_type(name, torch.float32), [prompt[-4:] for prompt in PROMPTS]

    def answer(rows: list[int]) -> list[list[int]]:
        return decode(
            model,
            [PROMPTS[i] for i in rows],
            new_tokens=4,
            stop=(),
            pad=0,
            shared=(1, 5, 9, 11),
            against=[against[i] for i in rows],
            alpha=0.5,
        )

    assert_same(answer, len(PROMPTS))


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize(("prefix", "dtype"), [("", torch.float32), (BEFORE, torch.bfloat16)])
def test_a_language_models_answers_do_not_depend_on_other_prompts(
    local: LocalModel, prefix: str, dtype: torch.dtype
) -> None:
    model = _asked(local, prefix, dtype)
    prompts = [prefix + text for text in TEXTS]
    warm = Decoding(1.0, new_tokens=5, stop=("e",))
    options = ["a", " red"]
    assert_same(lambda rows: model.score([prompts[i] for i in rows], [options] * len(rows)), len(prompts))
    assert_same(lambda rows: model.sample([prompts[i] for i in rows], warm, count=3, seed=1), len(prompts))
    assert_same(lambda rows: model.next_token([prompts[i] for i in rows], most=20), len(prompts))
    assert not model.together


def _asked(local: LocalModel, prefix: str, dtype: torch.dtype) -> LanguageModel:
    weights = copy.deepcopy(local.model).to(dtype)
    if prefix:
        return PrefixModel("tiny", "tiny-0", weights, local.tokenizer, prefixes=(prefix,))
    return LocalModel("tiny", "tiny-0", weights, local.tokenizer)


def test_a_texts_vector_does_not_depend_on_other_texts(tmp_path: Path) -> None:
    encoder = models.bert(tmp_path, TEXTS)
    assert_same(lambda rows: [row.tobytes() for row in embed(encoder, [TEXTS[i] for i in rows])], len(TEXTS))
    assert embed(encoder, []).shape == (0, 16)


def test_the_shape_follows_from_the_row_alone() -> None:
    lengths = [3, 15, 16, 40, 5, 300, 64, 3]
    seen: dict[int, tuple[int, int]] = {}
    for count in range(1, len(lengths) + 1):
        for part in fixed_batches(lengths[:count], 64):
            assert len(part.of(lengths)) == part.size
            for row in part.chosen:
                assert seen.setdefault(row, (part.size, part.width)) == (part.size, part.width)
                assert part.width > lengths[row]
    assert sorted(seen) == list(range(len(lengths)))


def test_rows_that_fill_the_models_room_stay_apart() -> None:
    found = list(fixed_batches([20, 18, 20], 8, room=20))
    assert [(part.chosen, part.width) for part in found] == [((0, 2), 20), ((1,), 20)]


def test_kinds_are_not_mixed() -> None:
    found = list(fixed_batches([3, 4, 5], 8, kinds=["a", "b", "a"]))
    assert sorted(part.chosen for part in found) == [(0, 2), (1,)]


def test_padding_is_bounded() -> None:
    for length in range(1, 3000):
        assert length < fixed_width(length) <= max(length + 16, 1.5 * length + 1)
        assert 8 <= fixed_rows(fixed_width(length), 64) <= 64
    assert fixed_rows(64, 4) == 4
    assert fixed_rows(4096, 64, "cuda") == 64
