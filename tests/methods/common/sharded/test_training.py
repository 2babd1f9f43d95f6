"""Training in several processes: as in one, and as if it had never been killed."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import Tensor

from harness.method import Checkpoints, DivergedError, ProblemError
from harness.method.passes import divided
from methods.common.examples import Batch
from methods.common.sharded.gathered import Gathered
from methods.common.sharded.state import put
from methods.common.sharded.training import train
from methods.common.sharded.work import Work
from methods.common.training import token_loss
from tests.methods.common.sharded.alone import alone
from tests.methods.common.sharded.killing import check_same_end, gone, killed_after, same
from tests.methods.common.sharded.trainings import (
    RECIPE,
    adafactor,
    adapted,
    in_one,
    in_parts,
    loaded,
    saved,
    weights,
    work,
)
from tests.methods.context import FakeContext

PROGRAM = "tests.methods.common.sharded.trainings"
CLOSE = 5e-6
"""A thousandth of what five updates of 1e-3 at most can move a weight: float32 sums in another order, which
Adam divides by their own size. Measured are 2e-7, and 1.3e-6 where a gradient is zero but for rounding."""


def largest_difference(one: Any, other: Any) -> float:
    pairs = zip(weights(one).values(), weights(other).values(), strict=True)
    return max(float((a.float() - b.float()).abs().max()) for a, b in pairs)


def check_equal(folder: Path, scratch: Path, count: int, *, dtype: str = "float32", **changes: Any) -> None:
    changes.setdefault("load", partial(loaded, folder, dtype=dtype))
    one, parts, before = (loaded(folder, dtype=dtype) for _ in range(3))
    losses = in_one(one, work(folder, **changes))
    work(folder, **changes).trained(before)
    found = in_parts(parts, work(folder, **changes), scratch, count)
    assert found.losses == pytest.approx(losses, rel=1e-5)
    assert largest_difference(one, parts) < CLOSE
    assert largest_difference(one, before) > 500 * CLOSE


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path: Path) -> None:
    check_equal(saved("llama", tmp_path), tmp_path, 2)


def test_one_part_trains_as_a_whole_model_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick: nothing is sent."""
    alone(monkeypatch)
    check_equal(saved("t5", tmp_path), tmp_path, 2)


def test_halved_passes_of_a_part_descend_on_the_same_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    seen: list[int] = []

    def loss(model: Any, batch: Any, smoothing: float) -> Any:
        seen.append(len(batch.ids))
        return token_loss(model, batch, smoothing)

    folder = saved("llama", tmp_path)
    one, parts = loaded(folder), loaded(folder)
    losses = in_one(one, work(folder))
    with divided(2):
        found = in_parts(parts, work(folder, loss=loss, at_once=0), tmp_path, 1)
    assert found.losses == pytest.approx(losses, rel=1e-5)
    assert largest_difference(one, parts) < CLOSE
    assert max(seen) == -(-work(folder).recipe.batch // 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_whole_matrices_are_updated_in_several_processes_as_in_one(kind: str, tmp_path: Path) -> None:
    """Adafactor looks at rows and columns; of most matrices here a process has some rows only."""
    folder = saved(kind, tmp_path)
    one, parts, before = (loaded(folder) for _ in range(3))
    asked = work(folder, optimizer=partial(Gathered, make=adafactor))
    losses = in_one(one, work(folder, optimizer=lambda named: adafactor([p for _, p in named])))
    found = in_parts(parts, asked, tmp_path, 2)
    assert found.losses == pytest.approx(losses, rel=1e-5)
    assert largest_difference(one, parts) < CLOSE
    assert largest_difference(one, before) > 500 * CLOSE


@pytest.mark.slow
def test_an_anchor_pulls_in_several_processes_as_in_one(tmp_path: Path) -> None:
    folder = saved("llama", tmp_path)
    one, parts, free = (loaded(folder) for _ in range(3))
    first = [parameter.detach().clone() for parameter in one.parameters()]

    def anchored(model: Any, batch: Batch, smoothing: float) -> Tensor:
        moved = [(p - f).square().sum() for p, f in zip(model.parameters(), first, strict=True)]
        return token_loss(model, batch, smoothing) + 30.0 * len(batch.gold) * torch.stack(moved).sum()

    losses = in_one(one, work(folder, loss=anchored))
    in_one(free, work(folder))
    found = in_parts(parts, work(folder, anchor=30.0), tmp_path, 2)
    assert found.losses == pytest.approx(losses, rel=1e-5)
    assert largest_difference(one, parts) < CLOSE
    assert largest_difference(one, free) > 100 * CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["t5", "gemma3", "opt"])
