"""The tokenizer of generated worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from methods.common.examples import end_token, pad_token, special_tokens
from methods.kaft.models import Reader
from methods.kaft.word_tokens import WordTokenizer, load_words
from methods.kaft.words import TAGS
from methods.kaft.world import END, PAD, Rules, World

WORLD = World.draw(Rules(subjects=8, novel=2, relations=2, objects=4), np.random.default_rng(0))
WORDS = WORLD.tokenizer()


@pytest.fixture(scope="module")
def reference() -> Any:
    """The same vocabulary as a tokenizer of transformers."""
    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORLD.vocabulary())}, unk_token=PAD))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=END, pad_token=PAD)


def test_it_agrees_with_a_tokenizer_of_transformers(reference: Any) -> None:
    texts = ["", "  ", "a word that is not there", f"s1 r0 o0x1 {TAGS[0]}", "\n"]
    for question in WORLD.questions(range(8), np.random.default_rng(1)):
        texts += [question.text, question.relevant, f"{question.hard} {question.text}", f" {question.answer}"]
    for text in texts:
        for special in (True, False):
            ids = WORDS(text, add_special_tokens=special)["input_ids"]
            assert ids == reference(text, add_special_tokens=special)["input_ids"]
        assert WORDS.decode(ids) == reference.decode(ids)


def test_its_special_tokens_are_those_of_transformers(reference: Any) -> None:
    for found in (special_tokens, end_token, pad_token):
        assert found(WORDS) == found(reference)


def test_a_reader_finds_it_beside_its_model(tmp_path: Path) -> None:
    WORDS.save(tmp_path)
    again = Reader(tmp_path).tokenizer
    assert again == load_words(tmp_path) == WORDS
    assert isinstance(again, WordTokenizer)
    assert Reader(tmp_path).stops() == {WORDS.eos_token_id}
