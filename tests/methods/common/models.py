"""Tiny random language models of different architectures, for the tests of the shared ground."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    BertConfig,
    BertModel,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    MT5Config,
    MT5ForConditionalGeneration,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from methods.common import tiny_lm
from methods.common.examples import Example
from methods.common.minilm import Encoder, load_encoder

VOCABULARY = 48


def llama(seed: int = 0, context: int = 64) -> Any:
    """Two layers; its weights are large enough for answers to depend on the prompt."""
    generator = torch.Generator().manual_seed(seed)
    model = tiny_lm.new_model(VOCABULARY, tiny_lm.Size(2, 32, heads=2, context=context), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10.0)
    return model.eval()


def gemma3(seed: int = 0, *, window: int = 8, vocabulary: int = VOCABULARY) -> Any:
    """Scaled embeddings, one layer with a sliding window and one without."""
    torch.manual_seed(seed)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=window,
        initializer_range=0.2,
        max_position_embeddings=max(64, window),
        layer_types=["sliding_attention", "full_attention"],
    )
    return Gemma3ForCausalLM(config).eval()


def gemma2(seed: int = 0) -> Any:
    """Soft-capped logits."""
    torch.manual_seed(seed)
    options: dict[str, Any] = {"final_logit_softcapping": 5.0, "attn_implementation": "eager"}
    config = Gemma2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        initializer_range=0.2,
        max_position_embeddings=64,
        **options,
    )
    return Gemma2ForCausalLM(config).eval()


def t5(seed: int = 0) -> Any:
    """Encoder and decoder, tied embeddings with scaled outputs."""
    torch.manual_seed(seed)
    options: dict[str, Any] = {"decoder_start_token_id": 0}
    config = T5Config(
        vocab_size=VOCABULARY,
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        **options,
        dropout_rate=0.0,
    )
    return T5ForConditionalGeneration(config).eval()


def gpt2(seed: int = 0) -> Any:
    """Learned absolute positions."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=64,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=1,
    )
    return GPT2LMHeadModel(config).eval()


def opt(seed: int = 0) -> Any:
    """Learned absolute positions, and a layer after attention of its own name."""
    torch.manual_seed(seed)
    config = OPTConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        word_embed_proj_dim=32,
        dropout=0.0,
    )
    return OPTForCausalLM(config).eval()


def mt5(seed: int = 0) -> Any:
    """Gated layers and an output layer of its own."""
    torch.manual_seed(seed)
    options: dict[str, Any] = {"decoder_start_token_id": 0}
    config = MT5Config(
        vocab_size=VOCABULARY, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, **options
    )
    return MT5ForConditionalGeneration(config).eval()


MODELS = {"gpt2": gpt2, "llama": llama, "gemma2": gemma2, "gemma3": gemma3, "t5": t5}


def examples(count: int, seed: int = 0, longest: int = 9) -> list[Example]:
    """Random prompts; the target repeats the prompt's first and last token, then ends (id 1)."""
    rng = np.random.default_rng(seed)
    out = []
    for number in range(count):
        text = rng.integers(2, VOCABULARY, int(rng.integers(2, longest))).tolist()
        repeated = tuple(text[: int(rng.integers(1, 3))])
        out.append(Example(f"e{number}", (1, *text), (*repeated, text[-1], 1)))
    return out


def bert(folder: Path, words: Sequence[str]) -> Encoder:
    """An untrained encoder of one layer with special tokens, saved in ``folder``."""
    inner = tiny_lm.train_tokenizer([" ".join(words)] * 3, 300).backend_tokenizer
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<s>", sep_token="<s>")  # noqa: S106
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_encoder(folder)
