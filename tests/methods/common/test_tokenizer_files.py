"""Tokenizers that come as a SentencePiece model only."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ResourceError
from methods.common import causal_lm
from methods.common.causal_lm import load_tokenizer


def test_a_tokenizer_that_must_be_converted_names_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spiece.model").write_bytes(b"pieces")
    # Not by hiding the packages: transformers would remember that they are absent.
    monkeypatch.setattr(causal_lm, "_installed", lambda name: False)
    with pytest.raises(ResourceError, match="pip install sentencepiece protobuf"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_that_is_there_ready_needs_no_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causal_lm, "_installed", lambda name: False)
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    ready = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))  # noqa: S106
    PreTrainedTokenizerFast(tokenizer_object=ready).save_pretrained(tmp_path)
    (tmp_path / "spiece.model").write_bytes(b"pieces")
    assert load_tokenizer(tmp_path)("a")["input_ids"] == [0]


def test_a_package_whose_parent_is_absent_is_absent() -> None:
    assert not causal_lm._installed("no_such_package.part")
    assert causal_lm._installed("json.decoder")


def test_a_sentencepiece_model_is_read(tmp_path: Path) -> None:
    """As mT5's: no tokenizer.json, only the pieces."""
    pieces = pytest.importorskip("sentencepiece")
    pytest.importorskip("google.protobuf")
    text = tmp_path / "text.txt"
    text.write_text("\n".join(f"the {n} cats see {m} dogs" for n in range(20) for m in range(20)))
    pieces.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(tmp_path / "spiece"),
        vocab_size=30,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (tmp_path / "config.json").write_text('{"model_type": "mt5"}')
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer", "extra_ids": 0}')
    tokenizer = load_tokenizer(tmp_path)
    expected = pieces.SentencePieceProcessor(model_file=str(tmp_path / "spiece.model"))
    assert tokenizer("the 3 cats")["input_ids"] == [*expected.encode("the 3 cats"), 1]
