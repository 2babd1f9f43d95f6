"""What LoRA-RITE refuses and says, and that it waits for a device no more than once a step."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.lora_rite import LoraRite, Pair, find_pairs
from methods.lora_rite.optimizers import make_optimizer
from methods.lora_rite.skipping import PATIENCE, SkippedWarning
from tests.methods.lora_rite.test_trajectories import factors, give, made, slopes, take
from tests.pretended_gpu import pretended_gpu


def pair(name: str = "pair", kind: torch.dtype = torch.float32) -> Pair:
    return Pair(nn.Parameter(torch.ones(2, 6, dtype=kind)), nn.Parameter(torch.ones(5, 2, dtype=kind)), name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "lr must be positive"),
        ({"lr": "fast"}, "lr must be positive"),
        ({"lr": float("inf")}, "lr must be positive"),
        ({"companion_lr": -1e-3}, "companion_lr must be positive"),
        ({"betas": (0.9,)}, "betas"),
        ({"betas": (0.9, float("nan"))}, "betas"),
        ({"eps": float("nan")}, "eps must be positive or 0"),
        ({"weight_decay": float("nan")}, "weight_decay must be positive or 0"),
        ({"clip": float("nan")}, "clip must be positive or 0"),
        ({"skip": float("inf")}, "skip must be positive or 0"),
        ({"cap": -1}, "cap must be positive or 0"),
        ({"mass": 1}, "mass must be True or False"),
        ({"second": "mean"}, "second must be one of ema, sum"),
    ],
)
def test_options_out_of_range_are_refused_here_and_in_groups(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        LoraRite([pair()], **options)
    with pytest.raises(ProblemError, match=message):
        LoraRite([{"params": [pair()], **options}])


@pytest.mark.parametrize("name", ["rite", "scaled-gd", "alt-lora"])
def test_unknown_options_of_groups_are_refused(name: str) -> None:
    optimizer = make_optimizer(name, [pair()], 1e-3)
    with pytest.raises(ProblemError, match="no option 'weight_decai'"):
        optimizer.add_param_group({"params": [pair("other")], "weight_decai": 0.1})


def test_a_schedule_that_turns_negative_is_refused_and_zero_moves_nothing() -> None:
    pairs = made()
    optimizer = LoraRite(pairs)
    before = factors(pairs)
    optimizer.param_groups[0]["lr"] = 0.0
    take(optimizer, pairs, range(2))
    assert all(torch.equal(x, y) for x, y in zip(before, factors(pairs), strict=True))
    for bad in (-1.0, float("nan")):
        optimizer.param_groups[0]["lr"] = bad
        with pytest.raises(ProblemError, match="learning rate has become"):
            take(optimizer, pairs, range(1))


def test_a_factor_of_two_pairs_is_refused() -> None:
    one, other = pair("one"), pair("other")
    with pytest.raises(ProblemError, match="'other' and 'one'"):
        LoraRite([one, Pair(one.a, other.b, "other")])
    with pytest.raises(ProblemError, match="belongs to two pairs"):
        LoraRite([one, Pair(other.a, one.b, "other")])
    square = nn.Parameter(torch.eye(3))
    with pytest.raises(ProblemError, match="belongs to two pairs"):
        LoraRite([Pair(square, square, "self")])
    with pytest.raises(ProblemError, match="belongs to two groups"):
        LoraRite([{"params": [one]}, {"params": [Pair(one.a, other.b, "other")]}])


def test_a_factor_that_two_layers_of_a_model_share_is_seen() -> None:
    model = nn.ModuleDict({name: nn.Module() for name in ("one", "two")})
    shared = nn.Parameter(torch.ones(2, 6))
    for module in model.values():
        module.register_parameter("a", shared)
        module.register_parameter("b", nn.Parameter(torch.ones(5, 2)))
    with pytest.raises(ProblemError, match="'two' and 'one'"):
        LoraRite(model)
    # A layer that is used in two places is one pair.
    model["two"] = model["one"]
    assert len(find_pairs(model)) == 1


def test_clip_is_one_number_for_all_groups() -> None:
    groups: list[dict[str, Any]] = [{"params": [pair("one")], "clip": 0.5}, {"params": [pair("two")]}]
    with pytest.raises(ProblemError, match="all groups together"):
        LoraRite(groups)


def test_named_parameters_may_hold_frozen_ones() -> None:
    model = nn.ModuleDict({"layer": nn.Module(), "head": nn.Linear(3, 2)})
    model["layer"].register_parameter("a", nn.Parameter(torch.ones(2, 6)))
    model["layer"].register_parameter("b", nn.Parameter(torch.ones(5, 2)))
    model["head"].requires_grad_(False)
    optimizer = LoraRite(model.named_parameters())
    assert [len(group["params"]) for group in optimizer.param_groups] == [2]
    model["layer"].requires_grad_(False)
    with pytest.raises(ProblemError, match="no LoRA pair to train"):
        LoraRite(model.named_parameters())


def test_skipping_that_stops_training_is_said_once_and_counted() -> None:
    pairs = made()
    optimizer = LoraRite(pairs, skip=1e-3)
    before = factors(pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        take(optimizer, pairs, range(PATIENCE - 1))
    with pytest.warns(
        SkippedWarning, match=r"10 of 10 .* above skip=0.001 .*A of 'layer 0'.* skip=0"
    ) as seen:
        take(optimizer, pairs, range(PATIENCE + 3))
    assert len(seen) == 1
    assert optimizer.skips.updates == 10 * (2 * PATIENCE + 2)
    assert all(torch.equal(x, y) for x, y in zip(before, factors(pairs), strict=True))
    again = LoraRite(pairs, skip=1e-3)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert again.skips == optimizer.skips


def test_skipping_of_single_steps_is_counted_without_a_word() -> None:
    pairs = made()
    optimizer = LoraRite(pairs, clip=0.0)
    for step in range(3 * PATIENCE):
        gradients = [(x * (0.01 if step % 3 else 1e3), y * 0.01) for x, y in slopes(step, pairs)]
        give(pairs, gradients)
        optimizer.step()
    assert optimizer.skips.updates == len(pairs) * PATIENCE


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_low_precision_follows_float32_to_rounding(kind: torch.dtype) -> None:
    pairs = made(kind)
    exact = [
        Pair(nn.Parameter(p.a.detach().float()), nn.Parameter(p.b.detach().float()), p.name, p.axes)
        for p in pairs
    ]
    start = factors(pairs)
    low, high = LoraRite(pairs, 3e-5), LoraRite(exact, 3e-5)
    lost = made(kind)
    without = LoraRite(lost, 3e-5, master=False)
    for step in range(25):
        gradients = [(x.to(kind).float(), y.to(kind).float()) for x, y in slopes(step % 4, exact)]
        for optimizer, own in ((low, pairs), (high, exact), (without, lost)):
            give(own, gradients)
            optimizer.step()
    for low_bits, full in zip(factors(pairs), factors(exact), strict=True):
        assert torch.equal(low_bits, full.to(kind))
    for mine, other in zip(pairs, exact, strict=True):
        assert torch.equal(low.state[mine.a]["master"], other.a)
        assert torch.equal(low.state[mine.b]["master"], other.b)
    moved = [float((x != y).float().mean()) for x, y in zip(factors(pairs), start, strict=True)]
    stuck = [float((x != y).float().mean()) for x, y in zip(factors(lost), start, strict=True)]
    if kind == torch.bfloat16:
        assert sum(stuck) < 0.5 * sum(moved)


def test_a_master_copy_follows_a_factor_that_is_set_from_outside() -> None:
    pairs = made(torch.bfloat16)
    optimizer = LoraRite(pairs, 1e-4)
    take(optimizer, pairs, range(2))
    kept = optimizer.state[pairs[0].b]["master"].clone()
    with torch.no_grad():
        pairs[0].a.fill_(3.0)
    take(optimizer, pairs, range(2, 3))
    assert float((optimizer.state[pairs[0].a]["master"] - 3.0).abs().max()) < 0.1
    assert 0 < float((optimizer.state[pairs[0].b]["master"] - kept).abs().max()) < 0.1


@contextmanager
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The reads of GPU tensors by the host."""
    seen: list[str] = []
    reads = ("item", "tolist", "__bool__", "__float__", "__int__", "__index__", "cpu", "numpy", "nonzero")
    with monkeypatch.context() as patch:
        for name in reads:
            real = getattr(Tensor, name)

            def read(self: Tensor, *args: Any, real: Any = real, name: str = name, **kwargs: Any) -> Any:
                if self.is_cuda:
                    seen.append(name)
                return real(self, *args, **kwargs)

            patch.setattr(Tensor, name, read)
        yield seen


@pytest.mark.parametrize("options", [{}, {"cap": 0.3, "balance": True, "weight_decay": 0.1}])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_step_waits_for_the_device_once(
    options: dict[str, Any], kind: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretended_gpu():
        pairs = [
            Pair(nn.Parameter(p.a.detach().cuda()), nn.Parameter(p.b.detach().cuda()), p.name, p.axes)
            for p in made(kind)
        ]
        with torch.no_grad():
            pairs[0].b.zero_()
        optimizer = LoraRite(pairs, 1e-3, **options)
        counts = []
        for step in range(4):
            rng = torch.Generator().manual_seed(step)
            for each in pairs:
                for factor in (each.a, each.b):
                    drawn = 0.01 * torch.randn(factor.shape, generator=rng)
                    factor.grad = drawn.to(kind).cuda()
            with waits(monkeypatch) as seen:
                optimizer.step()
            counts.append(len(seen))
    # The first step reads the counts of steps, and where B = 0 needs Householder QR it asks again.
    assert counts[0] <= 4
    assert counts[2:] == [1, 1]
