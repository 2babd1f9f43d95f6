"""LoRA-RITE beside a plain loop over thirty steps, for every option; stopped, copied and resumed."""

from __future__ import annotations

import copy
import gc
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from methods.lora_rite import LoraRite, Pair, stacks
from tests.methods.lora_rite.loop import DEFAULTS, Loop

STEPS = 30
SPIKES = (6, 19)
"""Steps whose gradients are so large that skipping, clipping and capping all have work."""
SHAPES = [(6, 5), (9, 4), (6, 5), (4, 9), (6, 5)]
"""Inputs and outputs of each layer: some are equal, and so are some sides of different layers."""


def made(kind: torch.dtype = torch.float64, rank: int = 3, scale: int = 1) -> list[Pair]:
    """Pairs in the layout of libraries, and one that is tall on both sides."""
    rng = torch.Generator().manual_seed(1)
    pairs = []
    for number, (m, n) in enumerate(SHAPES):
        a = torch.randn(m * scale, rank, generator=rng, dtype=torch.float64).to(kind)
        b = torch.randn(n * scale, rank, generator=rng, dtype=torch.float64).to(kind)
        tall = number == 1
        first = a if tall else a.mT.contiguous()
        axes = (1, 1) if tall else (0, 1)
        pairs.append(Pair(nn.Parameter(first), nn.Parameter(b), f"layer {number}", axes))
    return pairs


def slopes(step: int, pairs: list[Pair]) -> list[tuple[Tensor, Tensor]]:
    """∇A (m×r) and ∇B (n×r) of each pair, from a drawn ∇Z and the factors of that moment."""
    rng = torch.Generator().manual_seed(100 + step)
    size = 40.0 if step in SPIKES else 0.3
    found = []
    for pair in pairs:
        a, b = tall(pair)
        slope = size * torch.randn(len(a), len(b), generator=rng, dtype=torch.float64).to(a.dtype)
        found.append((slope @ b, slope.mT @ a))
    return found


def tall(pair: Pair) -> tuple[Tensor, Tensor]:
    """The factors with the rank last."""
    a, b = pair.a.detach(), pair.b.detach()
    return (a.mT if pair.axes[0] == 0 else a), b


def take(optimizer: LoraRite, pairs: list[Pair], steps: range) -> None:
    """Steps along :func:`slopes`."""
    for step in steps:
        give(pairs, slopes(step, pairs))
        optimizer.step()


def give(pairs: list[Pair], gradients: list[tuple[Tensor, Tensor]]) -> None:
    for pair, (a, b) in zip(pairs, gradients, strict=True):
        pair.a.grad = (a.mT if pair.axes[0] == 0 else a).contiguous().to(pair.a.dtype)
        pair.b.grad = b.to(pair.b.dtype)


def factors(pairs: list[Pair]) -> list[Tensor]:
    return [x.detach().clone() for pair in pairs for x in (pair.a, pair.b)]


OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "no mass": {"mass": False},
    "sums": {"second": "sum", "betas": (0.0, 0.0), "rows": False},
    "sums with mass and momentum": {"second": "sum"},
    "not by rows": {"rows": False},
    "other betas": {"betas": (0.5, 0.9)},
    "large eps": {"eps": 0.1},
    "decay": {"weight_decay": 0.2},
    "no clipping": {"clip": 0.0, "skip": 0.0},
    "tight clipping": {"clip": 0.05, "skip": 0.0},
    "skipping only": {"clip": 0.0, "skip": 0.5},
    "cap": {"cap": 0.3},
    "cap without clipping": {"cap": 0.3, "clip": 0.0, "skip": 0.0},
    "balance": {"balance": True},
    "all": {"weight_decay": 0.1, "cap": 0.4, "balance": True, "clip": 0.7, "skip": 2.0, "betas": (0.8, 0.99)},
}


