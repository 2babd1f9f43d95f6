"""``corroborate noise``: what it runs, finds, prints and writes, and who reads it."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import pytest

from harness import cuda, processor
from harness.cli import main as cli
from harness.cli import noise_runs, suites
from harness.cli.noise_variants import variants
from harness.errors import CorroborateError, ExitCode
from harness.store import list_runs, open_run
from harness.store.noise import NOISE_FILE, read_noise
from harness.store.reader import parse
from harness.store.records import RunRecord
from tests.harness.cli import noisy
from tests.harness.cli.conftest import Shell
from tests.harness.running import request
from tests.harness.test_processor import ARM, INTEL

NOISE = ["noise", "noisy", "--engine", "inline"]
RUN = ["run", "noisy", "--engine", "inline", "--no-report"]


@pytest.fixture
def folder(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The folder of the only suite; every variant runs in this process, on an Intel processor."""
    point = EntryPoint("noisy", "tests.harness.cli.noisy:SUITE", suites.SUITE_GROUP)
    points = {suites.SUITE_GROUP: {"noisy": point}, suites.METHOD_GROUP: {}}
    monkeypatch.setattr(suites, "_points", points.__getitem__)
    place = tmp_path / "suite"
    place.mkdir()
    monkeypatch.setattr(noisy, "SUITE", replace(noisy.SUITE, folder=place))
    monkeypatch.setattr(noise_runs, "started", in_this_process)
    monkeypatch.setattr(cuda, "problems", lambda: ["There is no GPU"])
    monkeypatch.setenv("CORROBORATE_HOME", str(tmp_path / "home"))
    for name in processor._CHOICES:
        monkeypatch.delenv(name, raising=False)
    on(INTEL, monkeypatch, tmp_path)
    yield place
    processor.cpu_kernels.cache_clear()


