"""The gate looks for everything that the baseline has: what the run lacks is named, and no pass."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.claims import Claim
from harness.errors import ExitCode
from tests.reliability import toys_reports
from tests.reliability.toys_reports import Shell, better, claim, methods, with_claims


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys.readouterr)


def declare(patch: pytest.MonkeyPatch, *claims: Claim) -> None:
    patch.setattr(toys_reports, "SUITE", with_claims(*claims))


def gate(shell: Shell, run: Path, baseline: Path, *options: str) -> int:
    return shell("regress", str(run), "--baseline", str(baseline), *options)


def test_an_equal_run_passes(shell: Shell) -> None:
    assert gate(shell, shell.run(), shell.run()) == ExitCode.OK
    assert "lost" not in shell.out


def test_a_renamed_claim_is_lost_and_named_everywhere(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shell.run()
    declare(monkeypatch, claim("C1-new"), claim("C2", better("fair", "bad")))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    junit = tmp_path / "junit.xml"
    assert gate(shell, shell.run(), before, "--junit", str(junit)) == ExitCode.LOST
    assert " - C1: verdict on C1: lost" in shell.out
    assert "::error title=corroborate answers::C1: verdict on C1" in shell.out
    failed = [case.get("name") for case in ET.parse(junit).getroot() if case.find("failure") is not None]  # noqa: S314
    assert "C1: verdict on C1" in failed


def test_a_gate_with_nothing_to_compare_is_another_matter(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shell.run("--methods", "good,bad", "--seeds", "100-102")
    declare(monkeypatch, claim("D1"))
    after = shell.run("--seeds", "103-104")
    assert gate(shell, after, before) == ExitCode.NOTHING_COMPARABLE


def test_a_method_that_is_no_longer_run_is_lost(shell: Shell) -> None:
    before, after = shell.run(), shell.run("--methods", "good,fair")
    assert gate(shell, after, before) == ExitCode.LOST
    assert " - e/t/bad: lost" in shell.out
    assert " - C1: verdict on C1: lost" in shell.out
    assert "restricted to methods: good, fair" in shell.out


def test_a_method_that_no_claim_reads_is_looked_for_too(shell: Shell) -> None:
    before, after = shell.run(*methods("Fine")), shell.run()
    assert gate(shell, after, before) == ExitCode.LOST
    assert " - e/t/fine: lost" in shell.out


def test_a_method_that_fails_now_is_lost_with_its_last_words(shell: Shell) -> None:
    before, after = shell.run(*methods("Fine")), shell.run(*methods("Fine"), "--set", "fine.way=fails")
    assert gate(shell, after, before) == ExitCode.LOST
    assert "failed in the run: RuntimeError: it never worked" in shell.out


def test_the_gate_may_be_asked_about_one_claim(shell: Shell) -> None:
    before, after = shell.run(), shell.run("--claim", "C2")
    assert gate(shell, after, before) == ExitCode.LOST
    assert gate(shell, after, before, "--claim", "C2") == ExitCode.OK
    assert gate(shell, after, before, "--claim", "C7") == ExitCode.USAGE


def test_a_lost_control_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shell.run()
    assert json.loads((before / "verdicts.json").read_text())["controls"][0]["outcome"] == "kill"
    monkeypatch.setattr(toys_reports, "SUITE", replace(toys_reports.SUITE, controls=()))
    assert gate(shell, shell.run("--claim", "C1"), before, "--claim", "C1") == ExitCode.LOST
    assert " - C1: control N1: lost" in shell.out
    assert "restricted to claims: C1\n" in shell.out, "who has asked about one claim is not told to"


def test_a_whole_claim_that_is_gone_is_lost(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [replace(claim("C1a"), parent="C1"), replace(claim("C1b", better("fair", "bad")), parent="C1")]
    declare(monkeypatch, *parts)
    before = shell.run()
    declare(monkeypatch, *[replace(part, parent="") for part in parts])
    assert gate(shell, shell.run(), before) == ExitCode.LOST
    assert " - C1: verdict on C1: lost" in shell.out


def test_what_counts_in_neither_run_is_no_pass(shell: Shell) -> None:
    broken = ["--set", "good.way=fails", "--set", "bad.way=fails", "--claim", "C1"]
    before, after = shell.run(*broken), shell.run(*broken)
    assert gate(shell, after, before) == ExitCode.NOTHING_COMPARABLE


def test_fewer_seeds_lose_nothing_and_are_named(shell: Shell) -> None:
    before, after = shell.run(), shell.run("--seeds", "100-102")
    assert gate(shell, after, before) == ExitCode.OK
    assert "leaves out seeds 103-104" in shell.out
