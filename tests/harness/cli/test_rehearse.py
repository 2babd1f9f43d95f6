"""``corroborate rehearse``: all arms, told one by one, and never taken for results."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness import cuda
from harness.errors import ExitCode
from harness.resources import write_split
from harness.store import list_runs, open_run
from harness.suite import Experiment, Rehearsal, Scale
from tests.harness.cli import demo
from tests.harness.cli.conftest import Shell

REHEARSE = ["rehearse", "demo", "--engine", "inline", "--profile", "small"]


@dataclass(frozen=True)
class Few:
    """Stands in for the numbers."""

    def make(self, folder: Path) -> None:
        write_split(folder, "test", [{"n": 1}])


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal(stand_ins={"numbers": Few()}, sizes={"Centres.sets": 5})
    monkeypatch.setattr(demo, "SUITE", replace(demo.SUITE, rehearsal=rehearsal))


def rehearsals(tmp_path: Path) -> list[Path]:
    return list_runs(tmp_path / "runs" / "rehearsals")


def test_every_arm_runs_in_both_types(shell: Shell, tmp_path: Path) -> None:
    assert shell(*REHEARSE, "--json", "out/arms.json") == ExitCode.OK, shell.err + shell.out
    assert "heavy/t2: 2 of 2 arms ran" in shell.out
    assert "2 of 2 rehearsals ran every arm" in shell.out
    told = json.loads((tmp_path / "out" / "arms.json").read_text())
    assert [(one["dtype"], one["passed"]) for one in told] == [("float32", True), ("bfloat16", True)]
    assert {arm["method"]: arm["status"] for arm in told[0]["arms"]} == {"mean": "ran", "trimmed": "ran"}


def test_the_run_says_that_it_is_a_rehearsal(shell: Shell, tmp_path: Path) -> None:
    shell(*REHEARSE, "--dtype", "bfloat16")
    (folder,) = rehearsals(tmp_path)
    run = open_run(folder)
    assert run.record.rehearsal is not None
    assert run.record.rehearsal.model_dump() == {
        "dtype": "bfloat16",
        "stand_ins": ["numbers"],
        "reduced": {"Centres.sets": "30 → 5"},
    }
    assert run.verdicts is not None
    assert {v.verdict for v in run.verdicts.verdicts} == {"not comparable", "not run"}
    assert "stand in for what the profile declares" in (folder / "report" / "report.md").read_text()
    assert list_runs(tmp_path / "runs") == []


def test_nothing_takes_its_numbers(shell: Shell, tmp_path: Path) -> None:
    shell(*REHEARSE, "--dtype", "float32")
    (folder,) = rehearsals(tmp_path)
    shell("run", "demo", "--engine", "inline", "--no-report")
    (real,) = list_runs(tmp_path / "runs")
    commands = [
        ["reference", str(folder), "--out", "ref"],
        ["regress", str(folder), "--baseline", str(real)],
        ["table", "demo", "errors", "--run", str(folder)],
    ]
    for command in commands:
        assert shell(*command) == ExitCode.USAGE
        assert "rehearsal on stand-ins" in shell.err
    assert shell("regress", str(real), "--baseline", str(folder)) == ExitCode.USAGE
    for one in (real, folder):
        assert shell("compare", str(one), str(folder)) == ExitCode.NOTHING_COMPARABLE
        assert "rehearsal" in shell.out


def test_a_gpu_that_is_not_there_is_told_before_anything_runs(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: cuda.Driver(missing="There is no driver"))
    assert shell(*REHEARSE, "--device", "cuda") == ExitCode.INFRASTRUCTURE
    assert "There is no driver" in shell.err
    assert rehearsals(tmp_path) == []


def test_a_broken_arm_is_named_with_its_error(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def experiments(scale: Scale) -> list[Experiment]:
        (one,) = demo.experiments(scale)
        return [replace(one, methods={**one.methods, "picky": demo.Picky(limit=2)})]

    monkeypatch.setattr(demo, "SUITE", replace(demo.SUITE, experiments=experiments))
    assert shell(*REHEARSE, "--dtype", "float32", "--json", "arms.json") == ExitCode.INFRASTRUCTURE
    assert "picky: failed: harness.errors.ProblemError: More than 2 sets are too many" in shell.out
    assert "trial heavy/t2/picky/100" in shell.out
    (told,) = json.loads((tmp_path / "arms.json").read_text())
    assert not told["passed"]
    assert "Traceback" in next(arm["error"] for arm in told["arms"] if arm["method"] == "picky")


def test_an_arm_may_stop_where_a_random_model_must(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def experiments(scale: Scale) -> list[Experiment]:
        (one,) = demo.experiments(scale)
        return [replace(one, methods={**one.methods, "picky": demo.Picky(limit=2)})]

    for words, code in (("are too many", ExitCode.OK), ("are too few", ExitCode.INFRASTRUCTURE)):
        rehearsal = replace(demo.SUITE.rehearsal, stops={"heavy/t2/picky": words})
        suite = replace(demo.SUITE, experiments=experiments, rehearsal=rehearsal)
        monkeypatch.setattr(demo, "SUITE", suite)
        assert shell(*REHEARSE, "--dtype", "float32") == code
    assert "picky: failed" in shell.out


def test_what_cannot_be_had_is_no_success(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(demo.NUMBERS, name="secret", sources=())

    def experiments(scale: Scale) -> list[Experiment]:
        (one,) = demo.experiments(scale)
        return [replace(one, tasks={"t2": demo.Centres(data=missing)})]

    monkeypatch.setattr(demo, "SUITE", replace(demo.SUITE, experiments=experiments))
    assert shell(*REHEARSE, "--dtype", "float32") == ExitCode.INFRASTRUCTURE
    assert "not planned: The dataset 'secret' is missing" in shell.out


def test_a_suite_must_be_named(shell: Shell) -> None:
    assert shell("rehearse") == ExitCode.USAGE
    assert "Name suites, or give --all" in shell.err
    assert shell("rehearse", "demmo") == ExitCode.USAGE
    assert "demo" in shell.err
