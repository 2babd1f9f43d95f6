"""Tiny random models of real families, saved as the hub has them.

Each keeps what its family's code does differently: layer kinds, soft caps, gates, ties between
embeddings, rows of the embedding that no token has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from methods.common.stand_ins.tokenizers import Family as TokenizerFamily
from methods.common.stand_ins.tokenizers import write_tokenizer

Family = Literal[
    "gemma",
    "gemma-mqa",
    "gemma2",
    "gemma3",
    "llama",
    "qwen2",
    "opt",
    "t5",
    "t5-v1.1",
    "mt5",
    "bert",
    "cross-encoder",
    "distilbert",
    "roberta",
]

_HIDDEN, _INNER, _HEADS = 16, 32, 2
_LOUDER = 10.0
_SIX = 6
"""Layers of MiniLM and DistilBERT: methods take one of them, or all six, by number."""


@dataclass(frozen=True)
class TinyModel:
    """A random checkpoint with configuration and tokenizer.

    Attributes:
        family: The architecture.
        seed: Draws the weights.
        loud: Tokens that are often the likeliest. A random model would hardly ever answer by a digit,
            name a city, or end its answer.
    """

    family: Family
    seed: int = 0
    loud: tuple[str, ...] = ()

    def make(self, folder: Path) -> None:
        """Write safetensors, configuration and tokenizer."""
        import torch
        import transformers

        from methods.common.draws import seeded

        kind = _KINDS[self.family]
        tokens = write_tokenizer(folder, kind.tokenizer)
        vocabulary = tokens + kind.padding
        config = getattr(transformers, kind.config)(vocab_size=vocabulary, **kind.settings(tokens))
        with seeded(self.seed):
            model = getattr(transformers, kind.model)(config)
        if self.loud:
            self._raise(model, folder)
        model.to(getattr(torch, kind.dtype)).save_pretrained(folder)

    def _raise(self, model: Any, folder: Path) -> None:
        import torch
        from tokenizers import Tokenizer

        vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
        chosen = sorted(at for token, at in vocabulary.items() if token.lstrip("▁Ġ") in self.loud)
        weight = model.get_output_embeddings().weight
        with torch.no_grad():
            weight[chosen] *= _LOUDER
            # One of two opposite rows has a large logit whatever the hidden state is.
            weight[chosen[1::2]] = -weight[chosen[: len(chosen) // 2 * 2 : 2]]


@dataclass(frozen=True)
class _Kind:
    """A family.

    Attributes:
        model: The class whose weights the hub has.
        config: Class of its configuration.
        padding: Rows of the embedding that no token has.
        dtype: Type of the weights on the hub.
    """

    model: str
    config: str
    tokenizer: TokenizerFamily
    settings: Callable[[int], Mapping[str, Any]]
    padding: int = 0
    dtype: str = "float32"


def _decoder(**more: Any) -> Callable[[int], dict[str, Any]]:
    """Settings that decoders share: two layers, two heads that share keys and values."""
    base = {
        "hidden_size": _HIDDEN,
        "intermediate_size": _INNER,
        "num_hidden_layers": 2,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": 1,
        "max_position_embeddings": 2048,
    }
    return lambda _tokens: base | more


# Heads are wider than the hidden size over their number, as in the family; adapters of rank 16 fit.
_GEMMA = {"head_dim": 16, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
_LAYERS = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 32}


def _t5(**more: Any) -> Callable[[int], dict[str, Any]]:
    base = {"d_model": _HIDDEN, "d_ff": _INNER, "d_kv": 8, "num_heads": _HEADS, "num_layers": 2}
    ids = {"num_decoder_layers": 2, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    return lambda _tokens: base | ids | more


_GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}


def _encoder(**more: Any) -> Callable[[int], dict[str, Any]]:
    base = {
        "hidden_size": _HIDDEN,
        "intermediate_size": _INNER,
        "num_hidden_layers": _SIX,
        "num_attention_heads": _HEADS,
        "max_position_embeddings": 512,
    }
    return lambda _tokens: base | more


def _distilbert(_tokens: int) -> dict[str, Any]:
    return {"dim": _HIDDEN, "hidden_dim": _INNER, "n_layers": _SIX, "n_heads": _HEADS}


def _opt(_tokens: int) -> dict[str, Any]:
    sizes = {"hidden_size": _HIDDEN, "word_embed_proj_dim": _HIDDEN, "ffn_dim": _INNER}
    layers = {"num_hidden_layers": 2, "num_attention_heads": _HEADS, "max_position_embeddings": 2048}
    return sizes | layers | {"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}


def _qwen2(_tokens: int) -> dict[str, Any]:
    marks = {"bos_token_id": 0, "eos_token_id": 2, "tie_word_embeddings": True}
    return _decoder(**marks)(_tokens)


_KINDS: dict[Family, _Kind] = {
    "gemma": _Kind(
        "GemmaForCausalLM",
        "GemmaConfig",
        "gemma",
        _decoder(**_GEMMA, num_key_value_heads=_HEADS),
        dtype="bfloat16",
    ),
    "gemma-mqa": _Kind("GemmaForCausalLM", "GemmaConfig", "gemma", _decoder(**_GEMMA), dtype="bfloat16"),
    "gemma2": _Kind(
        "Gemma2ForCausalLM",
        "Gemma2Config",
        "gemma",
        _decoder(
            **_GEMMA,
            **_LAYERS,
            attn_logit_softcapping=50.0,
            final_logit_softcapping=30.0,
            query_pre_attn_scalar=16,
        ),
    ),
    "gemma3": _Kind(
        "Gemma3ForCausalLM",
        "Gemma3TextConfig",
        "gemma",
        _decoder(**_GEMMA, **_LAYERS, query_pre_attn_scalar=16),
        padding=1,
        dtype="bfloat16",
    ),
    "llama": _Kind(
        "LlamaForCausalLM",
        "LlamaConfig",
        "llama",
        _decoder(bos_token_id=1, eos_token_id=2, tie_word_embeddings=False),
        dtype="bfloat16",
    ),
    "qwen2": _Kind("Qwen2ForCausalLM", "Qwen2Config", "qwen2", _qwen2, padding=20, dtype="bfloat16"),
    "opt": _Kind("OPTForCausalLM", "OPTConfig", "opt", _opt, padding=7, dtype="float16"),
    "t5": _Kind("T5ForConditionalGeneration", "T5Config", "t5", _t5(feed_forward_proj="relu"), padding=28),
    "t5-v1.1": _Kind("T5ForConditionalGeneration", "T5Config", "t5", _t5(**_GATED), padding=28),
    "mt5": _Kind("MT5ForConditionalGeneration", "MT5Config", "mt5", _t5(**_GATED), padding=12),
    "bert": _Kind("BertModel", "BertConfig", "bert", _encoder()),
    "cross-encoder": _Kind("BertForSequenceClassification", "BertConfig", "bert", _encoder(num_labels=1)),
    "distilbert": _Kind("DistilBertForMaskedLM", "DistilBertConfig", "bert", _distilbert),
    "roberta": _Kind(
        "RobertaForMaskedLM",
        "RobertaConfig",
        "roberta",
        _encoder(
            type_vocab_size=1, max_position_embeddings=514, pad_token_id=1, bos_token_id=0, eos_token_id=2
        ),
    ),
}