def on(processor_text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(processor_text)
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    processor.cpu_kernels.cache_clear()


def in_this_process(arguments: list[str]) -> str:
    printed = io.StringIO()
    with mock.patch.dict(os.environ), contextlib.redirect_stdout(printed):
        _ = cli.main(["noise", *arguments])
    return printed.getvalue()


def found(shell: Shell, *options: str, code: ExitCode = ExitCode.OK) -> dict[str, Any]:
    assert shell(*NOISE, "--json", *options) == code, shell.err
    told: dict[str, Any] = json.loads(shell.out)
    return told


def test_every_variant_moves_theta_by_what_it_does(shell: Shell, folder: Path) -> None:
    told = found(shell, "--claim", "C1", "--set", "shifted.batch=8")
    [row] = told["rows"]
    assert row["moved"] == pytest.approx({name: abs(shift) for name, shift in noisy.SHIFTS.items()})
    floor = statistics.stdev([0.0, *noisy.SHIFTS.values()])
    assert row["floor"] == pytest.approx(floor)
    assert row["of_mean"] == pytest.approx(floor), "an environment moves all seeds alike here"
    assert (row["seeds"], row["margin"], row["enough"]) == (5, 0.01, False)
    measured = told["measurement"]
    assert measured["skipped"] == {"gpu": "There is no GPU"}
    environments = measured["environments"]
    assert "threads 2;" in environments["threads"][0]
    assert "ATEN_CPU_CAPABILITY=avx2" in environments["instructions"][0]
    assert environments["dtype"][0].endswith("weights in bfloat16")


def test_the_table_says_what_was_left_out_and_what_is_too_small(shell: Shell, folder: Path) -> None:
    assert shell(*NOISE, "--claim", "C1", "--seeds", "2") == ExitCode.OK
    heads, row, *notes = shell.out.splitlines()
    assert heads.split()[:2] == ["claim", "floor"]
    assert row.startswith("C1 ")
    assert row.endswith("score: shifted − plain")
    assert row.split()[-5] == "no"
    assert "left out: gpu: There is no GPU" in notes
    assert any(line.startswith("left out: batch: no --set") for line in notes)
    assert notes[-1] == "below twice the floor of the mean: C1"


def test_times_are_left_out_and_exact_claims_have_to_hold(shell: Shell, folder: Path) -> None:
    told = found(shell, "--seeds", "2", code=ExitCode.LOST)
    assert [row["claim"] for row in told["rows"]] == ["C1"]
    [broken] = told["broken"]
    assert broken.startswith("C3, dtype: A counterexample")


def test_what_nothing_heeds_is_said(shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(noisy.SHIFTS, "threads", 0.0)
    assert shell(*NOISE, "--claim", "C1", "--seeds", "2", "--variant", "threads") == ExitCode.OK
    assert "threads changed no row" in shell.out


def test_finished_trials_are_not_run_again(shell: Shell, folder: Path, tmp_path: Path) -> None:
    assert shell(*RUN, "--seeds", "2") == ExitCode.OK, shell.err
    _ = found(shell, "--claim", "C1", "--seeds", "2", "--variant", "threads")
    [baseline] = list_runs(tmp_path / "runs" / "noise" / "baseline")
    assert all(record.reused_from for record in open_run(baseline).trials.values() if record.kind == "trial")
    again = found(shell, "--claim", "C1", "--seeds", "2", "--variant", "threads")
    newest = open_run(list_runs(tmp_path / "runs" / "noise" / "threads")[-1])
    assert all(record.reused_from for record in newest.trials.values())
    assert again["rows"]
    assert len(list_runs(tmp_path / "runs")) == 1, "no variant is a suite's newest run"


def test_each_environment_builds_its_own_artifacts(shell: Shell, folder: Path, tmp_path: Path) -> None:
    _ = found(shell, "--claim", "C1", "--seeds", "1", "--variant", "threads", "--variant", "dtype")
    assert len(list((tmp_path / "home" / "artifacts").glob("base-*/artifact.json"))) == 3


def test_what_is_written_is_copied_when_a_run_starts(shell: Shell, folder: Path, tmp_path: Path) -> None:
    assert shell(*RUN, "--claim", "C1") == ExitCode.OK, shell.err
    before = open_run(list_runs(tmp_path / "runs")[-1]).verdicts
    assert shell(*NOISE, "--claim", "C1", "--seeds", "2", "--write") == ExitCode.OK, shell.err
    assert f"written to {folder / NOISE_FILE}" in shell.err
    floor = read_noise(folder, "noisy").claims("small")["C1"].floor
    assert floor > 0.001

    assert shell("plan", "noisy") == ExitCode.OK
    assert "caution: 0.01 is below twice the noise floor of the mean of 5 seeds" in shell.out
    assert shell(*RUN, "--claim", "C1") == ExitCode.OK, shell.err
    assert "below twice the noise floor" in shell.err
    old, new = (open_run(run) for run in list_runs(tmp_path / "runs"))
    assert (old.record.noise, new.record.noise) == ({}, {"C1": floor})
    assert new.verdicts is not None
    assert new.verdicts.verdicts[0].noise_floor == floor
    assert shell("verify", str(old.folder)) == ExitCode.OK, shell.out
    assert open_run(old.folder).verdicts == before

    (folder / NOISE_FILE).unlink()
    assert shell("verify", str(new.folder)) == ExitCode.OK, shell.out
    assert shell("report", str(new.folder), "--out", str(tmp_path / "report")) == ExitCode.OK, shell.err
    pages = "".join(page.read_text() for page in (tmp_path / "report").rglob("*.md"))
    assert "Noise floor" in pages


def test_a_plan_holds_older_results_to_the_floors_of_now(shell: Shell, folder: Path) -> None:
    assert shell(*RUN, "--claim", "C1") == ExitCode.OK, shell.err
    before = _detectable(shell)
    assert shell(*NOISE, "--claim", "C1", "--seeds", "2", "--write") == ExitCode.OK, shell.err
    floor = read_noise(folder, "noisy").claims("small")["C1"].floor
    assert before == 0.01, "without any spread, that is δ"
    above = statistics.NormalDist().inv_cdf(0.8) * floor / 8**0.5  # So that the estimate reaches δ in 80 %.
    assert _detectable(shell) == pytest.approx(0.01 + above, rel=0.005)


def _detectable(shell: Shell) -> float:
    assert shell("plan", "noisy", "--claim", "C1", "--seeds", "8", "--json") == ExitCode.OK, shell.err
    return float(json.loads(shell.out)["claims"][0]["detectable"])


def test_a_run_goes_on_with_the_floors_it_was_started_with(
    shell: Shell, folder: Path, tmp_path: Path
) -> None:
    assert shell(*NOISE, "--claim", "C1", "--seeds", "2", "--write") == ExitCode.OK, shell.err
    assert shell(*RUN, "--claim", "C1") == ExitCode.OK, shell.err
    [run] = list_runs(tmp_path / "runs")
    started = open_run(run).record.noise
    (folder / NOISE_FILE).unlink()
    assert shell(*RUN, "--claim", "C1", "--resume") == ExitCode.OK, shell.err
    assert open_run(run).record.noise == started != {}


def test_records_without_floors_still_read(shell: Shell, folder: Path, tmp_path: Path) -> None:
    assert shell(*RUN, "--seeds", "1") == ExitCode.OK, shell.err
    text = (list_runs(tmp_path / "runs")[0] / "run.json").read_text()
    older = json.loads(text)
    del older["noise"]
    assert parse(RunRecord, json.dumps(older), "old") == parse(RunRecord, text, "new")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--variant", "thread"], "Did you mean threads?"),
        (["--only", "bats"], "Did you mean batch or"),
        (["--claim", "C7"], "Unknown claim 'C7'"),
        (["--claim", "C2"], "Those that do: C1."),
        (["--claim", "C3"], "Those that do: C1."),
        (["--profile", "smoke"], "None of the claims rests on a statistic"),
        (["--variant", "gpu"], "gpu: There is no GPU"),
        (["--set", "shifted.batch=8", "--variant", "threads"], "Only the variant 'batch' has settings"),
        (["--only", "baseline", "--write"], "not with --write"),
        (["--only", "baseline", "--variant", "threads"], "not with --variant"),
        (["--only", "gpu"], "cannot be run here: There is no GPU"),
        (["--variant", "batch"], "no --set METHOD.PARAMETER=VALUE"),
        (["--set", "shifted.bach=8"], "Did you mean batch or"),
        (["--seeds", "0"], "At least one seed"),
        (["--workers", "0"], "At least one worker"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    options: list[str], message: str, shell: Shell, folder: Path, tmp_path: Path
) -> None:
    assert shell(*NOISE, *options) == ExitCode.USAGE
    assert message in shell.err
    assert not (tmp_path / "runs").exists()


def test_a_processor_without_older_kernels_says_so(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on(ARM, monkeypatch, tmp_path)
    assert shell(*NOISE, "--variant", "instructions") == ExitCode.USAGE
    assert "no older instruction set" in shell.err


@pytest.mark.parametrize(("device", "dtype"), [("cpu", "bfloat16"), ("cuda", "float32")])
def test_a_gpu_is_a_variant_of_the_cpu(
    device: Literal["cpu", "cuda"], dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "problems", list)
    asked = replace(request(noisy.SUITE, tmp_path), device=device)
    found = variants(asked)
    assert found["dtype"].changed(asked).dtype == dtype
    assert bool(found["gpu"].missing) == (device == "cuda")
    there = found["gpu"].changed(asked)
    assert (there.device, there.limits.device, there.planner.dtype) == ("cuda", "cuda", "bfloat16")


def test_a_damaged_record_is_told_before_anything_runs(shell: Shell, folder: Path, tmp_path: Path) -> None:
    (folder / NOISE_FILE).write_text("{")
    assert shell(*NOISE, "--write") == ExitCode.INFRASTRUCTURE
    assert NOISE_FILE in shell.err
    assert "delete it and measure: corroborate noise noisy --write" in shell.err
    assert not (tmp_path / "runs").exists()


def test_a_variant_runs_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line that is started is this one's, and its failure is told."""
    assert noise_runs.started(["--help"]).startswith("usage: corroborate noise")
    monkeypatch.setattr(noise_runs, "_options", lambda _: ["no-such-suite"])
    with pytest.raises(CorroborateError, match="'dtype' did not come to its end"):
        _ = noise_runs.run_apart(argparse.Namespace(), "dtype")
