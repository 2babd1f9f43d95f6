"""The sizes of a transformer, from the numbers in its ``config.json``: parameters, and what training keeps.

Formulas for the families that suites bind. Parameters agree to the last one with the models that
``transformers`` builds of the same numbers (a test compares them on the meta device).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class _Family:
    """What the models of a family have in common.

    Attributes:
        norms: Norms of a layer, without those of queries and keys.
        centred: Norms with a bias (LayerNorm), not by the root of the mean square.
        biased: Linear layers with a bias, of "qkv", "o" and "ffn".
        head_norms: Whether queries and keys are normed in each head.
        norm_bytes: Kept for the backward pass by a norm, for each token and unit of width: its input and
            result in 16 bits, and what it computes in float32.
        tied: Whether logits come from the embeddings unless the configuration says otherwise.
        scored: Whether attention scores are capped, which no fused kernel does: then they are kept.
    """

    norms: int = 2
    centred: bool = False
    biased: frozenset[str] = frozenset()
    head_norms: bool = False
    norm_bytes: float = 8.0
    tied: bool = True
    scored: bool = False


_T5 = _Family()
_LLAMA = _Family(tied=False)
_FAMILIES = {
    "t5": _T5,
    "mt5": _T5,
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _Family(tied=False, biased=frozenset({"qkv"})),
    "gemma": _Family(norm_bytes=10.0),
    "gemma2": _Family(norms=4, norm_bytes=10.0, scored=True),
    "gemma3_text": _Family(norms=4, head_norms=True, norm_bytes=10.0),
    "opt": _Family(centred=True, biased=frozenset({"qkv", "o", "ffn"}), norm_bytes=4.0),
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of a decoder, or of an encoder and a decoder of equal width.

    Attributes:
        family: ``model_type`` of the configuration.
        width: Of the hidden states.
        ffn: Inner width of the feed-forward layers.
        heads: Attention heads.
        kv_heads: Heads of keys and values.
        head_dim: Width of a head.
        vocabulary: Rows of the embeddings.
        layers: Of the decoder.
        encoder_layers: Of the encoder, if there is one.
        gated: Whether feed-forward layers have a gate.
        kept: Tensors of width ``ffn`` that are kept for the backward pass: what goes into the activation
            and the gate, and what comes out.
        tied: Whether logits come from the embeddings.
        extra: Parameters outside of layers, embeddings and norms: positions, projections of embeddings.
        final_norms: Norms behind the last layers.
        embedded: Width of the embeddings, where it is another one; else 0.
    """

    family: str
    width: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    layers: int
    encoder_layers: int = 0
    gated: bool = True
    kept: float = 4.0
    tied: bool = True
    extra: int = 0
    final_norms: int = 1
    embedded: int = 0

    @property
    def stacked(self) -> int:
        """Layers of encoder and decoder together."""
        return self.layers + self.encoder_layers

    @property
    def embeddings(self) -> int:
        """Parameters of embeddings, and of the output layer where it has its own."""
        return self.vocabulary * (self.embedded or self.width) * (1 if self.tied else 2)

    @property
    def largest_block(self) -> int:
        """Parameters of the largest layer: in a decoder behind an encoder it attends twice."""
        return self._block(cross=self.encoder_layers > 0)

    @property
    def parameters(self) -> int:
        """All parameters."""
        blocks = self.layers * self.largest_block + self.encoder_layers * self._block(cross=False)
        return blocks + self.embeddings + self.extra + self.final_norms * self._norm

    @property
    def attention_linears(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of the linear layers of one attention: queries, keys, values, output."""
        inner, shared = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return (self.width, inner), (self.width, shared), (self.width, shared), (inner, self.width)

    @property
    def ffn_linears(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of the linear layers of one feed-forward part."""
        up = (self.width, self.ffn)
        return (*([up] * (2 if self.gated else 1)), (self.ffn, self.width))

    @property
    def attentions(self) -> int:
        """Attentions of the model: two in each layer of a decoder behind an encoder."""
        return self.stacked + (self.layers if self.encoder_layers else 0)

    def adapter(self, rank: int, *, everywhere: bool = True) -> int:
        """Trained numbers of LoRA: rank · (inputs + outputs) for each linear layer.

        Args:
            rank: Of the factors.
            everywhere: On all linear layers of all layers; else on queries and values only.
        """
        query, _, value, _ = self.attention_linears
        attention = self.attention_linears if everywhere else (query, value)
        # The last layer of T5's feed-forward part is read by its weight, so it gets no adapter.
        ffn = self.ffn_linears[: -1 if self.encoder_layers else None] if everywhere else ()
        return rank * (self.attentions * sum(map(sum, attention)) + self.stacked * sum(map(sum, ffn)))

    def saved_bytes(self, length: int) -> float:
        """Bytes that a layer keeps for the backward pass, for each token, in 16 bits.

        Counted by operations, as Korthikanti et al. (2022), section 4, do for one other family: queries,
        result and its copy for the output layer (3 · heads · head_dim), keys and values
        (2 · kv_heads · head_dim) and ``kept`` tensors of the feed-forward part, each two bytes; and the
        norms. Attention scores are not kept, which fused attention computes again (Dao et al. 2022),
        except where they are capped: eight bytes a head and token that is attended to.

        Args:
            length: Tokens of a row.
        """
        family = _FAMILIES[self.family]
        attention = 2.0 * self.head_dim * (3 * self.heads + 2 * self.kv_heads)
        attention += family.norm_bytes * self.head_dim * (self.heads + self.kv_heads) * family.head_norms
        attention += 8.0 * self.heads * length * family.scored
        crossing = self.attentions / self.stacked
        norms = family.norms + (crossing - 1.0)
        return attention * crossing + norms * family.norm_bytes * self.width + 2.0 * self.kept * self.ffn

    @property
    def _norm(self) -> int:
        return self.width * (2 if _FAMILIES[self.family].centred else 1)

    def _block(self, *, cross: bool) -> int:
        family = _FAMILIES[self.family]
        *qkv, out = self.attention_linears
        biases = {"qkv": qkv, "o": [out], "ffn": self.ffn_linears}
        attention = sum(a * b for a, b in self.attention_linears) * (2 if cross else 1)
        linears = attention + sum(a * b for a, b in self.ffn_linears)
        added = sum(b for name in family.biased for _, b in biases[name])
        norms = (family.norms + (1 if cross else 0)) * self._norm
        return linears + added + norms + (2 * self.head_dim if family.head_norms else 0)


def shape_of(config: Mapping[str, Any], *, where: str = "config.json") -> Shape:
    """The sizes that a configuration states.

    Args:
        config: The numbers of a ``config.json``.
        where: Where they stand, for the error.

    Raises:
        UsageError: If the family is unknown or a number is missing.
    """
    family = str(config.get("model_type", ""))
    if family not in _FAMILIES:
        known = ", ".join(_FAMILIES)
        raise UsageError(
            f"The memory of models of type '{family}' is not known",
            where=where,
            fix=f"Known are {known}; a new family is a row in harness/method/shapes.py.",
        )
    reader = {"t5": _t5, "mt5": _t5, "opt": _opt}.get(family, _decoder)
    try:
        return reader(family, config)
    except KeyError as error:
        raise UsageError(
            f"{error} is missing", where=where, fix="Take the model's own config.json."
        ) from None


def _t5(family: str, config: Mapping[str, Any]) -> Shape:
    layers, heads = int(config["num_layers"]), int(config["num_heads"])
    kind = str(config.get("feed_forward_proj", "relu"))
    gated = kind.startswith("gated-")
    # The activation of T5 1.1 is computed by several operations, each of which keeps something; dropout
    # behind it keeps its result and which numbers it left.
    kept = 2.0 + (8.0 if "gelu" in kind else 4.0 if gated else 1.0)
    return Shape(
        family=family,
        width=int(config["d_model"]),
        ffn=int(config["d_ff"]),
        heads=heads,
        kv_heads=heads,
        head_dim=int(config["d_kv"]),
        vocabulary=int(config["vocab_size"]),
        layers=int(config.get("num_decoder_layers") or layers),
        encoder_layers=layers,
        gated=gated,
        kept=kept,
        tied=bool(config.get("tie_word_embeddings", True)),
        extra=2 * int(config.get("relative_attention_num_buckets", 32)) * heads,
        final_norms=2,
    )


def _opt(family: str, config: Mapping[str, Any]) -> Shape:
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    embedded = int(config.get("word_embed_proj_dim") or width)
    before = bool(config.get("do_layer_norm_before", True))
    # Positions begin at two in this family.
    positions = (int(config["max_position_embeddings"]) + 2) * width
    return Shape(
        family=family,
        width=width,
        ffn=int(config["ffn_dim"]),
        heads=heads,
        kv_heads=heads,
        head_dim=width // heads,
        vocabulary=int(config["vocab_size"]),
        layers=int(config["num_hidden_layers"]),
        gated=False,
        kept=1.0 if config.get("activation_function", "relu") == "relu" else 2.0,
        tied=bool(config.get("tie_word_embeddings", True)),
        extra=positions + (2 * embedded * width if embedded != width else 0),
        final_norms=1 if before else 0,
        embedded=embedded,
    )


def _decoder(family: str, config: Mapping[str, Any]) -> Shape:
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    return Shape(
        family=family,
        width=width,
        ffn=int(config["intermediate_size"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_dim=int(config.get("head_dim") or width // heads),
        vocabulary=int(config["vocab_size"]),
        layers=int(config["num_hidden_layers"]),
        tied=bool(config.get("tie_word_embeddings", _FAMILIES[family].tied)),
    )