def test_models_of_other_families_train_as_in_one(kind: str, tmp_path: Path) -> None:
    check_equal(saved(kind, tmp_path), tmp_path, 2)


@pytest.mark.slow
def test_three_processes_of_which_some_have_nothing_left(tmp_path: Path) -> None:
    recipe = replace(RECIPE, batch=2, accumulate=1)
    check_equal(saved("t5", tmp_path), tmp_path, 3, recipe=recipe, at_once=1, recompute=False)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_adapters_are_trained_in_float32_on_frozen_weights_in_parts(dtype: str, tmp_path: Path) -> None:
    folder = saved("llama", tmp_path)
    one, parts = (loaded(folder, dtype=dtype) for _ in range(2))
    load = partial(loaded, folder, dtype=dtype)
    losses = in_one(one, work(folder, load=load, trained=adapted()))
    found = in_parts(parts, work(folder, load=load, trained=adapted()), tmp_path, 2)
    # In bfloat16 the frozen model rounds what goes through it, whatever the order.
    assert found.losses == pytest.approx(losses, rel=1e-5 if dtype == "float32" else 1e-2)
    assert largest_difference(one, parts) < (CLOSE if dtype == "float32" else 2e-3)
    trained = [name for name in weights(parts) if name.endswith((".a", ".b"))]
    assert len(trained) == 28
    assert all(weights(parts)[name].dtype == torch.float32 for name in trained)


@pytest.mark.slow
def test_weights_stay_float32_where_products_are_bfloat16(tmp_path: Path) -> None:
    folder = saved("llama", tmp_path)
    one, parts = (loaded(folder) for _ in range(2))
    losses = in_one(one, work(folder))
    found = in_parts(parts, work(folder, compute="bfloat16"), tmp_path, 2)
    assert found.losses == pytest.approx(losses, rel=3e-2)
    # Updates of 1e-3 a step are taken whole: in bfloat16 most weights would not move by them.
    moved = [
        float((a - b).abs().mean()) for a, b in zip(*map(_tensors, (loaded(folder), parts)), strict=True)
    ]
    assert min(moved) > 1e-4
    assert any(tensor.ne(tensor.bfloat16().float()).any() for tensor in _tensors(parts))


def _tensors(model: Any) -> list[Tensor]:
    return list(weights(model).values())


def _fails(model: Any, batch: Batch, smoothing: float) -> Tensor:
    if torch.distributed.get_rank() == 1:
        raise ValueError("no such luck")
    return token_loss(model, batch, smoothing)


def _not_finite(model: Any, batch: Batch, smoothing: float) -> Tensor:
    return token_loss(model, batch, smoothing) * float("nan")


def _diverges(model: Any, batch: Batch, smoothing: float) -> Tensor:
    raise DivergedError("a factor is not finite")


def _dies(model: Any, batch: Batch, smoothing: float) -> Tensor:
    if torch.distributed.get_rank() == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return token_loss(model, batch, smoothing)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "kind", "told"),
    [
        (_fails, RuntimeError, r"(?s)process 2 of 2 .* failed.*ValueError: no such luck"),
        (_not_finite, DivergedError, "loss of step 1 is not finite"),
        (_diverges, DivergedError, "a factor is not finite"),
        (_dies, RuntimeError, r"process 1 of 2 .* without an answer \(code -9\)"),
    ],
)
def test_however_a_process_ends_the_trial_is_told_and_none_is_left(
    loss: Any, kind: type[Exception], told: str, tmp_path: Path
) -> None:
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(kind, match=told):
        train(
            work(saved("llama", tmp_path), loss=loss), FakeContext(scratch=tmp_path, devices=("cpu", "cpu"))
        )
    left = set(psutil.Process().children(recursive=True)) - before
    assert not [process for process in left if "resource_tracker" not in " ".join(process.cmdline())]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"pack": 16}, "trained for all its steps"),
        ({"patience": 2}, "trained for all its steps"),
        ({"keep": "best"}, "needs scores"),
    ],
)
def test_recipes_that_cannot_be_followed_in_parts_are_refused(
    wrong: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ProblemError, match=told):
        work(tmp_path, recipe=replace(RECIPE, **wrong))


