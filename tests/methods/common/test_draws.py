"""Draws are those of the CPU's generators, on every device."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from methods.common import draws
from tests.pretended_gpu import pretended_gpu

Rng = torch.Generator

DRAWN: dict[str, Callable[[str], Tensor]] = {
    "uniform": lambda device: draws.uniform((3, 4), draws.generator(1), device=device),
    "normal": lambda device: draws.normal((3, 4), draws.generator(1), dtype=torch.float64, device=device),
    "integers": lambda device: draws.integers(9, (3, 4), draws.generator(1), low=2, device=device),
    "permutation": lambda device: draws.permutation(12, draws.generator(1), device=device),
    "fill_normal": lambda device: draws.fill_normal(
        torch.empty(3, 4, device=device), 1.0, 2.0, draws.generator(1)
    ),
    "fill_uniform": lambda device: draws.fill_uniform(
        torch.empty(3, 4, device=device), -1.0, 2.0, draws.generator(1)
    ),
}

PLAIN: dict[str, Callable[[Rng], Tensor]] = {
    "uniform": lambda rng: torch.rand(3, 4, generator=rng),
    "normal": lambda rng: torch.randn(3, 4, generator=rng, dtype=torch.float64),
    "integers": lambda rng: torch.randint(2, 9, (3, 4), generator=rng),
    "permutation": lambda rng: torch.randperm(12, generator=rng),
    "fill_normal": lambda rng: torch.empty(3, 4).normal_(1.0, 2.0, generator=rng),
    "fill_uniform": lambda rng: torch.empty(3, 4).uniform_(-1.0, 2.0, generator=rng),
}


@pytest.mark.parametrize("name", DRAWN)
def test_draws_are_those_of_pytorch_on_the_cpu(name: str) -> None:
    assert torch.equal(DRAWN[name]("cpu"), PLAIN[name](torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("name", DRAWN)
def test_every_device_sees_the_same_draws(name: str) -> None:
    here = DRAWN[name]("cpu")
    with pretended_gpu():
        there = DRAWN[name]("cuda")
        assert there.device == torch.device("cuda", 0)
        moved = there.cpu()
    assert torch.equal(here, moved)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_types_are_rounded_from_the_same_draws(dtype: torch.dtype) -> None:
    wide = draws.normal((40,), draws.generator(2))
    assert torch.equal(draws.normal((40,), draws.generator(2), dtype=dtype), wide.to(dtype))
    filled = draws.fill_normal(torch.empty(40, dtype=dtype), 0.0, 1.0, draws.generator(2))
    assert torch.equal(filled, wide.to(dtype))


def test_weights_are_filled_whatever_their_layout() -> None:
    turned = draws.fill_normal(torch.empty(5, 8).T, 0.0, 1.0, draws.generator(3))
    assert torch.equal(turned, draws.normal((8, 5), draws.generator(3)))


def test_parameters_are_filled_in_place() -> None:
    layer = torch.nn.Linear(3, 2)
    weight = layer.weight
    draws.fill_normal(layer.weight, 0.0, 1.0, draws.generator(3))
    assert layer.weight is weight
    assert weight.requires_grad


def test_seeded_uses_up_nothing() -> None:
    torch.manual_seed(5)
    want = torch.rand(2)
    torch.manual_seed(5)
    with draws.seeded(7):
        first = torch.nn.Linear(2, 2).weight
    assert torch.equal(torch.rand(2), want)
    with draws.seeded(7):
        assert torch.equal(torch.nn.Linear(2, 2).weight, first)


def sample(device: str) -> tuple[Tensor, Tensor, Tensor]:
    """As ``generate`` samples."""
    law = torch.tensor([[0.1, 0.2, 0.3, 0.4]], device=device).expand(5, -1)
    with draws.seeded(3), draws.LibraryDraws():
        drawn = torch.multinomial(law, num_samples=1)
        return drawn, torch.rand_like(law), torch.rand(4, device=device)


def test_what_libraries_sample_is_the_same_everywhere() -> None:
    with draws.seeded(3):
        law = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).expand(5, -1)
        plain = torch.multinomial(law, num_samples=1), torch.rand_like(law), torch.rand(4)
    assert all(torch.equal(a, b) for a, b in zip(sample("cpu"), plain, strict=True))
    with pretended_gpu():
        there = [tensor.cpu() for tensor in sample("cuda") if tensor.is_cuda]
    assert len(there) == len(plain)
    assert all(torch.equal(a, b) for a, b in zip(there, plain, strict=True))
