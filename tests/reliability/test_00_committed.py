"""Committed results can be read by name wherever a run can, and the index leads to their reports."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.errors import ExitCode
from harness.evidence.compare import compare_runs
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.harness.evidence.worlds import SMALL, claim, direction, run_of, seeded, suite
from tests.reliability.committed import committed, finished, own_suite_folder

shell = conftest.shell


@pytest.fixture
def run(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A run of the demo suite whose results are committed as well."""
    own_suite_folder(monkeypatch, tmp_path / "suite")
    references = {"demo": tmp_path / "suite" / "reference"}
    monkeypatch.setattr("harness.cli.report.reference_folders", lambda: references)
    made = finished(shell)
    committed(shell, made, tmp_path / "suite" / "reference" / "small", cut=True)
    return made


def test_a_run_is_compared_with_the_committed_results(shell: Shell, run: Path) -> None:
    assert shell("compare", str(run), "reference") == ExitCode.OK, shell.err
    assert f"right {Path('suite/reference/small').absolute()}" in shell.out
    assert shell("compare", "reference", "demo") == ExitCode.OK
    assert f"right {run.name}" in shell.out or f"right runs/{run.name}" in shell.out
    assert shell("compare", "reference", "reference") == ExitCode.USAGE
    assert "Name a run" in shell.err


@pytest.mark.parametrize("profile", [[], ["--profile", "small"]])
@pytest.mark.parametrize("command", [["verdicts", "demo"], ["table", "demo", "t1"], ["report", "demo"]])
def test_commands_that_read_a_run_read_committed_results(
    shell: Shell, run: Path, command: list[str], profile: list[str]
) -> None:
    assert shell(*command, "--reference", *profile) == ExitCode.OK, shell.err
    assert "committed in" in shell.err


def test_what_is_not_committed_is_a_usage_error_that_says_what_is(shell: Shell, run: Path) -> None:
    assert shell("verdicts", "demo", "--reference", "--profile", "smal") == ExitCode.USAGE
    assert "Did you mean small" in shell.err
    assert shell("verdicts", "demo", "--profile", "small") == ExitCode.USAGE
    assert "demo-small" in shell.err
    assert shell("table", "demo", "t1", "--run", str(run), "--reference") == ExitCode.USAGE


def test_the_index_leads_to_reports_on_committed_results(shell: Shell, run: Path, tmp_path: Path) -> None:
    assert shell("report", "--index") == ExitCode.OK
    page = (tmp_path / "runs" / "index.html").read_text()
    command = "corroborate report demo --reference --profile small"
    assert command in page
    assert "references/" not in page
    assert shell(*command.split()[1:]) == ExitCode.OK
    assert shell("report", "--index") == ExitCode.OK
    page = (tmp_path / "runs" / "index.html").read_text()
    assert 'href="references/demo-small/index.html"' in page
    assert (tmp_path / "runs" / "references" / "demo-small" / "index.html").is_file()


@pytest.mark.parametrize("command", [["compare", "{run}", "reference"], ["regress", "{run}"]])
def test_comparisons_say_that_they_are_with_committed_results(
    shell: Shell, run: Path, command: list[str]
) -> None:
    assert shell(*(argument.format(run=run) for argument in command)) == ExitCode.OK, shell.err
    assert "committed in" in shell.err


def test_rows_left_out_are_not_called_trials_that_were_never_planned() -> None:
    declared = suite([claim(direction())])
    left, right = (run_of(seeded(np.array([0.1, 0.2, 0.3])), declared) for _ in range(2))
    left.omitted = frozenset(trial for trial in left.trials if "/b/" in trial)
    found = compare_runs(declared, SMALL, left, right)
    assert [effect.seeds for effect in found.effects] == [3]
    assert found.skipped
    for skipped in found.skipped:
        assert "committed results leave rows out for their size" in skipped.reason


def test_a_report_on_a_copy_does_not_take_the_place_of_the_suites_own(
    shell: Shell, run: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(tmp_path / "suite" / "reference" / "small", tmp_path / "copied" / "small")
    assert shell("report", str(copied)) == ExitCode.OK, shell.err
    assert shell("report", "--index") == ExitCode.OK
    assert "references/" not in (tmp_path / "runs" / "index.html").read_text()
    assert shell("report", "demo", "--reference") == ExitCode.OK, shell.err
    made = [path.name for path in (tmp_path / "runs" / "references").iterdir()]
    assert len(made) == 2
    assert "demo-small" in made


def test_known_tables_are_listed_once(shell: Shell, run: Path) -> None:
    assert shell("table", "demo", "t9", "--run", str(run)) == ExitCode.USAGE
    known = shell.err.partition("Known: ")[2].partition(".")[0].split(", ")
    assert len(known) == len(set(known))
