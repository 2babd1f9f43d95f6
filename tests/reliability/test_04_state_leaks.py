"""What a trial leaves changed in its process is put back, named, and never seen by another trial."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from sklearn.utils.parallel import Parallel, delayed
from torch.utils.data import DataLoader, TensorDataset

from harness.checks import run_battery
from harness.checks.subject import Subject
from harness.method import Context, Method, param
from harness.store import RunReader
from harness.suite import Timed
from tests.harness.running import run
from tests.harness.toy import MeanTask, Noisy, Numbers, Shrunk, toy_suite
from tests.reliability.toys_engine import LEAKS, Leaking, Witness, signs

RESTORED = [name for name in LEAKS if name not in ("thread", "child")]


@pytest.fixture(autouse=True)
def _unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a build that restores nothing leaves behind must not spoil other tests."""
    monkeypatch.chdir(Path.cwd())
    monkeypatch.setattr("random.gauss", __import__("random").gauss)


def log_of(reader: RunReader, trial: str) -> list[str]:
    readable = "".join(c if c.isalnum() or c in "-_." else "_" for c in trial)
    (path,) = (reader.folder / "logs").glob(f"{readable}-*.log")
    return path.read_text().splitlines()


@pytest.mark.parametrize("way", LEAKS)
def test_a_later_method_sees_nothing_of_it(way: str, tmp_path: Path) -> None:
    before = signs()
    _, alone, _ = run(toy_suite(methods={"witness": Witness()}, seeds=(100,)), tmp_path / "alone")
    methods = {"leaking": Leaking(ways=way), "witness": Witness()}
    finished, reader, recorder = run(toy_suite(methods=methods, seeds=(100,)), tmp_path / "both")
    trial = "e/t/witness/100"
    assert log_of(reader, trial) == log_of(alone, trial)
    assert np.array_equal(reader.table(trial, "main")["error"], alone.table(trial, "main")["error"])
    assert signs() == before
    assert finished.summary.executed == 2
    left = reader.trials["e/t/leaking/100"].left
    assert left
    assert any(LEAKS[way][0] in text for text in left)
    assert reader.trials[trial].left == []
    assert any("e/t/leaking/100" in note and LEAKS[way][0] in note for note in recorder.notes)


def test_the_pool_replaces_the_worker(tmp_path: Path) -> None:
    methods = {"first": Witness(), "leaking": Leaking(ways=",".join(RESTORED)), "witness": Witness()}
    _, reader, _ = run(toy_suite(methods=methods, seeds=(100,)), tmp_path, engine="pool", workers=1)
    first, leaking, witness = (log_of(reader, f"e/t/{name}/100") for name in methods)
    assert witness[1] == first[1]
    assert first[0] == leaking[0], "workers are kept"
    assert witness[0] != leaking[0], "but for one in which state was left changed"
    found = "; ".join(reader.trials["e/t/leaking/100"].left)
    assert [way for way in RESTORED if LEAKS[way][0] not in found] == []


def test_what_is_put_back_in_time_is_no_leak(tmp_path: Path) -> None:
    _, reader, recorder = run(
        toy_suite(methods={"tidy": Tidy(), "noisy": Noisy(), "mean": Shrunk()}, seeds=(100, 101)), tmp_path
    )
    assert all(record.left == [] for record in reader.trials.values())
    assert not any("changed" in note for note in recorder.notes)


def test_what_libraries_set_up_for_themselves_is_no_leak(tmp_path: Path) -> None:
    methods = {"first": Using(), "second": Using()}
    _, reader, _ = run(toy_suite(methods=methods, seeds=(100,)), tmp_path)
    assert [(one.status, one.error, one.left) for one in reader.trials.values()] == [("ok", "", [])] * 2


@dataclass(frozen=True, kw_only=True)
class Using(Method[Numbers, float]):
    """Computes in processes that joblib keeps, loads data in others, and compiles."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        found = Parallel(n_jobs=2)(delayed(abs)(number) for number in (-1, -2))
        loader = DataLoader(TensorDataset(torch.zeros(2)), num_workers=1)
        twice = torch.compile(lambda x: x * 2, backend="eager")
        return float(sum(found) + sum(twice(part).sum() for (part,) in loader))


@dataclass(frozen=True, kw_only=True)
class Tidy(Method[Numbers, float]):
    """Changes state, and puts it back."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        with torch.inference_mode(), np.errstate(all="raise"):
            return 0.0


@dataclass(frozen=True, kw_only=True)
class Importing(Method[Numbers, float]):
    """Imports a module for the first time."""

    problem_type: ClassVar[type] = Numbers
    name: str = param("", source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        __import__(self.name)
        return 0.0


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("os.environ.setdefault('TESTS_IMPORTED', '1')", ""),
        ("warnings.filterwarnings('ignore', module='nobody')", ""),
        ("torch.set_default_dtype(torch.float64)", "default type of torch"),
    ],
)
def test_what_importing_a_library_sets_up_is_no_leak_of_the_trial(
    line: str, left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"imported_{abs(hash(line))}"
    (tmp_path / f"{name}.py").write_text(f"import os, warnings, torch\n{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("TESTS_IMPORTED", "")
    monkeypatch.delenv("TESTS_IMPORTED")
    suite = toy_suite(methods={"importing": Importing(name=name), "witness": Witness()}, seeds=(100,))
    _, reader, _ = run(suite, tmp_path)
    found = reader.trials["e/t/importing/100"].left
    assert (left in found[0]) if left else found == []
    assert "torch.float32" in log_of(reader, "e/t/witness/100")[1]
    sys.modules.pop(name, None)
    os.environ.pop("TESTS_IMPORTED", None)


def test_arms_of_a_timed_trial_see_nothing_of_each_other(tmp_path: Path) -> None:
    methods = {"leaking": Leaking(ways="type,seterr"), "witness": Witness()}
    suite = toy_suite(methods=methods, seeds=(100,), timed=Timed(blocks=3, warmup=1))
    _, reader, _ = run(suite, tmp_path)
    seen = {line for line in log_of(reader, "e/t/*/100") if line.startswith("[")}
    assert len(seen) == 1
    assert "torch.float32" in seen.pop()
    assert "default type of torch (float32 → float64)" in reader.trials["e/t/*/100"].left


@pytest.mark.parametrize("way", ["type", "environment", "warnings", "patch"])
def test_the_battery_catches_it(way: str, tmp_path: Path) -> None:
    failed = failures(Leaking(ways=way), tmp_path)
    assert LEAKS[way][0] in failed["first-and-tenth-trial"]


def test_the_battery_passes_what_leaves_nothing(tmp_path: Path) -> None:
    assert "first-and-tenth-trial" not in failures(Tidy(), tmp_path)


def test_no_declared_reason_excuses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leaking, "check_exceptions", {"first-and-tenth-trial": "it is random"})
    assert "first-and-tenth-trial" in failures(Leaking(ways="type"), tmp_path)


def failures(method: Method[Any, Any], tmp_path: Path) -> dict[str, str]:
    subject = Subject(method, MeanTask(), "toy/e/t", tmp_path)
    return {o.check: o.detail for o in run_battery(subject) if o.status == "failed"}
