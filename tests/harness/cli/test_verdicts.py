"""The commands that read a finished run: ``verdicts``, ``report`` and ``table``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.claims.forms import FORMS
from harness.cli.evidence_lines import evidence_lines
from harness.cli.verdicts import verdict_lines
from harness.errors import ExitCode
from harness.evidence import judge
from harness.store import list_runs, open_run
from harness.store.records import VerdictRecord, VerdictsRecord
from tests.harness.cli.conftest import Shell
from tests.harness.evidence.form_cases import CASES
from tests.harness.evidence.worlds import suite

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(shell: Shell, tmp_path: Path) -> Path:
    """A finished run of the demo suite."""
    arguments = ["--profile", "small", "--engine", "inline", "--no-report"]
    assert shell("run", "demo", *arguments) == ExitCode.OK, shell.err
    (folder,) = list_runs(tmp_path / "runs")
    return folder


def test_verdicts_are_stored_by_the_run_and_printed_by_readers(shell: Shell, run: Path) -> None:
    stored = open_run(run).verdicts
    assert stored is not None
    assert [verdict.claim for verdict in stored.verdicts] == ["C1", "C2"]
    assert stored.verdicts[0].verdict == "reproduced"
    (run / "verdicts.json").unlink()
    assert shell("verdicts", "demo") == ExitCode.OK
    assert "C1" in shell.out
    assert "closed" in shell.out
    assert not (run / "verdicts.json").exists()


def test_a_compound_claim_comes_before_its_parts_and_both_are_counted() -> None:
    single = VerdictRecord(
        claim="C1", form="Direction", verdict="reproduced", reason="As said.", scope="here"
    )
    parts = [
        single.model_copy(update={"claim": f"C2{letter}", "parent": "C2", "verdict": verdict})
        for letter, verdict in (("a", "reproduced"), ("b", "inconclusive"))
    ]
    whole = single.model_copy(update={"claim": "C2", "form": "Compound", "verdict": "inconclusive"})
    last = single.model_copy(update={"claim": "C3", "verdict": "not run"})
    verdicts = [single, *parts, last]
    record = VerdictsRecord(run="r", suite="s", profile="small", verdicts=verdicts, wholes=[whole])
    assert [verdict.claim for verdict in record.in_order()] == ["C1", "C2", "C2a", "C2b", "C3"]
    lines = verdict_lines(record)
    assert [line for line in lines if "C2" in line] == [
        " ? C2      inconclusive",
        "   + C2a     reproduced",
        "   ? C2b     inconclusive",
    ]
    assert lines[-2:] == [
        "3 claims: 1 reproduced, 1 inconclusive, 1 not run",
        "2 parts: 1 reproduced, 1 inconclusive",
    ]


@pytest.mark.parametrize(
    ("needed", "why", "replication", "told"),
    [
        (
            {"θ = 2δ": 1200, "θ = 0": None},
            "",
            "seeds",
            "1,200 seeds if θ = 2δ; more than 10,000 seeds if θ = 0",
        ),
        ({"θ = 0": 12}, "", "blocks", "12 blocks if θ = 0"),
        ({}, "the units are fixed", "units", "no number of seeds: the units are fixed"),
    ],
)
def test_an_open_claim_says_what_would_settle_it(
    needed: dict[str, int | None], why: str, replication: str, told: str
) -> None:
    verdict = VerdictRecord(
        claim="C1",
        form="Direction",
        verdict="inconclusive",
        reason="Open.",
        scope="here",
        replication=replication,
        needed_seeds=needed,
        no_seeds=why,
    )
    lines = verdict_lines(VerdictsRecord(run="r", suite="s", profile="small", verdicts=[verdict]))
    assert f"           settled by {told}" in lines


def test_verdicts_as_json(shell: Shell, run: Path) -> None:
    assert shell("verdicts", str(run), "--json", "--claim", "C2") == ExitCode.OK
    (verdict,) = json.loads(shell.out)["verdicts"]
    assert (verdict["claim"], verdict["verdict"]) == ("C2", "not run")


def test_an_unknown_claim_gives_the_nearest(shell: Shell, run: Path) -> None:
    assert shell("verdicts", run.name, "--claim", "C3") == ExitCode.USAGE
    assert "C1" in shell.err


@pytest.mark.parametrize("command", [["verdicts"], ["report"]])
def test_an_unknown_run_gives_the_nearest(shell: Shell, run: Path, command: list[str]) -> None:
    assert shell(*command, "demp-small") == ExitCode.USAGE
    assert run.name in shell.err


def test_no_run_at_all(shell: Shell) -> None:
    assert shell("verdicts", "demo") == ExitCode.USAGE
    assert "corroborate run" in shell.err


def test_a_record_of_another_schema_is_refused(shell: Shell, run: Path) -> None:
    raw = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(raw | {"schema_version": 99}))
    assert shell("verdicts", "demo") == ExitCode.INFRASTRUCTURE
    assert "99" in shell.err


def test_missing_unit_rows_are_said_and_not_guessed(shell: Shell, run: Path) -> None:
    next((run / "rows").glob("*.parquet")).unlink()
    assert shell("verdicts", "demo", "--claim", "C1", "--json") == ExitCode.OK
    (verdict,) = json.loads(shell.out)["verdicts"]
    assert (verdict["verdict"], verdict["cause"]) == ("inconclusive", "invalid")


def test_a_run_that_cannot_be_written_is_judged_all_the_same(shell: Shell, run: Path) -> None:
    from harness.store import RunWriter

    (run / "verdicts.json").unlink()
    with RunWriter(run):
        assert shell("verdicts", "demo") == ExitCode.OK
    assert not (run / "verdicts.json").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["report"], "--index"),
        (["report", "demo", "--format", "htm"], "html"),
        (["table", "dmo", "t1"], "demo"),
    ],
)
def test_wrong_names_are_usage_errors(shell: Shell, arguments: list[str], part: str) -> None:
    assert shell(*arguments) == ExitCode.USAGE
    assert part in shell.err


def test_a_table_is_printed_or_written(shell: Shell, run: Path, tmp_path: Path) -> None:
    assert shell("table", "demo", "t1") == ExitCode.OK
    assert r"\begin{tabular}" in shell.out
    assert run.name in shell.out
    printed = shell.out
    assert shell("table", "demo", "t1", "--run", str(run), "--out", str(tmp_path / "t1.tex")) == ExitCode.OK
    assert (tmp_path / "t1.tex").read_text().strip() == printed.strip()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["t2"], "Did you mean t1"),
        (["t1", "--format", "latx"], "latex"),
        (["gpu-only"], "Name a run under gpu"),
        (["gpu-place"], "Name a run under gpu"),
    ],
)
def test_wrong_tables_are_usage_errors(shell: Shell, run: Path, arguments: list[str], part: str) -> None:
    assert shell("table", "demo", *arguments) == ExitCode.USAGE
    assert part in shell.err


def test_reports_are_written_in_the_chosen_formats(shell: Shell, run: Path, tmp_path: Path) -> None:
    assert shell("report", "demo", "--format", "markdown", "--out", str(tmp_path / "out")) == ExitCode.OK
    suffixes = {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert ".md" in suffixes
    assert ".html" not in suffixes
    assert shell("report", "demo", "--format", "junit", "--columns", "single") == ExitCode.OK
    assert (run / "report" / "junit.xml").is_file()
    assert shell("report", "demo") == ExitCode.OK
    assert list((run / "report").rglob("*.html"))


def test_an_interrupted_run_has_a_report_of_what_there_is(shell: Shell, run: Path) -> None:
    lines = (run / "trials.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "trials.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    for name in ("verdicts.json", "manifest.json"):
        (run / name).unlink()
    assert shell("report", "demo", "--format", "markdown") == ExitCode.OK
    assert "the run is incomplete: 1 of 10 planned trials have not finished" in shell.err
    assert "1 of 5 trials have not finished" in (run / "report" / "report.md").read_text(encoding="utf-8")
    assert shell("verdicts", "demo") == ExitCode.OK
    assert "is incomplete" in shell.err
    assert "inconclusive" in shell.out


def test_the_index_lists_the_runs(shell: Shell, run: Path) -> None:
    assert shell("report", "--index") == ExitCode.OK
    assert run.name in Path(shell.out.strip()).read_text()


def test_list_names_the_tables_of_its_profile(shell: Shell) -> None:
    for profile, shown in (("small", False), ("gpu", True)):
        assert shell("list", "demo", "--profile", profile) == ExitCode.OK
        assert "t1" in shell.out
        assert [("gpu-only" in shell.out), ("gpu-place" in shell.out)] == [shown, shown]


def test_a_claim_that_is_asked_for_is_told_with_its_rule_and_its_numbers(shell: Shell, run: Path) -> None:
    stored = open_run(run).verdicts
    assert stored is not None
    verdict = stored.verdicts[0]
    [test] = verdict.tests
    assert shell("verdicts", "demo") == ExitCode.OK
    assert "rule:" not in shell.out
    assert shell("verdicts", "demo", "--claim", "C1") == ExitCode.OK
    lines = [line.strip() for line in shell.out.splitlines()]
    form = FORMS[verdict.form]
    module = f"harness/claims/forms/{verdict.form.lower()}.py"
    assert f"rule: {verdict.form}, {form.meaning} ({module})" in lines
    assert (ROOT / module).is_file()
    assert f"Smallest effect δ = {verdict.delta:g}: {verdict.delta_reason}" in lines
    assert f"p₊ tests θ ≤ 0, p₋ tests θ ≥ δ; drawn again: {verdict.replication}" in lines
    [told] = [line for line in lines if line.startswith("θ in each replicate: ")]
    assert [float(word) for word in told.split(": ")[1].split()] == pytest.approx(test.replicates, rel=1e-3)
    [cells] = [line for line in lines if line.startswith("its cells: ")]
    assert all(label in cells for label in test.cell_labels)


def test_the_modules_that_name_a_claim_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "suites" / "toy"
    folder.mkdir(parents=True)
    for name, text in {"claims.py": '{"C1": 1}', "tables.py": '"C10"', "paper.toml": 'id = "C1"'}.items():
        (folder / name).write_text(text)
    told = {"claim": "C1", "form": "NotRun", "verdict": "not run", "reason": "", "scope": ""}
    record = VerdictRecord.model_validate(told)
    lines = list(evidence_lines(record, replace(suite([]), folder=folder)))
    assert "named in: suites/toy/claims.py, suites/toy/paper.toml" in lines


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_can_be_explained(name: str) -> None:
    case = CASES[name]
    for run in case.runs.values():
        [verdict] = judge(case.suite, case.scale, run).verdicts
        text = "\n".join(evidence_lines(verdict, case.suite))
        assert case.form.meaning in text
        assert text.count("θ in each replicate") == sum(bool(test.replicates) for test in verdict.tests)
