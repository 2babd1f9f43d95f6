"""The image models and the network of two layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from harness.method import ProblemError
from methods.sparsity import (
    ActivationCounter,
    Mixer,
    MixerSize,
    MlpSize,
    TopK,
    TwoLayer,
    VisionTransformer,
    VitSize,
)
from methods.sparsity.activation import Activation
from methods.sparsity.layers import SelfAttention, patches_of

Make = Callable[[Activation | None, int], nn.Module]


def vit(activation: Activation | None = None, seed: int = 0) -> VisionTransformer:
    size = VitSize(d_model=8, d_ff=12, layers=2, pooling="mean")
    return VisionTransformer(size, generator=torch.Generator().manual_seed(seed), activation=activation)


def class_vit(activation: Activation | None = None, seed: int = 0) -> VisionTransformer:
    size = VitSize(d_model=8, d_ff=12, layers=2, pooling="class")
    return VisionTransformer(size, generator=torch.Generator().manual_seed(seed), activation=activation)


def mixer(activation: Activation | None = None, seed: int = 0) -> Mixer:
    size = MixerSize(d_model=8, d_tokens=12, d_ff=12, layers=2)
    return Mixer(size, generator=torch.Generator().manual_seed(seed), activation=activation)


def two_layer(activation: Activation | None = None, seed: int = 0) -> TwoLayer:
    generator = torch.Generator().manual_seed(seed)
    return TwoLayer(MlpSize(d_ff=12), generator=generator, activation=activation)


MODELS = (vit, class_vit, mixer, two_layer)


def images(count: int = 5) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def wake(model: nn.Module) -> nn.Module:
    """Give a zero head weights, so that outputs depend on the blocks."""
    head = getattr(model, "head", None)
    if head is not None:
        nn.init.normal_(head.weight, generator=torch.Generator().manual_seed(2))
    return model


@pytest.mark.parametrize("make", MODELS)
def test_a_seed_gives_a_model(make: Make) -> None:
    first, again, other = wake(make(None, 0)), wake(make(None, 0)), wake(make(None, 1))
    assert torch.equal(first(images()), again(images()))
    assert not torch.allclose(first(images()), other(images()))
    assert first(images()).shape == (5, 10)


@pytest.mark.parametrize("make", MODELS)
def test_images_do_not_influence_each_other(make: Make) -> None:
    model = wake(make(None, 0))
    torch.testing.assert_close(model(images())[1:3], model(images()[1:3]))


@pytest.mark.parametrize("make", MODELS)
def test_all_parameters_learn(make: Make) -> None:
    model = wake(make(None, 0))
    nn.functional.cross_entropy(model(images()), torch.arange(5)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("make", MODELS)
def test_top_k_with_all_neurons_is_the_dense_model(make: Make) -> None:
    dense = wake(make(None, 0))(images())
    assert torch.equal(wake(make(TopK(12), 0))(images()), dense)
    assert not torch.equal(wake(make(TopK(2), 0))(images()), dense)


@pytest.mark.parametrize("make", [vit, class_vit, mixer])
def test_at_first_all_classes_are_equally_likely(make: Make) -> None:
    assert torch.equal(make(None, 0)(images()), torch.zeros(5, 10))


def test_what_is_counted() -> None:
    tokens = {}
    for make in MODELS:
        model = make()
        with ActivationCounter(model) as counter:
            model(images())
        tokens[make.__name__] = [layer.tokens for layer in counter.take().layers]
    # The class token counts; in a mixer's first MLP the "tokens" are channels.
    assert tokens == {"vit": [80] * 2, "class_vit": [85] * 2, "mixer": [40, 80] * 2, "two_layer": [5]}


def test_attention_equals_a_plain_one() -> None:
    attention = SelfAttention(8, 2, bias=True, generator=torch.Generator().manual_seed(0))
    x = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))
    query, key, value = attention.qkv(x).split(8, -1)
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        logits = query[..., head] @ key[..., head].mT / 4**0.5
        heads.append(logits.softmax(-1) @ value[..., head])
    torch.testing.assert_close(attention(x), attention.out(torch.cat(heads, -1)))


def test_the_transformer_equals_its_formula() -> None:
    model = wake(vit())
    assert isinstance(model, VisionTransformer)
    x = model.embed(patches_of(images(), 2, 8, 1)) + model.positions
    for block in model.blocks:
        x = x + block.attention(layer_norm(x, (8,)))  # type: ignore[operator]
        up, down = block.mlp.up, block.mlp.down  # type: ignore[union-attr]
        x = x + down(up(layer_norm(x, (8,))).relu())  # type: ignore[operator]
    torch.testing.assert_close(model(images()), model.head(layer_norm(x, (8,)).mean(1)))


def test_patches_are_cut_row_by_row() -> None:
    seen = torch.arange(2 * 4 * 4).reshape(1, 2, 4, 4)
    cut = patches_of(seen, 2, 4, 2)
    assert cut.shape == (1, 4, 8)
    assert cut[0, 1].tolist() == [2, 3, 6, 7, 18, 19, 22, 23]
    assert cut[0, 2].tolist() == [8, 9, 12, 13, 24, 25, 28, 29]


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 3, 8, 8), (5, 1, 8, 6)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    for make in (vit, mixer):
        with pytest.raises(ProblemError, match="do not fit"):
            make()(torch.zeros(shape))


@pytest.mark.parametrize(
    "change",
    [{"layers": 0}, {"d_ff": -1}, {"heads": 3}, {"patch": 3}],
    ids=lambda change: next(iter(change)),
)
def test_impossible_sizes_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ProblemError, match=next(iter(change))):
        VitSize(**change)  # type: ignore[arg-type]