def test_every_option_has_a_trajectory() -> None:
    assert {name for options in OPTIONS.values() for name in options} == set(DEFAULTS)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_thirty_steps_are_those_of_the_plain_loop(options: dict[str, Any]) -> None:
    pairs = made()
    loop = Loop([(a.numpy(), b.numpy()) for a, b in map(tall, pairs)], 0.03, **options)
    optimizer = LoraRite(pairs, 0.03, **options)
    for step in range(STEPS):
        gradients = slopes(step, pairs)
        give(pairs, gradients)
        optimizer.step()
        loop.step([(a.numpy(), b.numpy()) for a, b in gradients])
        for pair, slow in zip(pairs, loop.pairs, strict=True):
            for mine, other in zip(tall(pair), slow.factors, strict=True):
                gap = np.linalg.norm(mine.numpy() - other) / np.linalg.norm(other)
                assert gap < 1e-10, (step, pair.name)
    # Where an option is to act, it did.
    assert optimizer.skips.updates == loop.skipped
    assert (loop.skipped > 0) == (loop.options["skip"] > 0)
    assert (loop.capped > 0) == (loop.options["cap"] > 0)


@pytest.mark.parametrize("rank", [3, 16])
def test_float32_equals_the_plain_loop_to_rounding(rank: int) -> None:
    """Both layouts of stacks: turned below rank 16, as they are from it on."""
    pairs = made(torch.float32, rank, scale=12)
    loop = Loop([(a.numpy(), b.numpy()) for a, b in map(tall, pairs)], 1e-3)
    optimizer = LoraRite(pairs, 1e-3)
    for step in range(10):
        gradients = [(0.01 * a, 0.01 * b) for a, b in slopes(step, pairs)]
        give(pairs, gradients)
        optimizer.step()
        loop.step([(a.numpy(), b.numpy()) for a, b in gradients])
    for pair, slow in zip(pairs, loop.pairs, strict=True):
        for mine, other in zip(tall(pair), slow.factors, strict=True):
            assert np.linalg.norm(mine.numpy() - other) < 2e-7 * np.linalg.norm(other)


def test_capping_leaves_the_moment_as_it_is() -> None:
    capped, free = made(), made()
    first, second = (LoraRite(p, 0.03, cap=cap, skip=0.0) for p, cap in ((capped, 0.1), (free, 0.0)))
    gradients = slopes(0, capped)
    for optimizer, pairs in ((first, capped), (second, free)):
        give(pairs, gradients)
        optimizer.step()
    for mine, other in zip(capped, free, strict=True):
        assert torch.equal(first.state[mine.a]["moment"], second.state[other.a]["moment"])
        assert not torch.equal(mine.a, other.a)


OPEN: dict[str, Any] = {
    "clip": 0.4,
    "skip": 2.0,
    "cap": 0.5,
    "weight_decay": 0.1,
    "balance": True,
    "betas": (0.8, 0.99),
    "eps": 1e-5,
    "mass": False,
}


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "torch.save"])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_copies_go_on_to_the_same_bits(how: str, kind: torch.dtype) -> None:
    pairs = made(kind)
    optimizer = LoraRite(pairs, 0.03, **OPEN)
    take(optimizer, pairs, range(8))
    both = {"optimizer": optimizer, "pairs": pairs}
    if how == "deepcopy":
        copied = copy.deepcopy(both)
    elif how == "pickle":
        copied = pickle.loads(pickle.dumps(both))  # noqa: S301 - our own, of a moment ago
    else:
        file = io.BytesIO()
        torch.save(both, file)
        file.seek(0)
        copied = torch.load(file, weights_only=False)
    twin: Any = copied["optimizer"]
    others: Any = copied["pairs"]
    assert twin.skips == optimizer.skips
    assert not any(x is y for x, y in zip(factors(pairs), factors(others), strict=True))
    before = factors(others)
    take(optimizer, pairs, range(8, 14))
    assert all(torch.equal(x, y) for x, y in zip(before, factors(others), strict=True))
    take(twin, others, range(8, 14))
    assert all(torch.equal(x, y) for x, y in zip(factors(pairs), factors(others), strict=True))


