"""A number over part of the units says so wherever it stands, and nothing is compared with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ExitCode
from tests.reliability import toys_reports
from tests.reliability.toys_reports import Shell, methods


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys.readouterr)


def test_an_added_methods_number_says_what_it_rests_on_in_every_format(shell: Shell) -> None:
    files = shell.report(shell.run(*methods("Three")), "csv", "markdown", "html", "latex")
    tables = ("csv/numbers.csv", "csv/added-e.csv", "tables/added-e.tex")
    for name in (*tables, "report.md", "index.html", "macros.tex"):
        assert "3 of 60 units" in files[name], name
    for name in ("csv/t1.csv", "tables/t1.tex"):
        assert "of 60 units" not in files[name], name


def test_a_command_of_latex_carries_the_remark_with_its_number(shell: Shell) -> None:
    macros = shell.report(shell.run(*methods("Three")), "latex")["macros.tex"]
    lines = [line for line in macros.splitlines() if "Three" in line and "newcommand" in line]
    plain = [line for line in lines if "Low" not in line and "High" not in line and "Interval" not in line]
    assert plain
    assert all("3 of 60 units" in line for line in plain)
    assert any("Coverage" in line for line in plain)


@pytest.mark.parametrize(
    ("way", "said"), [("three", "3 of 60 units"), ("twice", "12 rows too many"), ("empty", "0 of 60 units")]
)
def test_a_claim_over_part_of_the_units_is_not_comparable(shell: Shell, way: str, said: str) -> None:
    run = shell.run("--set", f"good.way={way}")
    assert shell("verdicts", str(run)) == ExitCode.OK
    verdict = shell.out[shell.out.index("C1") :]
    assert verdict.split("\n")[0].split()[1:3] == ["not", "comparable"]
    assert said in verdict.split("\n")[1]
    assert "C2      reproduced" in shell.out


def test_compare_and_regress_name_it(shell: Shell) -> None:
    whole, part = shell.run(), shell.run("--set", "good.way=three")
    assert shell("compare", str(whole), str(part)) == ExitCode.OK
    assert "'good' answers 3 of 60 units" in shell.out
    assert shell("regress", str(part), "--baseline", str(whole)) == ExitCode.LOST
    assert "'good' answers 3 of 60 units" in shell.out


@pytest.mark.parametrize("added", ["More", "Others", "Three"])
def test_what_a_guest_answers_changes_nothing_for_the_paper(shell: Shell, added: str) -> None:
    alone, beside = shell.run(), shell.run(*methods(added))
    reports = [shell.report(run) for run in (alone, beside)]
    assert reports[0]["csv/t1.csv"] == reports[1]["csv/t1.csv"]
    assert "rows" not in reports[1]["csv/t1.csv"]
    verdicts = []
    for run in (alone, beside):
        assert shell("verdicts", str(run)) == ExitCode.OK
        verdicts.append(shell.out.splitlines()[1:])
    assert verdicts[0] == verdicts[1]
    assert "units" in reports[1]["csv/added-e.csv"]


def test_a_partial_number_takes_no_part_in_bold(shell: Shell) -> None:
    table = shell.report(shell.run(*methods("Three")), "latex")["tables/added-e.tex"]
    assert [line.split(" & ")[0] for line in table.splitlines() if "mathbf" in line] == [r"\texttt{good}"]


def test_a_suite_may_say_that_units_are_the_methods_own(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.suite import OwnUnits

    own = (OwnUnits(experiment="e", why="a unit is what the method came upon"),)
    monkeypatch.setattr(toys_reports, "SUITE", replace(toys_reports.SUITE, own_units=own))
    files = shell.report(shell.run(*methods("Three")))
    assert "of 60 units" not in "".join(files.values())


def test_check_method_finds_it(shell: Shell) -> None:
    for name, code in (("Three", ExitCode.LOST), ("Twice", ExitCode.LOST), ("Fine", ExitCode.OK)):
        assert shell("check-method", f"{toys_reports.__name__}:{name}") == code, shell.out
        failed = [line.split()[1] for line in shell.out.splitlines() if " failed " in line]
        assert failed == ([] if code == ExitCode.OK else ["answers-every-unit"])