@pytest.mark.parametrize("watch", [None, lambda _step, _folder: None])
def test_the_best_weights_are_not_kept_without_scores(
    watch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    asked = work(saved("llama", tmp_path), recipe=replace(RECIPE, keep="best", every=1))
    context = FakeContext(scratch=tmp_path, devices=("cpu", "cpu"))
    with pytest.raises(ProblemError, match="nothing gives a score"):
        train(asked, context, watch=watch)


@pytest.mark.slow
def test_weights_are_shown_on_the_way(tmp_path: Path) -> None:
    folder = saved("llama", tmp_path)
    seen: list[tuple[int, float]] = []
    model = loaded(folder)

    def watch(step: int, shown: Path) -> None:
        put(model, shown)
        seen.append((step, float(model.model.norm.weight.detach().sum())))

    asked = work(folder, recipe=replace(RECIPE, every=2))
    found = train(asked, FakeContext(scratch=tmp_path, devices=("cpu", "cpu")), watch=watch)
    assert [step for step, _ in seen] == [0, 2, 4, 5]
    assert len({value for _, value in seen}) == 4
    end = loaded(folder)
    put(end, found.folder)
    assert float(end.model.norm.weight.detach().sum()) == seen[-1][1]


# ---- killed, and going on


@pytest.mark.slow
def test_no_process_outlives_a_killed_trial(tmp_path: Path) -> None:
    folder = saved("t5", tmp_path)
    below = killed_after(1, PROGRAM, [folder, tmp_path / "scratch", tmp_path / "out"])
    assert len(below) >= 2
    assert gone(below)


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    end = check_same_end(PROGRAM, saved("t5", tmp_path), tmp_path, 3)
    assert len(end["losses"]) == 20


def test_a_training_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Quick: one part, which stops where a checkpoint was written, with Adafactor and the best weights."""
    alone(monkeypatch)
    folder, recipe = saved("t5", tmp_path), replace(RECIPE, steps=6, every=2, keep="best")
    scores = {0: 0.1, 2: 0.3, 4: 0.2, 6: 0.25}
    ends = []
    for name, stop in (("whole", 0), ("stopped", 2), ("stopped", 0)):
        kept = Checkpoints(tmp_path / name, 0.0)
        count = iter(range(1, 99))
        kept.on_written = lambda count=count, stop=stop: _stop_at(next(count), stop)  # type: ignore[misc]
        asked = work(folder, recipe=recipe, optimizer=partial(Gathered, make=adafactor))
        model = loaded(folder)
        try:
            found = in_parts(model, asked, tmp_path, 2, checkpoints=kept, watch=lambda step, _: scores[step])
        except KeyboardInterrupt:
            continue
        ends.append((found.losses, dict(weights(model))))
    assert len(ends) == 2
    assert "goes on after" in capsys.readouterr().out
    same(*(losses for losses, _ in ends))
    same(*(end for _, end in ends))


def _stop_at(number: int, stop: int) -> None:
    if number == stop:
        raise KeyboardInterrupt


@pytest.mark.slow
def test_a_checkpoint_of_other_work_is_refused_and_a_full_disk_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved("llama", tmp_path)
    kept = Checkpoints(tmp_path / "kept", 0.0)
    asked = work(folder)
    _ = _trained(asked, tmp_path / "a", kept)
    other: Work = work(folder, recipe=replace(RECIPE, steps=6))
    with pytest.raises(ProblemError, match="belongs to other work"):
        _trained(other, tmp_path / "b", Checkpoints(tmp_path / "kept", 0.0))
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    full = Checkpoints(blocked, 0.0)
    losses = _trained(asked, tmp_path / "c", full)
    assert full.folder is None
    assert len(losses) == RECIPE.steps


def _trained(asked: Work, scratch: Path, checkpoints: Checkpoints) -> list[float]:
    scratch.mkdir()
    context = FakeContext(scratch=scratch, devices=("cpu", "cpu"), checkpoints=checkpoints)
    return train(asked, context).losses
