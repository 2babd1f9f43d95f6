"""The loop of every training, beside one written by hand."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from itertools import repeat
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from harness.method import DivergedError
from methods.common.loop import Best, Loop, drawn, last_tenth
from methods.common.master_weights import MasterWeights


def layer(dtype: torch.dtype = torch.float32) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2).to(dtype)


def batch(rng: torch.Generator) -> Tensor:
    return torch.randn(6, 3, generator=rng)


def loss(model: nn.Module, x: Tensor) -> Tensor:
    found: Tensor = model(x.to(next(model.parameters()).dtype)).float().square().mean()
    return found


def weights(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def test_it_is_the_loop_that_one_writes_by_hand() -> None:
    plain, rng = layer(), torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=0.1)
    rates, losses = OneCycleLR(optimizer, 0.1, total_steps=9), []
    for _ in range(9):
        optimizer.zero_grad()
        value = loss(plain, batch(rng))
        value.backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 0.1)
        optimizer.step()
        rates.step()
        losses.append(value.item())
    model, again, seen = layer(), torch.Generator().manual_seed(1), list[int]()
    found = Loop(
        torch.optim.AdamW(model.parameters(), lr=0.1),
        drawn(lambda: batch(again)),
        partial(loss, model),
        9,
        schedule=partial(OneCycleLR, max_lr=0.1, total_steps=9),
        clip=0.1,
        watch=seen.append,
    ).run()
    assert found == losses
    assert torch.equal(weights(model), weights(plain))
    assert seen == list(range(10))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_summands_are_one_update(dtype: torch.dtype) -> None:
    results = []
    for parts in (1, 3):
        model, rng = layer(dtype), torch.Generator().manual_seed(1)
        optimizer: Any = torch.optim.SGD(model.parameters(), lr=0.05)
        optimizer = MasterWeights(optimizer) if dtype is torch.bfloat16 else optimizer

        def summands(x: Tensor, model: nn.Module = model, parts: int = parts) -> Any:
            return loss(model, x) if parts == 1 else (loss(model, part) / parts for part in x.chunk(parts))

        losses = Loop(optimizer, drawn(partial(batch, rng)), summands, 5).run()
        results.append((losses, weights(model).float()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5 if dtype is torch.float32 else 2e-2)
    torch.testing.assert_close(
        results[0][1], results[1][1], rtol=0, atol=1e-6 if dtype is torch.float32 else 4e-3
    )


@pytest.mark.parametrize("every", [1, 4])
def test_the_error_names_the_first_bad_step_and_its_batch(every: int) -> None:
    model = layer()
    calls: list[int] = []

    def bad(x: Tensor) -> Tensor:
        calls.append(1)
        return loss(model, x) * (float("nan") if len(calls) == 3 else 1.0)

    with pytest.raises(DivergedError, match="step 3 is not finite") as caught:
        Loop(
            torch.optim.SGD(model.parameters(), lr=0.1),
            lambda _done: repeat(torch.ones(2, 3)),
            bad,
            9,
            where=lambda x: f"a batch of {len(x)}",
            every=every,
        ).run()
    assert caught.value.where == "a batch of 2"
    assert len(calls) == (3 if every == 1 else 4)


def test_it_stops_when_told_to() -> None:
    model, seen = layer(), list[int]()
    losses = Loop(
        torch.optim.SGD(model.parameters(), lr=0.1),
        lambda _done: repeat(torch.ones(2, 3)),
        partial(loss, model),
        9,
        watch=seen.append,
        stop=lambda: len(seen) == 4,
    ).run()
    assert (len(losses), seen) == (3, [0, 1, 2, 3])
    assert losses == sorted(losses, reverse=True)


def test_the_best_weights_are_the_earliest_of_equals() -> None:
    model = layer()
    best, kept = Best(model.parameters()), []
    for score in (0.1, 0.5, 0.5, float("nan"), 0.3):
        with torch.no_grad():
            model.weight += 1
        kept.append(weights(model))
        assert best.offer(score) is (len(kept) <= 2)
    best.put_back()
    assert torch.equal(weights(model), kept[1])


def test_better_weights_take_the_place_of_those_that_were_kept() -> None:
    model = layer()
    best = Best(model.parameters())
    best.offer(0.1)
    places = [kept.data_ptr() for kept in best.state_dict()[1]]
    best.offer(0.2)
    assert [kept.data_ptr() for kept in best.state_dict()[1]] == places


def test_an_optimizer_is_gone_with_the_last_name_for_it() -> None:
    """What is measured afterwards has its memory."""
    model = layer()
    optimizer = torch.optim.Adam(model.parameters())
    gc.disable()
    try:
        Loop(
            optimizer,
            lambda _done: repeat(torch.ones(2, 3)),
            partial(loss, model),
            3,
            schedule=partial(LambdaLR, lr_lambda=lambda _step: 1.0),
        ).run()
        state = weakref.ref(next(iter(optimizer.state.values()))["exp_avg"])
        del optimizer
        assert state() is None
    finally:
        gc.enable()


def test_the_last_tenth_has_at_least_one_update() -> None:
    assert last_tenth([3.0, 1.0]) == 1.0
    assert last_tenth([float(n) for n in range(30)]) == 28.0


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_losses_that_nobody_has_looked_at_are_read_when_training_stops(value: float) -> None:
    """Stopped after three updates, of which every fifth is looked at."""
    model, seen = layer(), list[int]()
    loop = Loop(
        torch.optim.SGD(model.parameters(), lr=0.1),
        lambda _done: repeat(torch.zeros(1, 3)),
        lambda x: loss(model, x) * 0 + value,
        9,
        watch=seen.append,
        stop=lambda: seen[-1] == 3,
        every=5,
    )
    if value == 0.5:
        assert loop.run() == [0.5, 0.5, 0.5]
    else:
        with pytest.raises(DivergedError, match="step 1 is not finite"):
            loop.run()
