"""Work that stops anywhere goes on to the same end, and what is written is whole, safe and rare."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from harness.method import Checkpoints, ProblemError
from methods.common import checkpoints as code
from methods.common.checkpoints import Keeper, mapped, read, write
from methods.common.language_model.calls import rows_together
from methods.common.language_model.interface import Completion, Decoding, LanguageModel, NextToken
from methods.common.language_model.kept import KeptModel, kept
from methods.common.language_model.record import recorded


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def always(folder: Path) -> Checkpoints:
    """Checkpoints at every occasion."""
    ticks = iter(range(10**9))
    return Checkpoints(folder, every=0.0, clock=lambda: 1000.0 * next(ticks))


class Killed(Exception):  # noqa: N818
    pass


def worked(checkpoints: Checkpoints | None, until: int = 99) -> list[float]:
    """Two pieces of work of one name with every kind of state, killed in update ``until``."""
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002 - libraries draw on it
    torch.manual_seed(3)
    rng, generator = np.random.default_rng(4), torch.Generator().manual_seed(5)
    found: list[float] = []
    for _ in range(2):
        layer = nn.Linear(3, 2)
        optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
        rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=8)
        parts = {
            "weights": list(layer.parameters()),
            "optimizer": optimizer,
            "rates": rates,
            "rng": rng,
            "generator": generator,
        }
        keeper = Keeper(checkpoints, "work", parts)
        seen: list[float] = keeper.notes.get("seen", [])
        for step in range(keeper.done, 8):
            until -= 1
            if until < 0:
                raise Killed
            x = torch.randn(4, 3, generator=generator) + float(rng.normal()) + random.random()  # noqa: S311
            loss = layer(nn.functional.dropout(x)).square().mean() + float(np.random.rand())  # noqa: NPY002
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
            seen.append(loss.item())
            keeper.keep(step + 1, {"seen": seen})
        keeper.finish(8, {"seen": seen}, without=["optimizer", "rates"])
        found += [*seen, *nn.utils.parameters_to_vector(layer.parameters()).tolist()]
    return [*found, float(torch.rand(1)), random.random(), float(rng.random())]  # noqa: S311


@pytest.mark.parametrize("until", [1, 5, 8, 11, 15])
def test_all_state_comes_back(until: int, tmp_path: Path) -> None:
    whole = worked(None)
    with pytest.raises(Killed):
        worked(always(tmp_path), until)
    assert worked(always(tmp_path), 16 - until) == whole
    # Now everything is over: nothing is done a third time.
    assert worked(always(tmp_path), 0) == whole


def test_only_safe_formats_are_written(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        worked(always(tmp_path), 5)
    names = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {".json", ".safetensors"}


def test_short_work_writes_nothing(tmp_path: Path) -> None:
    worked(Checkpoints(tmp_path / "never", every=300.0))
    assert not (tmp_path / "never").exists()


def test_checkpoints_come_by_time_and_large_ones_seldom(tmp_path: Path) -> None:
    clock = Clock()
    found = Checkpoints(tmp_path, every=300.0, clock=clock)
    due = [found.due]
    clock.now = 301.0
    due += [found.due]
    found.written(60.0, 10**11)
    clock.now += 600.0
    due += [found.due]
    clock.now += 601.0
    due += [found.due]
    assert due == [False, True, False, True]
    assert not found.is_worth(600.0, 2 * 10**11)
    assert found.is_worth(6000.0, 2 * 10**11)


def test_a_checkpoint_of_other_work_is_refused(tmp_path: Path) -> None:
    def begun(plan: Any, width: int) -> Keeper:
        return Keeper(always(tmp_path), "work", {"weights": [torch.zeros(width)]}, plan)

    begun([1, 0.5], 3).keep(1)
    assert begun([1, 0.5], 3).done == 1
    for plan, width in (([2, 0.5], 3), ([1, 0.5], 4)):
        with pytest.raises(ProblemError, match="belongs to other work"):
            begun(plan, width)


def test_every_state_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever step of writing a process dies in, the last whole state is read."""
    write(tmp_path, {"a": torch.arange(5), "n": 1})
    settle = code._settle
    monkeypatch.setattr(code, "_SHARD", 16)
    for dies_in in range(3):
        left = [dies_in]

        def dying(pending: Path, target: Path, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            settle(pending, target)

        monkeypatch.setattr(code, "_settle", dying)
        with pytest.raises(Killed):
            write(tmp_path, {"a": torch.arange(9), "b": torch.zeros(7), "n": 2})
        found = read(tmp_path)
        assert found is not None
        assert found["n"] == 1
        assert found["a"].tolist() == [0, 1, 2, 3, 4]
    monkeypatch.setattr(code, "_settle", settle)
    write(tmp_path, {"a": torch.arange(9), "b": torch.zeros(7), "n": 2})
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    assert not list(tmp_path.glob("state-0*"))


def test_a_damaged_state_is_left_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "one", {"a": torch.arange(5)})
    next((tmp_path / "one").glob("*.safetensors")).write_bytes(b"no")
    assert read(tmp_path / "one") is None
    assert "left aside" in capsys.readouterr().out


