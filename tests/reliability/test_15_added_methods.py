"""The report lists every added method: what failed as failed, what came later as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reliability.toys_reports import Shell, methods


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys.readouterr)


def test_a_failed_method_is_shown_with_the_last_line_of_its_error(shell: Shell) -> None:
    files = shell.report(shell.run(*methods("Fails", "Fine")), "csv", "markdown", "html")
    said = files["csv/added-parameters-e.csv"]
    assert "5 failed; e/t/fails/100 RuntimeError: it never worked" in said
    values = files["csv/added-e.csv"]
    assert "fails,not measured: 5 of 5 trials without a result (failed): e/t/fails/100" in values
    for name in ("report.md", "index.html"):
        assert "it never worked" in files[name]
    assert ",fine,0." in values


def test_a_method_that_the_first_command_did_not_name_is_listed(shell: Shell) -> None:
    run = shell.run(*methods("Fine"))
    path = run / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    # As a resumed run has it: the plan is of the last command, the command line of the first.
    record["provenance"]["command"] = ["corroborate", "run", "answers"]
    path.write_text(json.dumps(record), encoding="utf-8")
    files = shell.report(run, "csv", "markdown")
    assert "Methods added to this run" in files["report.md"]
    assert "fine," in files["csv/added-e.csv"]


def test_a_run_without_guests_has_no_such_section(shell: Shell) -> None:
    assert "Methods added" not in shell.report(shell.run(), "markdown")["report.md"]
