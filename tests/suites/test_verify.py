"""Every suite's smoke run is proved: derived again from its records, and drawn trials run again."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from harness.cli import main as cli
from harness.errors import ExitCode
from harness.store import list_runs

SUITES = sorted(point.name for point in entry_points(group="corroborate.suites"))


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_smoke_runs_are_proved(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CORROBORATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORROBORATE_RUNS", str(tmp_path / "runs"))
    cli.main(["run", suite, "--profile", "smoke", "--engine", "inline", "--device", "cpu"])
    (run,) = list_runs(tmp_path / "runs")
    reference = tmp_path / "reference"
    assert cli.main(["reference", str(run), "--out", str(reference)]) == ExitCode.OK
    for stored in (run, reference):
        capsys.readouterr()
        options = ["--rerun", "2", "--seed", "1", "--engine", "inline", "--json"]
        code = cli.main(["verify", str(stored), *options])
        told = capsys.readouterr().out
        assert code == ExitCode.OK, told
        again = next(c for c in json.loads(told)["checks"] if c["kind"] == "trials run again")
        assert again["equal"] == 2