def test_a_full_disk_does_not_end_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(code, "write", full)
    assert worked(always(tmp_path)) == worked(None)
    assert "No checkpoints from here on" in capsys.readouterr().out


def test_nested_data_come_back_as_they_were(tmp_path: Path) -> None:
    state: Mapping[Any, Any] = {
        1: [torch.ones(2, dtype=torch.bfloat16), (None, 0.1, "é", True)],
        "array": np.arange(6, dtype=np.int64),
        "rng": np.random.default_rng(0).bit_generator.state,
        "empty": {},
        "scalar": torch.tensor(3.0),
    }
    write(tmp_path, state)
    found: Any = read(tmp_path)
    assert torch.equal(found[1][0], state[1][0])
    assert found[1][1] == (None, 0.1, "é", True)
    assert found["array"].tolist() == list(range(6))
    assert (found["rng"], found["empty"], float(found["scalar"])) == (state["rng"], {}, 3.0)


def test_what_killed_processes_spent_is_known(tmp_path: Path) -> None:
    def process(seconds: float, done: int) -> Checkpoints:
        clock = Clock()
        checkpoints = Checkpoints(tmp_path, every=0.0, clock=clock)
        for name in ("first", "second"):
            keeper = Keeper(checkpoints, name, {})
            clock.now += seconds
            keeper.keep(done)
        return checkpoints

    assert process(100.0, 1).earlier[0] == 0.0
    # The second piece was kept after 200 seconds, and includes those of the first.
    assert process(10.0, 2).earlier[0] == 200.0
    assert process(10.0, 3).earlier[0] == 220.0


def test_items_are_done_once(tmp_path: Path) -> None:
    seen: list[int] = []

    def double(item: int) -> tuple[int, str]:
        if len(seen) == 3:
            raise Killed
        seen.append(item)
        return 2 * item, "x"

    with pytest.raises(Killed):
        mapped(always(tmp_path), "doubles", range(5), double)
    seen = [0, 0]
    seen.clear()
    assert mapped(always(tmp_path), "doubles", range(5), double) == [(2 * n, "x") for n in range(5)]
    assert seen == [3, 4]


class Counting(LanguageModel):
    """Answers by the length of a prompt, and counts its calls."""

    asked = 0

    def score(self, prompts: Any, options: Any) -> list[list[float]]:
        self.asked += 1
        self.usage.calls += sum(map(len, options))
        return [[len(prompt) / 3.0 for _ in one] for prompt, one in zip(prompts, options, strict=True)]

    def sample(
        self, prompts: Any, decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        self.asked += 1
        found = [[Completion(f"{prompt}{seed}", 2, True, -0.1 / 3)] * count for prompt in prompts]
        for prompt, completions in zip(prompts, found, strict=True):
            self.usage.completed(completions, len(prompt))
        return found

    def next_token(self, prompts: Any, *, most: int | None = None) -> list[NextToken]:
        self.asked += 1
        return []


def calls_of(model: LanguageModel) -> list[Any]:
    return [
        model.score(["ab", "c"], [["x", "y"], ["z"]]),
        model.sample(["ab"], Decoding(temperature=1.0), count=2, seed=3),
        model.sample(["ab"], Decoding(temperature=1.0), count=2, seed=4),
        model.next_token(["a"]),
    ]


@pytest.fixture
def models() -> tuple[Counting, Counting]:
    return Counting("m", "id"), Counting("m", "id")


def test_calls_of_a_killed_trial_are_not_made_again(
    tmp_path: Path, models: tuple[Counting, Counting]
) -> None:
    first, second = models
    answers = calls_of(kept(first, always(tmp_path)))
    assert answers == calls_of(Counting("m", "id"))
    (path,) = tmp_path.rglob("calls.jsonl")
    with path.open("ab") as file:
        file.write(b'["torn", ["')
    again = kept(second, always(tmp_path))
    assert isinstance(again, KeptModel)
    assert calls_of(again) == answers
    # Whole distributions are not kept.
    assert (first.asked, second.asked) == (4, 1)
    # Counts of calls and tokens are results of some papers: a killed trial reports the same.
    assert second.usage == first.usage
    assert (first.usage.calls, first.usage.completion_tokens, first.usage.cached) == (7, 8, 0)
    again.score(["new"], [["x"]])
    assert all(json.loads(line) for line in path.read_bytes().split(b"\n")[:4] if line)
    third = Counting("m", "id")
    assert kept(third, always(tmp_path)).score(["new"], [["x"]]) == [[1.0]]
    assert third.asked == 0


def test_without_checkpoints_a_model_is_itself(models: tuple[Counting, Counting]) -> None:
    assert kept(models[0], Checkpoints()) is models[0]


def test_what_a_model_reads_together_is_known_through_its_kept_calls(tmp_path: Path) -> None:
    class Mixing(Counting):
        together = 4

    model = Mixing("m", "id")
    spoken = kept(model, always(tmp_path))
    assert isinstance(spoken, KeptModel)
    assert spoken.together == 4
    table = recorded(spoken)
    table.score(["ab", "c"], [["x"], ["y"]])
    assert {rows_together(parameters) for parameters in table.table()["parameters"]} == {4}
