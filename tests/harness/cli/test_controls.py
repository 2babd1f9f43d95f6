"""``corroborate controls``: the matrix of a run, and the gate on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import controls
from harness.cli import main as cli
from harness.cli.runs import OpenedRun, judged
from harness.errors import ExitCode
from harness.store.records import VerdictsRecord
from tests.harness.cli.conftest import Shell
from tests.harness.evidence.test_control_score import cell


def test_committed_results_have_a_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["controls", "promot", "--reference"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "C1" in out.splitlines()[1].split()
    assert "as predicted" in out
    assert cli.main(["controls", "promot", "--reference", "--json"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    total = found["score"]["exact"]["total"] + found["score"]["measured"]["total"]
    assert total == len(found["cells"]) > 5


def test_what_is_not_as_predicted_is_named_and_fails_the_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_miss(run: OpenedRun) -> VerdictsRecord:
        record = judged(run)
        missed = cell("C1", "kill", "keep").model_copy(update={"control": record.controls[0].control})
        return record.model_copy(update={"controls": [missed]})

    monkeypatch.setattr(controls, "judged", with_a_miss)
    assert cli.main(["controls", "promot", "--reference", "--check"]) == ExitCode.LOST
    out = capsys.readouterr().out
    assert "kill predicted, keep" in out
    assert "0 of 1 cell as predicted (0 %)" in out


def test_a_run_without_judged_controls_says_so(shell: Shell, tmp_path: Path) -> None:
    arguments = ["--profile", "small", "--engine", "inline", "--no-report"]
    assert shell("run", "demo", *arguments) == ExitCode.OK
    assert shell("controls", "demo") == ExitCode.OK
    assert "no control was judged" in shell.out
