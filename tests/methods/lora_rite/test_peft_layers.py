"""Factors of ``peft`` by module: any names of adapters, wrappers, and what only looks like a factor."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
import transformers as hf
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import nn

from harness.method import ProblemError
from methods.lora_rite import LoraRite, find_pairs
from methods.lora_rite.peft_layers import factors_of, unwrapped
from tests.methods.lora_rite.test_ecosystem import WIDE, adapted, inputs, llama


class Wrapped(nn.Module):
    """As data parallelism puts a model into another."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, **given: Any) -> Any:
        return self.module(**given)


@pytest.mark.parametrize("name", ["lora_A", "my_lora_B", "modules_to_save", "bias", "a", "b"])
@pytest.mark.filterwarnings("ignore:Adapter name")
def test_an_adapter_may_have_any_name(name: str) -> None:
    config = LoraConfig(r=2, target_modules=["q_proj", "embed_tokens"], use_dora=False)
    model = get_peft_model(llama(), config, adapter_name=name)
    pairs = find_pairs(model)
    layers = [layer for layer in model.modules() if isinstance(layer, LoraLayer)]
    expected = [
        (layer.lora_embedding_A[name], layer.lora_embedding_B[name])
        if layer.lora_embedding_A
        else (layer.lora_A[name].weight, layer.lora_B[name].weight)
        for layer in layers
    ]
    assert len(pairs) == 3
    assert all(pair.a is a and pair.b is b for pair, (a, b) in zip(pairs, expected, strict=True))


def test_several_adapters_have_pairs_of_their_own() -> None:
    model = adapted("llama")
    model.add_adapter("second", LoraConfig(r=2, target_modules=["q_proj"]))
    model.base_model.set_adapter(["default", "second"])
    ranks = sorted((pair.rank, "second" in pair.name) for pair in find_pairs(model))
    assert ranks == [(2, True)] * 2 + [(4, False)] * 6


def test_parameters_called_a_and_b_are_no_pair_beside_layers_of_peft() -> None:
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.ones(3, 3)) for _ in range(2))

    model = adapted("llama")
    model.base_model.model.gate = Gate()
    with pytest.raises(ProblemError, match=r"no LoRA factor \(base_model\.model\.gate\.a\)"):
        LoraRite(model)


def test_factors_of_experts_in_one_matrix_are_refused() -> None:
    more: dict[str, Any] = {"num_local_experts": 3, "num_key_value_heads": 1}
    model = hf.MixtralForCausalLM(hf.MixtralConfig(**WIDE, **more))
    config = LoraConfig(r=2, target_modules=["q_proj"], target_parameters=["mlp.experts.down_proj"])
    with pytest.raises(ProblemError, match=r"3 experts in one matrix.*experts: down_proj"):
        LoraRite(get_peft_model(model, config))


def test_pairs_keep_the_names_that_states_on_disk_have() -> None:
    """As they were found by the names of parameters alone."""
    model = adapted("llama", target_modules=["q_proj", "embed_tokens"])
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    assert [pair.name for pair in find_pairs(model)] == [pair.name for pair in find_pairs(named)]
    assert set(factors_of(model)) == {name for name, _ in named}


@pytest.mark.parametrize("wrap", ["compiled", "layers compiled", "parallel", "both"])
def test_training_goes_on_under_another_wrapper(wrap: str) -> None:
    plain = adapted("llama")
    optimizer = LoraRite(plain, lr=0.02)
    _steps(plain, optimizer)
    wrapped = deepcopy(plain)
    model: nn.Module = wrapped
    if wrap in {"compiled", "both"}:
        model = torch.compile(model, backend="eager")  # type: ignore[assignment]
    if wrap == "layers compiled":
        layers = wrapped.base_model.model.model.layers
        layers[0] = torch.compile(layers[0], backend="eager")
    if wrap in {"parallel", "both"}:
        model = Wrapped(model)
    resumed = LoraRite(model, lr=0.02)
    assert resumed.param_groups[0]["names"] != optimizer.param_groups[0]["names"]
    own = resumed.param_groups[0]["names"]
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.param_groups[0]["names"] == own
    _steps(plain, optimizer)
    _steps(model, resumed)
    theirs, ours = ([p for p in one.parameters() if p.requires_grad] for one in (plain, wrapped))
    assert all(a.equal(b) for a, b in zip(theirs, ours, strict=True))


def _steps(model: nn.Module, optimizer: LoraRite) -> None:
    for _ in range(2):
        optimizer.zero_grad()
        model(**inputs()).loss.backward()
        optimizer.step()


def test_a_state_of_other_pairs_says_where_it_differs() -> None:
    state = LoraRite(adapted("llama")).state_dict()
    with pytest.raises(ProblemError, match=r"other pairs: group 0 has 6 of them, the optimizer's 4"):
        LoraRite(adapted("llama", target_modules=["q_proj", "v_proj"])).load_state_dict(state)
    with pytest.raises(ProblemError, match=r"'\S+v_proj\S+' stands where '\S+k_proj\S+' is here"):
        LoraRite(adapted("llama", target_modules=["q_proj", "k_proj", "down_proj"])).load_state_dict(state)


def test_names_without_wrappers() -> None:
    assert unwrapped("module._orig_mod.base_model.layers.0._orig_mod.q.lora_A.default.weight") == (
        "base_model.layers.0.q.lora_A.default.weight"
    )
    assert unwrapped("encoder.module.lora_A") == "encoder.module.lora_A"
    assert unwrapped("module") == "module"


def test_adapters_that_peft_has_tied_are_two_pairs_over_one_memory_and_refused() -> None:
    torch.manual_seed(0)
    tied = hf.LlamaForCausalLM(hf.LlamaConfig(**WIDE, num_key_value_heads=1, tie_word_embeddings=True))
    config = LoraConfig(r=2, target_modules=["embed_tokens", "q_proj"], ensure_weight_tying=True)
    with pytest.raises(ProblemError, match=r"two pairs: '\S+lm_head\S+' and '\S+embed_tokens\S+'") as error:
        LoraRite(get_peft_model(tied, config))
    assert "ensure_weight_tying" in str(error.value.fix)
