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
    score = found["score"]
    counted = score["exact"]["total"] + score["measured"]["total"]
    assert counted + len(score["open"]) == len(found["cells"]) > 5


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


@pytest.mark.parametrize("verdict", ["reproduced", "not reproduced", "inconclusive"])
def test_open_cells_are_told_apart_and_fail_nothing(
    verdict: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_open = verdict != "reproduced"

    def with_an_undecided_cell(run: OpenedRun) -> VerdictsRecord:
        record = judged(run)
        one = next(one for one in record.verdicts if one.claim == "C1")
        given = [one.model_copy(update={"verdict": verdict})]
        return record.model_copy(update={"verdicts": given, "controls": [cell("C1", "kill", "undecided")]})

    monkeypatch.setattr(controls, "judged", with_an_undecided_cell)
    expected = ExitCode.OK if is_open else ExitCode.LOST
    assert cli.main(["controls", "promot", "--reference", "--check"]) == expected
    out = capsys.readouterr().out
    assert ("no effect to lose" in out) is is_open
    assert f" {'~' if is_open else '?'} no-rate on C1: kill predicted, undecided" in out
    assert f"0 of {0 if is_open else 1} cell" in out
    assert cli.main(["controls", "promot", "--reference", "--json"]) == ExitCode.OK
    listed = json.loads(capsys.readouterr().out)["score"]["open"]
    assert listed == ([{"control": "no-rate", "claim": "C1"}] if is_open else [])


def test_a_run_without_judged_controls_says_so(shell: Shell, tmp_path: Path) -> None:
    arguments = ["--profile", "small", "--engine", "inline", "--no-report"]
    assert shell("run", "demo", *arguments) == ExitCode.OK
    assert shell("controls", "demo") == ExitCode.OK
    assert "no control was judged" in shell.out
