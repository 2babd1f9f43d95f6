"""bfloat16 training through float32 copies, beside float32 training and beside none."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common import master_weights, placing
from methods.common.master_weights import MasterWeights, clip, in_float32
from methods.common.training import Recipe, fit
from tests.methods.common import models

METHODS = Path(master_weights.__file__).parents[1]


def drawn(dtype: torch.dtype = torch.bfloat16, size: int = 40_000, spread: float = 0.03) -> nn.Parameter:
    """Weights of the scale of a large language model's."""
    generator = torch.Generator().manual_seed(0)
    return nn.Parameter((spread * torch.randn(size, generator=generator)).to(dtype))


def slope(size: int, step: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(1 + step))


@pytest.mark.parametrize(("rate", "lost"), [(1e-5, 0.90), (2e-5, 0.79), (5e-5, 0.61), (1e-4, 0.34)])
def test_an_adam_step_on_bfloat16_weights_is_mostly_lost(rate: float, lost: float) -> None:
    """The shares that were seen on Gemma; with copies, no update of many is lost."""
    shares: list[float] = []
    for wrap in (False, True):
        parameter = drawn()
        before = parameter.detach().clone()
        plain = torch.optim.Adam([parameter], lr=rate)
        optimizer = in_float32(plain) if wrap else plain
        for _ in range(40):
            parameter.grad = slope(len(parameter)).to(parameter.dtype)
            optimizer.step()
            if len(shares) == 0:
                shares.append(float((parameter == before).float().mean()))
    assert shares[0] == pytest.approx(lost, abs=0.06)
    # Forty equal steps of Adam move each weight by forty times the rate.
    moved = (before.float() - parameter.detach().float()) * slope(len(parameter)).sign()
    assert float(moved.mean()) == pytest.approx(40 * rate, rel=0.1)


def test_with_copies_training_follows_float32() -> None:
    """To the rounding of the last weights, whatever happened in between."""
    low, full = drawn(), drawn(torch.float32)
    full.data = low.detach().float()
    optimizers: list[Any] = [in_float32(torch.optim.AdamW([p], lr=1e-5)) for p in (low, full)]
    for step in range(30):
        for parameter, optimizer in zip((low, full), optimizers, strict=True):
            parameter.grad = slope(len(parameter), step).bfloat16().to(parameter.dtype)
            optimizer.step()
    assert torch.equal(low.detach(), full.detach().bfloat16())


def test_sums_and_norms_of_gradients_are_float32() -> None:
    size = 4096
    low, full = drawn(size=size), drawn(torch.float32, size=size)
    full.data = low.detach().float()
    ours = in_float32(torch.optim.SGD([low], lr=1.0))
    theirs = torch.optim.SGD([full], lr=1.0)
    full.grad = torch.zeros(size)
    for step in range(64):
        low.grad = slope(size, step).bfloat16()
        full.grad += low.grad.float()
        ours.collect()
    clip(ours, [low], 0.5)
    clip(theirs, [full], 0.5)
    ours.step()
    theirs.step()
    assert torch.equal(low.detach(), full.detach().bfloat16())


def test_updates_in_parts_are_the_same_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for most in (2**28, 5000):
        monkeypatch.setattr(master_weights, "_AT_ONCE", most)
        model = models.llama().bfloat16()
        trained(model, Recipe(5, 4, clip=0.5))
        results.append(nn.utils.parameters_to_vector(model.parameters()))
    assert torch.equal(*results)


def test_float32_weights_are_their_own_copies() -> None:
    optimizer = torch.optim.AdamW(models.llama().parameters())
    assert in_float32(optimizer) is optimizer
    mixed = MasterWeights(torch.optim.SGD([drawn(), drawn(torch.float32)], lr=0.1))
    full = mixed.param_groups[0]["params"][1]
    assert mixed.inner.param_groups[0]["params"][1] is full


def test_what_copies_cannot_serve_is_refused() -> None:
    with pytest.raises(ProblemError, match="underflow"):
        in_float32(torch.optim.SGD([drawn(torch.float16)], lr=0.1))

    class Own:
        param_groups = [{"params": [drawn()], "lr": 0.1}]  # noqa: RUF012

    with pytest.raises(ProblemError, match="lose small updates"):
        in_float32(Own())


def test_an_optimizer_is_wrapped_once() -> None:
    """A second time it would train the copies of the first, and the model not at all."""
    plain = torch.optim.SGD([drawn(), drawn(torch.float32)], lr=0.1)
    wrapped = in_float32(plain)
    assert in_float32(wrapped) is wrapped
    with pytest.raises(ProblemError, match="copies of weights"):
        in_float32(plain)


def trained(model: Any, recipe: Recipe) -> list[float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    data = models.examples(24, seed=5)
    return fit(model, optimizer, data, recipe, rng=np.random.default_rng(7), pad=0).losses


@pytest.mark.parametrize("name", ["llama", "t5"])
def test_a_bfloat16_model_follows_its_float32_training(name: str) -> None:
    low, full = models.MODELS[name]().bfloat16(), models.MODELS[name]()
    full.load_state_dict({key: value.float() for key, value in low.state_dict().items()})
    recipe = Recipe(30, 4, accumulate=2, clip=1.0)
    assert trained(low, recipe) == pytest.approx(trained(full, recipe), rel=0.03)


@pytest.mark.parametrize("name", ["llama", "t5"])
def test_recomputed_activations_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for least in (placing.LARGE, 1):
        monkeypatch.setattr(placing, "LARGE", least)
        monkeypatch.setattr(placing, "FEW", 99)
        monkeypatch.setattr("methods.common.training.FEW", 99)
        model = models.MODELS[name]()
        for layer in model.modules():
            if hasattr(layer, "attention_dropout"):
                layer.attention_dropout = 0.2
        seen: list[bool] = []
        model.register_forward_hook(lambda m, *_, seen=seen: seen.append(m.is_gradient_checkpointing))
        torch.manual_seed(1)
        losses = trained(model, Recipe(4, 6))
        results.append((losses, nn.utils.parameters_to_vector(model.parameters())))
        assert set(seen) == {least == 1}
        assert not model.is_gradient_checkpointing
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_smaller_passes_are_the_same_update() -> None:
    whole, parts = models.llama(), models.llama()
    a, b = trained(whole, Recipe(5, 8)), trained(parts, Recipe(5, 8, at_once=3))
    assert a == pytest.approx(b, rel=1e-5)


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _is_optimizer(call: ast.Call) -> bool:
    text = ast.unparse(call.func)
    return text.startswith("torch.optim.") and not text.startswith("torch.optim.lr_scheduler")


def test_every_trainer_is_safe_with_bfloat16() -> None:
    """Optimizers are stepped through ``fit``, or wrapped where they are made."""
    bare = []
    for path in sorted(METHODS.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        wrapped = [call for call in _calls(tree) if ast.unparse(call.func) == "in_float32"]
        inside = {id(inner) for call in wrapped for inner in _calls(call)}
        stepped = any(ast.unparse(call.func).endswith("optimizer.step") for call in _calls(tree))
        made = [call for call in _calls(tree) if _is_optimizer(call) and id(call) not in inside]
        if made and stepped:
            bare.append(path.name)
    assert bare == []
