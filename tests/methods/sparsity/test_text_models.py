"""The language models: T5 against ``transformers``, the decoder against causality."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

from harness.method import ProblemError
from methods.sparsity import ActivationCounter, DecoderLm, EncoderDecoder, LmSize, TopK
from methods.sparsity.layers import attend
from methods.sparsity.text_models import bucket, shifted

SIZE = LmSize(d_model=16, d_ff=24, layers=2, heads=4, context=40, vocabulary=50)


def ids(rows: int, length: int, seed: int = 1) -> Tensor:
    return torch.randint(3, 50, (rows, length), generator=torch.Generator().manual_seed(seed))


def t5() -> EncoderDecoder:
    return EncoderDecoder(SIZE, generator=torch.Generator().manual_seed(0))


def decoder(**options: object) -> DecoderLm:
    model = DecoderLm(SIZE, generator=torch.Generator().manual_seed(0), **options)  # type: ignore[arg-type]
    torch.nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(2))
    return model


def as_transformers(model: EncoderDecoder) -> T5ForConditionalGeneration:
    """The same weights in the other implementation."""
    config = T5Config(  # type: ignore[call-arg]
        vocab_size=50,
        d_model=16,
        d_kv=4,
        d_ff=24,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        tie_word_embeddings=True,
    )
    other = T5ForConditionalGeneration(config).eval()
    own = model.state_dict()
    weights = {"shared.weight": own["embed"]}
    for side in ("encoder", "decoder"):
        weights[f"{side}.final_layer_norm.weight"] = own[f"{side}.norm.weight"]
        near = f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        weights[near] = own[f"{side}.distances"]
        for number in range(SIZE.layers):
            here, there = f"{side}.blocks.{number}", f"{side}.block.{number}.layer"
            last = 2 if side == "decoder" else 1
            for letter, rows in zip("qkv", own[f"{here}.attention.qkv.weight"].chunk(3), strict=True):
                weights[f"{there}.0.SelfAttention.{letter}.weight"] = rows
            weights[f"{there}.0.SelfAttention.o.weight"] = own[f"{here}.attention.out.weight"]
            weights[f"{there}.0.layer_norm.weight"] = own[f"{here}.attention_norm.weight"]
            weights[f"{there}.{last}.DenseReluDense.wi.weight"] = own[f"{here}.mlp.up.weight"]
            weights[f"{there}.{last}.DenseReluDense.wo.weight"] = own[f"{here}.mlp.down.weight"]
            weights[f"{there}.{last}.layer_norm.weight"] = own[f"{here}.mlp_norm.weight"]
            if side == "decoder":
                weights[f"{there}.1.EncDecAttention.q.weight"] = own[f"{here}.cross.query.weight"]
                pair = own[f"{here}.cross.key_value.weight"].chunk(2)
                for letter, rows in zip("kv", pair, strict=True):
                    weights[f"{there}.1.EncDecAttention.{letter}.weight"] = rows
                weights[f"{there}.1.EncDecAttention.o.weight"] = own[f"{here}.cross.out.weight"]
                weights[f"{there}.1.layer_norm.weight"] = own[f"{here}.cross_norm.weight"]
    found = other.load_state_dict(weights, strict=False)
    tied = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}
    assert set(found.missing_keys) <= tied
    assert found.unexpected_keys == []
    return other


def test_the_same_numbers_as_transformers() -> None:
    model = t5()
    # Weights of size one, so that distances and norms matter.
    for name, parameter in model.named_parameters():
        if "norm" in name or "distances" in name:
            torch.nn.init.normal_(parameter, 1.0, 0.3, generator=torch.Generator().manual_seed(len(name)))
    source, previous = ids(3, 37), ids(3, 20, seed=2)
    mask = torch.ones(3, 37, dtype=torch.bool)
    mask[1, 30:] = False
    with torch.no_grad():
        ours = model(source, previous, mask)
        theirs = as_transformers(model)(
            input_ids=source, attention_mask=mask.long(), decoder_input_ids=previous
        ).logits
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("both", [True, False])
def test_distances_fall_into_the_buckets_of_t5(both: bool) -> None:  # noqa: FBT001
    distance = torch.arange(-300, 301)
    wanted = T5Attention._relative_position_bucket(distance, bidirectional=both)
    assert torch.equal(bucket(distance, both=both), wanted)


def test_padding_changes_nothing_and_is_not_counted() -> None:
    model = t5()
    source, previous = ids(2, 10), ids(2, 8, seed=2)
    mask, target_mask = torch.ones(2, 10, dtype=torch.bool), torch.ones(2, 8, dtype=torch.bool)
    mask[:, 7:], target_mask[:, 6:] = False, False
    with ActivationCounter(model) as counter:
        padded = model(source, previous, mask, target_mask)
    counts = counter.take()
    with counter:
        cut = model(source[:, :7], previous[:, :6])
    torch.testing.assert_close(padded[:, :6], cut)
    for long, short in zip(counts.layers, counter.take().layers, strict=True):
        assert long.firing.tolist() == short.firing.tolist()
        assert long.tokens == short.tokens == (14 if long.name.startswith("encoder") else 12)


def test_later_tokens_have_no_influence() -> None:
    for model in (decoder(), decoder(activation=TopK(4))):
        seen = ids(2, 12)
        changed = seen.clone()
        changed[:, 7] = 5
        before, after = model(seen), model(changed)
        torch.testing.assert_close(before[:, :7], after[:, :7])
        assert not torch.allclose(before[:, 7:], after[:, 7:])


def test_all_parameters_learn() -> None:
    seen = ids(3, 9)
    causal, spans = decoder(), t5()
    for model, logits in ((causal, causal(seen)), (spans, spans(seen, shifted(seen)))):
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), seen.flatten()).backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def test_counts_of_the_decoder_leave_padding_out() -> None:
    model, seen = decoder(), ids(2, 9)
    mask = torch.arange(9) < torch.tensor([[9], [4]])
    with ActivationCounter(model) as counter:
        model(seen, mask)
    assert [layer.tokens for layer in counter.take().layers] == [13, 13]


def test_shifting() -> None:
    assert shifted(torch.tensor([[4, 5, 6]])).tolist() == [[0, 4, 5]]


def test_too_long_sequences_are_refused() -> None:
    with pytest.raises(ProblemError, match="41 tokens"):
        decoder()(ids(1, 41))
    with pytest.raises(ProblemError, match="41 tokens"):
        t5()(ids(1, 41), ids(1, 4))
    with pytest.raises(ProblemError, match="41 tokens"):
        t5()(ids(1, 4), ids(1, 41))


@pytest.mark.parametrize("scale", [None, 1.0])
def test_attention_with_a_learnt_bias_is_that_of_pytorch_with_its_gradients(scale: float | None) -> None:
    rng = torch.Generator().manual_seed(0)
    inputs = [torch.randn(2, 3, n, 4, generator=rng, dtype=torch.float64) for n in (5, 7, 7)]
    bias = torch.randn(1, 3, 5, 7, generator=rng, dtype=torch.float64)
    bias[..., 6] = -math.inf
    weights = torch.randn(2, 3, 5, 4, generator=rng, dtype=torch.float64)

    def answers(function: Any) -> list[Any]:
        leaves = [x.clone().requires_grad_() for x in (*inputs, bias)]
        out = function(*leaves)
        (out * weights).sum().backward()
        return [out, *(leaf.grad for leaf in leaves)]

    found = answers(lambda q, k, v, b: attend(q, k, v, b, scale=scale))
    expected = answers(lambda q, k, v, b: scaled_dot_product_attention(q, k, v, attn_mask=b, scale=scale))
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_a_model_that_was_read_in_inference_mode_first_can_be_trained() -> None:
    size = LmSize(d_model=8, d_ff=16, layers=1, heads=2, context=64)
    model = EncoderDecoder(size, generator=torch.Generator().manual_seed(0))
    # A length of its own, since the kinds of distance are kept by length.
    ids = torch.zeros(1, 61, dtype=torch.int64)
    with torch.inference_mode():
        before = model(ids, ids)
    after = model(ids, ids)
    after.logsumexp(-1).sum().backward()
    assert torch.allclose(before, after, atol=1e-5)
    assert model.encoder.distances.grad is not None
