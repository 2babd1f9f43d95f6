"""Every way for foreign code to end is a recorded failure of that code, and of nothing else."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.checks import run_battery
from harness.checks.subject import Subject
from harness.method import Context, Method, param
from harness.suite import Tuned
from tests.harness.running import run
from tests.harness.toy import ERROR, MeanTask, Numbers, Shrunk, toy_suite
from tests.reliability.toys_engine import (
    CRASHES,
    ENDS,
    Ending,
    EndingArtifact,
    EndingTask,
    Waking,
)

KINDS = {
    "exit": "SystemExit",
    "exit-text": "SystemExit: gone",
    "interrupt": "KeyboardInterrupt",
    "generator": "GeneratorExit",
    "cancelled": "CancelledError",
    "stop": "StopIteration",
    "odd": "OddError",
    "silent": "SilentError",
    "deep": "RecursionError",
}


@pytest.mark.parametrize("way", ENDS)
def test_a_method_that_ends_oddly_has_failed(way: str, tmp_path: Path) -> None:
    suite = toy_suite(methods={"ending": Ending(way=way), "mean": Shrunk()}, seeds=(100,))
    finished, reader, _ = run(suite, tmp_path)
    assert finished.summary.failed == ["e/t/ending/100"]
    record = reader.trials["e/t/ending/100"]
    assert record.status == "failed"
    assert KINDS[way] in record.error
    assert reader.trials["e/t/mean/100"].status == "ok"


def test_so_it_is_in_the_pool(tmp_path: Path) -> None:
    """A crash is tried once more, since a worker may die of something else; then it is a failure."""
    ways = ("exit", "interrupt", "odd")
    methods: dict[str, Any] = {way: Ending(way=way) for way in (*ways, *CRASHES)}
    suite = toy_suite(methods={**methods, "mean": Shrunk(), "waking": Waking()}, seeds=(100,))
    finished, reader, _ = run(suite, tmp_path, engine="pool")
    assert set(finished.summary.failed) == {f"e/t/{name}/100" for name in (*methods, "waking")}
    assert reader.trials["e/t/mean/100"].status == "ok"
    errors = {name: reader.trials[f"e/t/{name}/100"].error for name in (*methods, "waking")}
    assert all(KINDS[way] in errors[way] for way in ways)
    assert "exit code 0" in errors["exit-at-once"]
    assert "exit code -9" in errors["kill"]
    assert "exit code -11" in errors["segfault"]
    assert "toys_engine.py" in errors["segfault"], "the stack says where it crashed"
    assert "SystemExit" in errors["waking"]


@pytest.mark.parametrize(
    "task",
    [
        EndingTask(at="problem"),
        EndingTask(at="evaluate"),
        MeanTask(offset=EndingArtifact(at="build")),
        MeanTask(offset=EndingArtifact(at="load")),
    ],
    ids=["problem", "evaluate", "build", "load"],
)
def test_so_it_is_wherever_foreign_code_runs(task: MeanTask, tmp_path: Path) -> None:
    finished, reader, _ = run(toy_suite(task=task, seeds=(100,)), tmp_path)
    assert {"e/t/half/100", "e/t/mean/100"} <= set(finished.summary.failed)
    assert "SystemExit" in reader.trials["e/t/mean/100"].error


@dataclass(frozen=True, kw_only=True)
class Particular(Shrunk):
    """Refuses to be made with what tuning chooses, once a file is there."""

    marker: str = param("", source="ours")

    def __post_init__(self) -> None:
        if self.factor == 1.0 and Path(self.marker).exists():
            raise SystemExit(0)

    def run(self, problem: Numbers, ctx: Context) -> float:
        Path(self.marker).touch()
        return super().run(problem, ctx)


def test_a_method_that_cannot_be_made_with_its_tuned_values_has_failed(tmp_path: Path) -> None:
    method = Particular(marker=str(tmp_path / "marker"))
    tuned = Tuned(method=method, grid={"factor": (0.25, 1.0)}, select=ERROR, seeds=(1,))
    finished, reader, recorder = run(toy_suite(methods={"mean": tuned}, seeds=(100,)), tmp_path)
    assert "e/t/mean/100" in finished.summary.failed
    assert any("cannot be planned" in note for note in recorder.notes)
    assert {record.status for record in reader.trials.values()} == {"ok"}


@dataclass(frozen=True, kw_only=True)
class Signalled(Method[Numbers, float]):
    """The user presses Ctrl-C while it runs; it may not care."""

    problem_type: ClassVar[type] = Numbers
    swallow: bool = param(default=False, source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            if not self.swallow:
                raise
        return 0.0


@pytest.mark.parametrize("swallow", [False, True])
def test_the_users_own_interrupt_ends_the_run(*, swallow: bool, tmp_path: Path) -> None:
    suite = toy_suite(methods={"signalled": Signalled(swallow=swallow), "mean": Shrunk()}, seeds=(100,))
    with pytest.raises(KeyboardInterrupt):
        run(suite, tmp_path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("way", ENDS)
def test_the_battery_tells_of_it(way: str, tmp_path: Path) -> None:
    subject = Subject(Ending(way=way), MeanTask(), "toy/e/t", tmp_path)
    outcomes = {outcome.check: outcome for outcome in run_battery(subject)}
    assert outcomes["same-seed-same-result"].status == "failed"
    assert KINDS[way] in outcomes["same-seed-same-result"].detail
    assert outcomes["documented"].status == "passed"
