"""Low-rank adapters beside ``peft``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from harness.method import ProblemError
from methods.common import lora
from methods.common.examples import collate
from methods.common.training import Recipe, fit
from tests.methods.common import models

TARGETS = ("q_proj", "v_proj", "mlp.up_proj")


def adapted(rank: int = 3, alpha: float = 6.0) -> Any:
    model = models.llama()
    lora.add_lora(model, TARGETS, rank, alpha, torch.Generator().manual_seed(1))
    return model


def moved(model: Any) -> Any:
    """The model with factors that differ from their start, so that both matter."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for pair in lora.lora_pairs(model).values():
            pair.b.normal_(0.0, 0.3, generator=generator)
    return model


def in_peft(model: Any) -> Any:
    """The same base model in ``peft``, with the same factors."""
    config = LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "up_proj"], lora_dropout=0.0)
    other: Any = get_peft_model(models.llama(), config)
    with torch.no_grad():
        for name, pair in lora.lora_pairs(model).items():
            layer = other.base_model.model.get_submodule(name)
            layer.lora_A["default"].weight.copy_(pair.a)
            layer.lora_B["default"].weight.copy_(pair.b)
    return other


BATCH = collate(models.examples(6), 0)


def loss(model: Any) -> Any:
    return model(input_ids=BATCH.ids, attention_mask=BATCH.mask, labels=BATCH.labels).loss


