"""A trial that runs out of a GPU's memory is executed once more with its passes halved; no GPU is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from harness import cuda
from harness.engine import trial
from harness.method import Context, Method, affordable, param
from harness.method.passes import divided
from harness.suite import Timed
from tests.harness.running import run
from tests.harness.toy import Numbers, toy_suite


@dataclass(frozen=True)
class Greedy(Method[Numbers, float]):
    """Reads eight examples a pass where it is let, on a GPU that has memory for ``room`` of them."""

    problem_type: ClassVar[type] = Numbers
    room: int = param(4, source="ours")
    way: str = param("passes", source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        examples = 1 if self.way == "one" else 8
        read = examples if self.way == "never asks" else affordable(examples)
        if read > self.room:
            raise (
                MemoryError
                if self.way == "main memory"
                else torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")
            )
        return float(read)


@pytest.fixture(autouse=True)
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: cuda.Driver((cuda.Gpu("Some GPU", 24.0),), "570.1", "12.8"))
    monkeypatch.setattr(cuda, "torch_build", lambda: cuda.TorchBuild("2.13.0", "12.8"))


@pytest.mark.parametrize("engine", ["inline", "pool"])
def test_it_is_executed_again_with_half_of_each_pass_and_says_so(engine: str, tmp_path: Path) -> None:
    suite = toy_suite(methods={"greedy": Greedy(), "modest": Greedy(room=8)}, seeds=(100,))
    finished, reader, recorder = run(suite, tmp_path, engine=engine, device="cuda")
    assert finished.summary.executed == 2
    passes = {record.method: record.passes for record in reader.trials.values()}
    assert passes == {"greedy": 2, "modest": 1}
    (told,) = [note for note in recorder.notes if "halved" in note]
    assert "greedy/100: The GPU's memory did not suffice" in told


def test_a_run_that_takes_it_over_says_so_too(tmp_path: Path) -> None:
    suite = toy_suite(methods={"greedy": Greedy()}, seeds=(100,))
    run(suite, tmp_path, engine="inline", device="cuda")
    finished, reader, _ = run(suite, tmp_path, engine="inline", device="cuda")
    assert finished.summary.reused == 1
    assert [record.passes for record in reader.trials.values()] == [2]


@pytest.mark.parametrize(("way", "room"), [("passes", 3), ("one", 0), ("never asks", 4), ("main memory", 4)])
def test_it_is_not_executed_a_third_time_nor_in_vain(way: str, room: int, tmp_path: Path) -> None:
    suite = toy_suite(methods={"greedy": Greedy(room=room, way=way)}, seeds=(100,))
    finished, reader, recorder = run(suite, tmp_path, engine="inline", device="cuda")
    assert len(finished.summary.failed) == 1
    (record,) = reader.trials.values()
    assert record.status == "memory"
    tries = 2 if way == "passes" else 1
    assert record.passes == tries
    assert len([note for note in recorder.notes if "halved" in note]) == tries - 1


def test_what_is_timed_is_not_timed_with_smaller_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "calibration_seconds", lambda _device: 0.1)
    monkeypatch.setattr(trial, "synchronise", lambda _device: None)
    suite = toy_suite(methods={"greedy": Greedy()}, seeds=(100,), timed=Timed(blocks=1, warmup=0))
    _, reader, recorder = run(suite, tmp_path, engine="inline", device="cuda")
    assert [(one.status, one.passes) for one in reader.trials.values()] == [("memory", 1)]
    assert not [note for note in recorder.notes if "halved" in note]


def test_halves_are_rounded_up_and_nothing_is_less_than_one() -> None:
    assert [affordable(size) for size in (1, 7, 8)] == [1, 7, 8]
    with divided(2) as passes:
        found = [(affordable(size), passes.divisible) for size in (1, 2, 7, 8)]
        assert found == [(1, False), (1, False), (4, True), (4, True)]
    assert affordable(8) == 8
