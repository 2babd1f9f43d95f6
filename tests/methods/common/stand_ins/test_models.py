"""Tiny models: what their families do differently is there, and the real classes load them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

from methods.common.stand_ins import CONTINENTS, DIGITS, SURNAMES, TinyModel
from methods.common.stand_ins.models import Family
from methods.common.stand_ins.tokenizers import Family as TokenizerFamily
from methods.common.stand_ins.tokenizers import write_tokenizer

TEXT = "The fox: é Answer 12\n\nYes"
CLASSES = {
    "gemma": ("GemmaTokenizer", "<bos>", ""),
    "llama": ("LlamaTokenizer", "<s>", ""),
    "t5": ("T5Tokenizer", "", "</s>"),
    "mt5": ("T5Tokenizer", "", "</s>"),
    "opt": ("GPT2Tokenizer", "</s>", ""),
    "qwen2": ("Qwen2Tokenizer", "", ""),
    "bert": ("BertTokenizer", "[CLS]", "[SEP]"),
    "roberta": ("RobertaTokenizer", "<s>", "</s>"),
}


@pytest.mark.parametrize("family", get_args(TokenizerFamily))
def test_tokenizers_have_the_class_and_the_marks_of_their_family(
    family: TokenizerFamily, tmp_path: Path
) -> None:
    size = write_tokenizer(tmp_path, family)
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    name, first, last = CLASSES[family]
    assert type(tokenizer).__name__ == name
    assert len(tokenizer) == size
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(TEXT)["input_ids"])
    assert tokenizer.unk_token is None or family == "opt" or tokenizer.unk_token not in tokens
    assert (tokens[0] == first) or not first
    assert (tokens[-1] == last) or not last


@pytest.mark.parametrize("family", ["gemma", "t5", "mt5"])
def test_names_to_make_loud_are_tokens(family: TokenizerFamily, tmp_path: Path) -> None:
    write_tokenizer(tmp_path, family)
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert {f"▁{name}" for name in (*CONTINENTS, *SURNAMES)} <= {*tokenizer.get_vocab()}


@pytest.mark.parametrize("family", ["gemma", "llama", "opt", "qwen2", "roberta"])
def test_text_comes_back_as_it_was(family: TokenizerFamily, tmp_path: Path) -> None:
    write_tokenizer(tmp_path, family)
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    odd = f"{TEXT} 漢  it"
    assert tokenizer.decode(tokenizer(odd)["input_ids"], skip_special_tokens=True) == odd


def test_sentinels_of_t5_count_down(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, "t5")
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    first, second = tokenizer.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_1>"])
    assert first == second + 1 == len(tokenizer) - 1


@pytest.mark.parametrize("family", get_args(Family))
def test_each_model_is_saved_whole_and_always_the_same(family: Family, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        TinyModel(family).make(folder)
    weights = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]
    config: Any = AutoConfig.from_pretrained(folders[0], local_files_only=True)
    tokenizer: Any = AutoTokenizer.from_pretrained(folders[0], local_files_only=True)
    assert config.vocab_size >= len(tokenizer)
    assert len(weights[0]) < 500_000


def config_of(family: Family, folder: Path) -> Any:
    folder.mkdir()
    TinyModel(family).make(folder)
    return AutoConfig.from_pretrained(folder, local_files_only=True)


def test_what_families_do_differently_is_kept(tmp_path: Path) -> None:
    """Assert that soft caps, layer kinds, gates, ties and heads are those of the public configurations."""
    gemma2, gemma3 = (config_of(name, tmp_path / name) for name in ("gemma2", "gemma3"))
    assert (gemma2.attn_logit_softcapping, gemma2.final_logit_softcapping) == (50.0, 30.0)
    assert {*gemma3.layer_types} == {*gemma2.layer_types} == {"sliding_attention", "full_attention"}
    mt5, t5, plain = (config_of(name, tmp_path / name) for name in ("mt5", "t5-v1.1", "t5"))
    assert (mt5.is_gated_act, t5.is_gated_act, plain.is_gated_act) == (True, True, False)
    assert config_of("cross-encoder", tmp_path / "pair").num_labels == 1
    assert config_of("gemma-mqa", tmp_path / "mqa").num_key_value_heads == 1


def test_loud_tokens_are_often_likeliest(tmp_path: Path) -> None:
    from methods.common.causal_lm import load_model, load_tokenizer

    shares = []
    for name, loud in (("quiet", ()), ("loud", DIGITS)):
        (tmp_path / name).mkdir()
        TinyModel("gemma3", loud=loud).make(tmp_path / name)
        model = load_model(tmp_path / name, device="cpu", dtype="float32")
        tokenizer = load_tokenizer(tmp_path / name)
        ids = tokenizer("The quick brown fox jumps over the lazy dog", return_tensors="pt")["input_ids"]
        with torch.no_grad():
            best = model(ids).logits[0].topk(20).indices
        digits = set(tokenizer.convert_tokens_to_ids([*"0123456789"]))
        shares.append(sum(digits & {*row.tolist()} != set() for row in best) / len(best))
    assert shares[1] > 0.9 > shares[0]