def test_it_agrees_with_peft_forward_backward_and_merged() -> None:
    ours = moved(adapted())
    theirs = in_peft(ours)
    first, second = loss(ours), loss(theirs)
    assert first.item() == pytest.approx(second.item(), rel=1e-6)
    first.backward()
    second.backward()
    for name, pair in lora.lora_pairs(ours).items():
        layer = theirs.base_model.model.get_submodule(name)
        torch.testing.assert_close(pair.a.grad, layer.lora_A["default"].weight.grad, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(pair.b.grad, layer.lora_B["default"].weight.grad, rtol=1e-4, atol=1e-6)
    lora.merge(ours)
    merged = theirs.merge_and_unload()
    wanted = dict(merged.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter, wanted[name], rtol=1e-6, atol=1e-7)


def test_training_agrees_with_peft() -> None:
    ours = moved(adapted())
    theirs = in_peft(ours)
    data = models.examples(12)
    histories = []
    for model, parameters in (
        (ours, lora.lora_parameters(ours)),
        (theirs, [p for p in theirs.parameters() if p.requires_grad]),
    ):
        sgd = torch.optim.SGD(parameters, lr=0.1)
        histories.append(fit(model, sgd, data, Recipe(8, 4), rng=np.random.default_rng(0), pad=0).losses)
    assert histories[0] == pytest.approx(histories[1], rel=1e-4)
    assert histories[0][-1] != histories[0][0]


def test_it_starts_like_the_model_and_draws_like_peft() -> None:
    model = adapted()
    assert loss(model).item() == loss(models.llama()).item()
    for pair in lora.lora_pairs(model).values():
        bound = pair.a.shape[1] ** -0.5
        assert 0.8 * bound < pair.a.abs().max() <= bound
        assert not pair.b.any()
    again = lora.lora_pairs(adapted())
    assert all(torch.equal(pair.a, again[name].a) for name, pair in lora.lora_pairs(model).items())


def test_only_the_factors_train() -> None:
    model = adapted()
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    factors = {f"{name}.{factor}" for name in lora.lora_pairs(model) for factor in "ab"}
    assert trainable == factors
    assert len(factors) == 2 * 3 * 2
    assert {id(p) for p in lora.lora_parameters(model)} == {
        id(p) for p in model.parameters() if p.requires_grad
    }


def test_it_can_be_switched_off_and_removed() -> None:
    model, plain = moved(adapted()), loss(models.llama()).item()
    with_adapters = loss(model).item()
    assert with_adapters != pytest.approx(plain, rel=1e-3)
    with lora.disabled(model):
        assert loss(model).item() == plain
    assert loss(model).item() == with_adapters
    names = [name for name, _ in models.llama().named_parameters()]
    lora.remove(model)
    assert loss(model).item() == plain
    assert [name for name, _ in model.named_parameters()] == names


def test_a_merged_model_computes_the_same() -> None:
    model = moved(adapted())
    wanted = loss(model).item()
    lora.merge(model)
    assert not lora.lora_layers(model)
    assert loss(model).item() == pytest.approx(wanted, rel=1e-5)


def test_factors_stay_float32_under_a_bfloat16_model() -> None:
    model = models.llama().bfloat16()
    pairs = lora.add_lora(model, ["q_proj"], 2, 4.0, torch.Generator().manual_seed(0))
    found = loss(moved(model))
    assert {pair.a.dtype for pair in pairs.values()} == {torch.float32}
    found.backward()
    assert all(pair.a.grad is not None and pair.a.grad.any() for pair in pairs.values())


@pytest.mark.parametrize("rank", [0, -1, 33])
def test_a_rank_that_does_not_fit_is_refused(rank: int) -> None:
    model = models.llama()
    with pytest.raises(ProblemError, match=f"Rank {rank} is outside 1 … 32"):
        lora.add_lora(model, ["q_proj"], rank, 1.0, torch.Generator())
    assert not lora.lora_layers(model)


def test_targets_must_name_plain_linear_layers() -> None:
    model = models.llama()
    with pytest.raises(ProblemError, match="'query'") as caught:
        lora.add_lora(model, ["q_proj", "query"], 2, 1.0, torch.Generator())
    assert "up_proj" in caught.value.fix
    with pytest.raises(ProblemError, match="not a linear layer"):
        lora.add_lora(model, ["mlp"], 2, 1.0, torch.Generator())
    lora.add_lora(model, ["q_proj"], 2, 1.0, torch.Generator().manual_seed(0))
    with pytest.raises(ProblemError, match="already adapted"):
        lora.add_lora(model, ["q_proj"], 2, 1.0, torch.Generator())


def test_plain_modules_can_be_adapted() -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    pairs = lora.add_lora(model, ["0", "2"], 3, 3.0, torch.Generator().manual_seed(0))
    assert [(pair.a.shape, pair.b.shape) for pair in pairs.values()] == [((3, 5), (4, 3)), ((3, 4), (3, 3))]
    x = torch.randn(2, 5, generator=torch.Generator().manual_seed(1))
    moved(model)
    layer = model[0]
    assert isinstance(layer, lora.LoraLinear)
    torch.testing.assert_close(layer(x), x @ (layer.base.weight + layer.delta()).T + layer.base.bias)


DECODER = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
BY_MODEL = {
    "llama": DECODER,
    "gemma2": DECODER,
    "gemma3": DECODER,
    "opt": {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"},
    "t5": {"q", "k", "v", "o", "wi"},
    "mt5": {"q", "k", "v", "o", "wi_0", "wi_1"},
}


@pytest.mark.parametrize("name", BY_MODEL)
def test_every_architecture_has_its_layers(name: str) -> None:
    model = getattr(models, name)()
    assert set(lora.layers_of(model)) == BY_MODEL[name]
    query, value = lora.layers_of(model, lora.QUERY_VALUE)
    assert (query[0], value[0]) == ("q", "v")
    plain = sum(isinstance(module, torch.nn.Linear) for module in model.modules())
    pairs = lora.add_lora(model, lora.layers_of(model), 2, 4.0, torch.Generator().manual_seed(0))
    # All linear layers of the blocks: neither the output layer, nor T5's ``wo``.
    blocks = sum(getattr(model.config, key, 0) for key in ("num_hidden_layers", "num_decoder_layers"))
    others = {"t5": 1 + blocks, "mt5": 1 + blocks}.get(name, 1)
    assert len(pairs) == plain - others


def test_adapters_of_an_encoder_decoder_train() -> None:
    model = models.mt5()
    pairs = lora.add_lora(model, lora.layers_of(model), 2, 4.0, torch.Generator().manual_seed(0))
    ids = torch.tensor([[3, 4, 5]])
    model(input_ids=ids, labels=ids).loss.backward()
    assert all(pair.b.grad is not None and pair.b.grad.abs().sum() > 0 for pair in pairs.values())


def test_a_fused_layer_is_refused_by_name() -> None:
    with pytest.raises(ProblemError, match="query of attention") as caught:
        lora.layers_of(models.gpt2())
    assert "fused" in str(caught.value)
    with pytest.raises(ProblemError, match="'q_proj'"):
        lora.layers_of(models.llama(), ["q_proj"])
