"""The commands that set two runs side by side: ``compare`` and ``regress``."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.cli.ci import Case, annotation, write_junit
from harness.cli.regress import _case, _exit_code
from harness.declared.noise import SharedNoise
from harness.errors import ExitCode
from harness.evidence import lost
from harness.evidence.outcomes import Item
from harness.evidence.regress import Overall, Regression
from harness.store import list_runs
from tests.harness.cli import demo
from tests.harness.cli.conftest import Shell
from tests.reliability.committed import as_before

RUN = ["run", "demo", "--engine", "inline", "--no-report", "--fresh"]
WORSE = ["--set", "trimmed.share=0.0"]


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "SUITE", replace(demo.SUITE, folder=tmp_path / "suite"))


def made(shell: Shell, tmp_path: Path, *options: str) -> str:
    """The name of a new run."""
    assert shell(*RUN, *options) == ExitCode.OK, shell.err
    return list_runs(tmp_path / "runs")[-1].name


def test_equal_runs_are_the_same(shell: Shell, tmp_path: Path) -> None:
    one, other = made(shell, tmp_path), made(shell, tmp_path)
    assert one != other
    assert shell("compare", one, other) == ExitCode.OK
    assert "the unit rows are equal" in shell.out
    assert shell("regress", other, "--baseline", one) == ExitCode.OK
    assert shell.out.splitlines()[-1].startswith("same")


def test_what_got_worse_is_lost(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = made(shell, tmp_path), made(shell, tmp_path, *WORSE)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    junit = tmp_path / "out" / "junit.xml"
    assert shell("regress", bad, "--baseline", good, "--junit", str(junit)) == ExitCode.LOST
    assert "::error title=corroborate demo::" in shell.out
    root = ET.parse(junit).getroot()  # noqa: S314 - our own file
    assert int(root.get("failures", "0")) >= 1
    assert {item.get("name") for item in root.iter("property")} >= {"run", "commit", "profile"}
    assert any("reproduced" in (item.get("message") or "") for item in root.iter("failure"))
    assert shell("compare", good, bad) == ExitCode.OK
    assert "parameter trimmed.share: 0.25 | 0.0" in shell.out


def test_what_got_better_is_no_failure(shell: Shell, tmp_path: Path) -> None:
    good, bad = made(shell, tmp_path), made(shell, tmp_path, *WORSE)
    assert shell("regress", good, "--baseline", bad) == ExitCode.OK
    assert shell.out.splitlines()[-1].startswith("improved")


def test_the_committed_reference_is_the_default_baseline(shell: Shell, tmp_path: Path) -> None:
    made(shell, tmp_path)
    assert shell("regress", "demo") == ExitCode.USAGE
    assert "corroborate reference" in shell.err
    assert shell("reference", "demo") == ExitCode.OK
    before = sorted((path.name, path.read_bytes()) for path in (tmp_path / "suite").rglob("*.json*"))
    made(shell, tmp_path)
    assert shell("regress", "demo", "--baseline", "reference") == ExitCode.OK
    assert sorted((path.name, path.read_bytes()) for path in (tmp_path / "suite").rglob("*.json*")) == before


def test_a_wide_run_is_a_baseline_of_a_plain_one(shell: Shell, tmp_path: Path) -> None:
    made(shell, tmp_path, "--full")
    assert shell("reference", "demo") == ExitCode.OK
    made(shell, tmp_path)
    assert shell("regress", "demo") == ExitCode.OK
    assert "small-full" in shell.out


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("same", ExitCode.OK),
        ("improved", ExitCode.OK),
        ("regressed", ExitCode.LOST),
        ("too little compared", ExitCode.NOTHING_COMPARABLE),
        ("nothing comparable", ExitCode.NOTHING_COMPARABLE),
    ],
)
def test_only_what_was_compared_and_not_lost_passes(outcome: Overall, code: ExitCode) -> None:
    assert _exit_code(Regression(outcome, "", ()), {}) == code
    assert _exit_code(Regression(outcome, "", ()), {"e/t/m/100": "not run"}) == ExitCode.INFRASTRUCTURE


def test_another_profile_is_nothing_to_compare(shell: Shell, tmp_path: Path) -> None:
    small, smoke = made(shell, tmp_path), made(shell, tmp_path, "--profile", "smoke")
    assert shell("regress", smoke, "--baseline", small) == ExitCode.NOTHING_COMPARABLE
    assert shell("compare", small, smoke) == ExitCode.NOTHING_COMPARABLE
    assert "profile: small | smoke" in shell.out


def test_a_run_that_was_cut_off_is_no_regression(shell: Shell, tmp_path: Path) -> None:
    good, cut = made(shell, tmp_path), made(shell, tmp_path)
    trials = tmp_path / "runs" / cut / "trials.jsonl"
    lines = trials.read_text().splitlines(keepends=True)
    trials.write_text("".join(lines[:-3]))
    junit = tmp_path / "junit.xml"
    assert shell("regress", cut, "--baseline", good, "--junit", str(junit)) == ExitCode.INFRASTRUCTURE
    assert ET.parse(junit).getroot().get("errors") == "3"  # noqa: S314 - our own file


def test_a_comparison_as_json(shell: Shell, tmp_path: Path) -> None:
    one = made(shell, tmp_path)
    shutil.copytree(tmp_path / "runs" / one, tmp_path / "copy")
    assert shell("compare", one, "copy", "--json") == ExitCode.OK
    comparison = json.loads(shell.out)
    assert comparison["answer"] == "comparable"
    assert comparison["effects"][0]["difference"]["value"] == 0


def test_junit_holds_any_text(tmp_path: Path) -> None:
    text = '<script> & "quotes" \x00\x1b[31m 😀 \u200fעברית\u200f \\write18 % \ud800'
    cases = [Case(text, "failed", text), Case("b", "skipped", "why"), Case("c", "error"), Case("d", "passed")]
    write_junit(tmp_path / "junit.xml", "corroborate.demo", cases, {"run": text})
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own file
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    assert "<script>" in root.findall("testcase")[0].get("name", "")


def test_annotations_stay_on_one_line() -> None:
    line = annotation(Case("C1: 50%", "failed", "first\nsecond::third"), "corroborate a:b,c")
    assert line == "::error title=corroborate a%3Ab%2Cc::C1: 50%25: first%0Asecond::third"
    assert annotation(Case("C1", "passed"), "t") == ""


def test_older_committed_results_are_read_and_never_judged_again(shell: Shell, tmp_path: Path) -> None:
    made(shell, tmp_path)
    assert shell("reference", "demo") == ExitCode.OK, shell.err
    (folder,) = (tmp_path / "suite" / "reference").iterdir()
    as_before(folder)
    stored = (folder / "verdicts.json").read_bytes()
    (folder / "units.parquet").unlink()
    files = {path.name for path in folder.iterdir()}
    assert shell("verdicts", str(folder)) == ExitCode.OK
    assert "reproduced" in shell.out
    assert (folder / "verdicts.json").read_bytes() == stored
    assert {path.name for path in folder.iterdir()} == files


def test_an_unfinished_run_is_no_reference(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / made(shell, tmp_path)
    lines = (folder / "trials.jsonl").read_text().splitlines(keepends=True)
    (folder / "trials.jsonl").write_text("".join(line for line in lines if "/trimmed/" not in line))
    assert shell("reference", "demo") == ExitCode.USAGE
    assert "have no result" in shell.err
    assert not (tmp_path / "suite" / "reference").exists()


def test_committed_results_with_few_seeds_are_noted(shell: Shell, tmp_path: Path) -> None:
    made(shell, tmp_path)
    assert shell("reference", "demo") == ExitCode.OK
    note = "C1 gates with 5 seeds; ten or more see a fall of two standard deviations in four of five runs"
    assert f"note: {note}" in shell.err
    assert shell("plan", "demo") == ExitCode.OK
    assert f"note: as committed results, {note}" in shell.err
    shell("plan", "demo", "--seeds", "10")
    assert "as committed results" not in shell.err
    made(shell, tmp_path, "--seeds", "10")
    assert shell("reference", "demo") == ExitCode.OK
    assert "gates with" not in shell.err


def test_a_gate_says_what_few_seeds_kept_it_from_seeing(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, other = made(shell, tmp_path), made(shell, tmp_path, "--set", "trimmed.share=0.2")
    trials = tmp_path / "runs" / other / "trials.jsonl"
    lines = [json.loads(line) for line in trials.read_text().splitlines()]
    trials.write_text("".join(json.dumps(line | {"environment": "there"}) + "\n" for line in lines))
    assert shell("regress", other, "--baseline", good) == ExitCode.NOTHING_COMPARABLE
    assert "was built anew in another environment" in shell.out
    assert "'corroborate noise SUITE --write' does" in shell.out
    monkeypatch.setattr(lost, "shared_noise", lambda *_: {"C1": SharedNoise(0.0, 3)})
    shell("regress", other, "--baseline", good)
    assert " ! C1 gates with 5 seeds; ten or more see a fall of two standard deviations" in shell.out
    shell("regress", good, "--baseline", good)
    assert "gates with" not in shell.out


def test_junit_keeps_the_logarithms_that_readers_are_not_shown() -> None:
    item = Item("C1", "quantity", "a / b", "same", "changed by a factor of 2", "changed by 0.693")
    assert _case(item) == Case(
        "C1: a / b", "passed", "changed by a factor of 2; as logarithms: changed by 0.693"
    )
    assert _case(replace(item, log="")).detail == "changed by a factor of 2"