def test_a_pickle_is_about_as_large_as_the_state() -> None:
    pairs = made(torch.float32, scale=40)
    optimizer = LoraRite(pairs)
    take(optimizer, pairs, range(1))
    numbers = sum(x.numel() for state in optimizer.state.values() for x in state.values())
    weights = sum(x.numel() for x in factors(pairs))
    assert len(pickle.dumps(optimizer)) < 1.2 * 4 * (numbers + 2 * weights)


def test_options_are_part_of_the_state() -> None:
    pairs = made()
    optimizer = LoraRite(pairs, 0.03, **OPEN)
    take(optimizer, pairs, range(4))
    saved = copy.deepcopy(optimizer.state_dict())
    others = made()
    with torch.no_grad():
        for mine, other in zip(pairs, others, strict=True):
            other.a.copy_(mine.a)
            other.b.copy_(mine.b)
    again = LoraRite(others, 0.5)
    again.load_state_dict(saved)
    (group,) = again.param_groups
    assert {name: group[name] for name in OPEN} == OPEN
    assert group["lr"] == 0.03
    assert again.skips.updates == optimizer.skips.updates
    take(optimizer, pairs, range(4, 8))
    take(again, others, range(4, 8))
    assert all(torch.equal(x, y) for x, y in zip(factors(pairs), factors(others), strict=True))


def test_states_of_before_there_was_an_option_are_read() -> None:
    pairs = made()
    saved = LoraRite(pairs).state_dict()
    del saved["skips"]
    for group in saved["param_groups"]:
        del group["clip"], group["master"], group["companion"], group["companion_lr"]
    optimizer = LoraRite(pairs, clip=0.25)
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["clip"] == 0.25
    take(optimizer, pairs, range(2))


@pytest.mark.parametrize("options", [OPTIONS["all"], {}], ids=["all", "defaults"])
def test_large_models_are_stepped_in_parts(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = made(), made()
    first, second = LoraRite(whole, 0.03, **options), LoraRite(parts, 0.03, **options)
    take(first, whole, range(8))
    # Two factors at once, then one.
    for most, steps in ((40, range(4)), (1, range(4, 8))):
        monkeypatch.setattr(stacks, "_AT_ONCE", {"cpu": most})
        second.load_state_dict(second.state_dict())
        take(second, parts, steps)
    for mine, other in zip(factors(whole), factors(parts), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)


def test_room_beside_the_state_is_half_of_it_and_a_stack() -> None:
    pairs = made(torch.float32, scale=40)
    before = {id(x) for x in gc.get_objects() if issubclass(type(x), Tensor)}
    optimizer = LoraRite(pairs)
    take(optimizer, pairs, range(3))
    given = {
        factor.grad.untyped_storage().data_ptr()
        for pair in pairs
        for factor in (pair.a, pair.b)
        if factor.grad is not None
    }
    found = [x for x in gc.get_objects() if issubclass(type(x), Tensor) and id(x) not in before]
    storages = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in found}
    held = sum(size for place, size in storages.items() if place not in given)
    numbers = sum(x.numel() for state in optimizer.state.values() for x in state.values())
    largest = max(x.numel() for x in factors(pairs)) * len(pairs)
    assert 4 * numbers < held < 4 * (1.55 * numbers + 2 * largest)


def test_pairs_that_come_and_go_keep_their_own_state() -> None:
    pairs, alone = made(), made()
    optimizer, single = LoraRite(pairs, 0.03, clip=0.0), LoraRite(alone[2:3], 0.03, clip=0.0)
    for step in range(8):
        gradients = slopes(step, pairs)
        give(pairs, gradients)
        give(alone[2:3], gradients[2:3])
        if step % 3 == 1:
            for pair in pairs[:2]:
                pair.a.grad = pair.b.grad = None
        optimizer.step()
        single.step()
    assert torch.equal(pairs[2].a, alone[2].a) or torch.allclose(pairs[2].a, alone[2].a, rtol=1e-10)
    stacks = {x.untyped_storage().data_ptr(): x for s in optimizer.state.values() for x in s.values()}
    held = sum(x.untyped_storage().nbytes() for x in stacks.values())
    assert held == sum(x.numel() * 8 for s in optimizer.state.values() for x in s.values())
