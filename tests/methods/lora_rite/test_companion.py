"""What an adapter trains besides LoRA pairs gets AdamW inside the same optimizer, and nothing is left out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.method import DivergedError, ProblemError
from methods.lora_rite import LoraRite
from methods.lora_rite.companion import role_of


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 6)
        self.first, self.second, self.head = nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.head(self.second(self.first(self.embed(tokens)).tanh()))
        return out


def adapted(**options: Any) -> Any:
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    config = peft.LoraConfig(r=2, target_modules=["first", "second"], **options)
    return peft.get_peft_model(Tiny(), config)


KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "plain": ({}, []),
    "DoRA": ({"use_dora": True}, ["magnitude"]),
    "saved modules": ({"modules_to_save": ["head"]}, ["saved module"]),
    "biases": ({"bias": "all"}, ["bias"]),
    "biases of B": ({"lora_bias": True}, ["bias"]),
    "tokens": ({"trainable_token_indices": {"embed": [1, 3]}}, ["tokens"]),
    "all": (
        {"use_dora": True, "modules_to_save": ["head"], "trainable_token_indices": {"embed": [1, 3]}},
        ["magnitude", "saved module", "tokens"],
    ),
}


def train(model: Any, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        rng = torch.Generator().manual_seed(step)
        tokens = torch.randint(7, (16,), generator=rng)
        optimizer.zero_grad()
        (model(tokens) - torch.randn(16, 3, generator=rng)).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(("options", "roles"), KINDS.values(), ids=KINDS)
def test_every_trainable_parameter_of_an_adapter_is_trained(
    options: dict[str, Any], roles: list[str]
) -> None:
    model = adapted(**options)
    optimizer = LoraRite(model.named_parameters(), lr=0.03, companion_lr=0.01)
    pairs, *companions = optimizer.param_groups
    found = [{role_of(name) for name in group["names"]} for group in companions]
    assert sorted(role for each in found for role in each if role) == sorted(roles)
    assert len(found) == len(roles)
    assert not pairs["companion"]
    assert all(group["companion"] and group["lr"] == 0.01 for group in companions)
    trainable = {id(p): name for name, p in model.named_parameters() if p.requires_grad}
    assert {id(p) for group in optimizer.param_groups for p in group["params"]} == set(trainable)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    train(model, optimizer, range(3))
    for name, parameter in model.named_parameters():
        assert torch.equal(before[name], parameter) != parameter.requires_grad, name


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_companions_take_adamws_steps(kind: torch.dtype) -> None:
    model = adapted(modules_to_save=["head"], bias="all").to(kind)
    optimizer = LoraRite(model, lr=0.03, companion_lr=0.02)
    others = [group["params"] for group in optimizer.param_groups if group["companion"]]
    mine = [p for params in others for p in params]
    twins = [nn.Parameter(p.detach().clone()) for p in mine]
    plain = torch.optim.AdamW(twins, lr=0.02, weight_decay=0.0)
    for step in range(10):
        train_gradients(model, step)
        for parameter, twin in zip(mine, twins, strict=True):
            twin.grad = None if parameter.grad is None else parameter.grad.clone()
        optimizer.step()
        plain.step()
    for parameter, twin in zip(mine, twins, strict=True):
        torch.testing.assert_close(parameter, twin, rtol=1e-6, atol=1e-7)


def train_gradients(model: Any, step: int) -> None:
    """Gradients without a step."""

    class Nothing(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            """Leave everything."""

    train(model, Nothing(model.parameters(), 1.0), range(step, step + 1))


def test_pairs_do_not_see_their_companions() -> None:
    model = adapted(modules_to_save=["head"])
    other = copy.deepcopy(model)
    optimizer = LoraRite(model, lr=0.03)
    names = [name for name, p in other.named_parameters() if p.requires_grad and "lora" in name]
    single = LoraRite([(n, p) for n, p in other.named_parameters() if n in names], lr=0.03)
    train_gradients(model, 0)
    train_gradients(other, 0)
    optimizer.step()
    single.step()
    found = dict(model.named_parameters())
    for name, parameter in other.named_parameters():
        if name in names:
            assert torch.equal(found[name], parameter)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_companions_are_in_the_state(kind: torch.dtype) -> None:
    model = adapted(use_dora=True, modules_to_save=["head"]).to(kind)
    halved = copy.deepcopy(model)
    whole = LoraRite(model, lr=0.03)
    first = LoraRite(halved, lr=0.03)

    def steps(net: Any, optimizer: LoraRite, span: range) -> None:
        for step in span:
            rng = torch.Generator().manual_seed(step)
            for parameter in net.parameters():
                if parameter.requires_grad:
                    parameter.grad = (0.1 * torch.randn(parameter.shape, generator=rng)).to(kind)
            optimizer.step()

    steps(model, whole, range(6))
    steps(halved, first, range(3))
    saved = copy.deepcopy(first.state_dict())
    second = LoraRite(halved, lr=0.5, companion_lr=0.5)
    second.load_state_dict(saved)
    assert [group["lr"] for group in second.param_groups] == [0.03, 1e-4, 1e-4]
    steps(halved, second, range(3, 6))
    found = dict(halved.named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, found[name]), name
    if kind == torch.bfloat16:
        head = next(p for n, p in model.named_parameters() if "modules_to_save" in n)
        assert whole.state[head]["master"].dtype == torch.float32


def test_parameters_of_no_known_kind_are_refused_or_given() -> None:
    model = adapted()
    model.register_parameter("temperature", nn.Parameter(torch.ones(())))
    with pytest.raises(ProblemError, match="no LoRA factor") as caught:
        LoraRite(model)
    assert caught.value.where == "temperature"
    lora: Any = [(n, p) for n, p in model.named_parameters() if "lora" in n]
    others: dict[str, Any] = {"params": [("temperature", model.temperature)], "companion": True, "lr": 0.5}
    optimizer = LoraRite([{"params": lora, "lr": 0.1}, others])
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    model.temperature.grad = torch.tensor(2.0)
    optimizer.step()
    assert float(model.temperature.detach()) == pytest.approx(0.5)
    with pytest.raises(ProblemError, match="nothing to train"):
        LoraRite([{"params": lora}, {**others, "params": [torch.ones(3)]}])


def test_a_companion_that_is_not_finite_is_named() -> None:
    model = adapted(modules_to_save=["head"])
    optimizer = LoraRite(model)
    train_gradients(model, 0)
    name, head = next(
        (n, p) for n, p in model.named_parameters() if n.endswith("default.weight") and "modules_to_save" in n
    )
    head.grad.fill_(float("nan"))
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    with pytest.raises(DivergedError, match="not finite") as caught:
        optimizer.step()
    assert caught.value.where == name
    assert all(torch.equal(before[n], p) for n, p in model.named_parameters())
