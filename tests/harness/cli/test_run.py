"""``run``, ``plan`` and ``why`` as a user meets them."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness import cuda
from harness.cli import suites
from harness.errors import ExitCode
from harness.store import list_runs, open_run
from tests.harness.cli.conftest import Shell

INLINE = ("--engine", "inline", "--no-report")


def only_run() -> Path:
    (folder,) = list_runs(Path("runs"))
    return folder


def test_a_run_judges_and_says_where_it_is(shell: Shell) -> None:
    assert shell("run", "demo", *INLINE) == 0
    assert str(only_run()) in shell.out
    assert "0 failed" in shell.out
    assert (only_run() / "verdicts.json").is_file()


def test_a_second_run_reuses_and_why_says_so(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    shell("run", "demo", *INLINE)
    assert "0 trials executed" in shell.out
    trial = next(t for t, r in open_run(list_runs(Path("runs"))[-1]).trials.items() if r.kind == "trial")
    assert shell("why", trial) == 0
    assert "was reused from" in shell.out


def test_why_names_what_changed(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    shell("run", "demo", *INLINE, "--set", "trimmed.share=0.3")
    reader = open_run(list_runs(Path("runs"))[-1])
    assert reader.record.settings == {"trimmed.share": "0.3"}
    trial = next(t for t, r in reader.trials.items() if r.method == "trimmed")
    shell("why", trial)
    assert "method parameters" in shell.out
    assert "task parameters" not in shell.out


def test_why_finds_near_names(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    trial = next(iter(open_run(only_run()).trials))
    assert shell("why", trial + "9") == 2
    assert trial in shell.err


def test_resume_goes_on_where_it_stopped(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    lines = (only_run() / "trials.jsonl").read_bytes().splitlines(keepends=True)
    (only_run() / "trials.jsonl").write_bytes(b"".join(lines[:-3]) + lines[-3][:30])
    assert shell("run", "demo", *INLINE, "--resume") == 0
    assert "3 trials executed" in shell.out
    assert "cut off" in shell.err
    assert len(open_run(only_run()).trials) == len(lines)


def test_resume_refuses_another_question(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    assert shell("run", "demo", *INLINE, "--resume", "--seeds", "2") == 2
    assert "started with another selection" in shell.err


def test_plan_counts_what_could_be_reused(shell: Shell) -> None:
    assert shell("plan", "demo") == 0
    assert ", 0 of the first" in shell.out
    shell("run", "demo", *INLINE)
    shell("plan", "demo", "--trials")
    assert ", 0 of the first" not in shell.out
    shell("plan", "demo", "--json")
    assert json.loads(shell.out)["suite"] == "demo"


def test_plan_says_what_equal_seeds_would_leave_open(shell: Shell) -> None:
    assert shell("plan", "demo", "--profile", "small") == 0
    assert "caution: With one value in all 5 seeds, p = .031 by sign-flips decides nothing" in shell.out
    shell("plan", "demo", "--profile", "small", "--json")
    assert any("6 seeds do" in text for text in json.loads(shell.out)["cautions"])
    shell("plan", "demo", "--profile", "small", "--seeds", "6")
    assert "With one value" not in shell.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("demmo",), "Did you mean demo"),
        (("demo", "--profile", "smal"), "Did you mean small"),
        (("demo", "--claim", "X1"), "Unknown claim"),
        (("demo", "--methods", "trimed"), "Did you mean trimmed"),
        (("demo", "--set", "trimmed.share=much"), "is not a value of parameter 'share'"),
        (("demo", "--set", "trimmed.shar=1"), "Did you mean share"),
        (("demo", "--seeds", "0"), "At least one seed"),
        (("demo", "--seeds", "7-3"), "nor a range of seeds"),
        (("demo", "--seeds", "100,999"), "No experiment declares seed 999"),
        (("demo", "--memory", "0"), "must be above zero"),
        (("demo", "--memory", "inf"), "must be above zero and finite"),
        (("demo", "--minutes", "-1"), "must be above zero"),
        (("demo", "--gather", "--fresh"), "--gather takes"),
        (("demo", "--workers", "0"), "At least one worker"),
        (("demo", "--method", "nowhere:Thing"), "cannot be imported"),
        (("demo", "--bind", "numbers"), "is not of the form"),
        ((), "Name a suite"),
        (("demo", "--all"), "speaks of one suite: suite"),
        (("--all", "--claim", "C1"), "speaks of one suite: claim"),
    ],
)
def test_wrong_requests_are_explained_and_leave_nothing(
    arguments: tuple[str, ...], expected: str, shell: Shell
) -> None:
    assert shell("run", *arguments) == 2
    assert expected in shell.err
    assert not Path("runs").exists()


def test_all_runs_every_suite_though_one_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        "broken": EntryPoint("broken", "tests.harness.cli.demo:ABSENT", suites.SUITE_GROUP),
        "demo": EntryPoint("demo", "tests.harness.cli.demo:SUITE", suites.SUITE_GROUP),
    }
    monkeypatch.setattr(suites, "_points", lambda group: points)
    assert shell("run", "--all", *INLINE) == 2
    assert "cannot be imported" in shell.err
    assert "1 of 2 suites" in shell.out
    assert "broken: exit code 2" in shell.out
    assert (only_run() / "verdicts.json").is_file()


def first_trial(shell: Shell, stage: str = "main") -> str:
    shell("plan", "demo", "--json")
    return str(next(t["trial"] for t in json.loads(shell.out)["trials"] if t["stage"] == stage))


def test_run_trial_runs_one_and_a_run_takes_it(shell: Shell) -> None:
    trial = first_trial(shell)
    assert shell("run-trial", "demo", trial, "--engine", "inline") == 0
    assert f"{trial}: ok" in shell.out
    assert not list_runs(Path("runs"))
    shell("plan", "demo")
    assert ", 1 of the first" in shell.out
    assert shell("run", "demo", *INLINE) == 0
    assert "1 reused" in shell.out
    assert shell("why", trial) == 0
    assert "was reused from demo-small-" in shell.out


def test_gathering_names_what_is_missing(shell: Shell) -> None:
    trial = first_trial(shell)
    shell("run-trial", "demo", trial, "--engine", "inline")
    shell("run", "demo", "--gather", "--no-report", "--device", "cuda")
    assert f"missing: {trial}\n" in shell.out, "on another device it is another trial"
    shell("run", "demo", "--gather", "--no-report")
    assert "0 trials executed" in shell.out
    assert "1 reused" in shell.out
    assert f"missing: {trial}\n" not in shell.out


def test_a_gpu_that_cannot_be_had_is_an_error_that_says_why(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: cuda.Driver(missing="There is no NVIDIA driver here (x)"))
    assert shell("run", "demo", *INLINE, "--device", "cuda") == 4
    assert "There is no NVIDIA driver here" in shell.err
    assert not Path("runs").exists()
    assert shell("run", "demo", *INLINE) == 0
    assert "device: cpu (There is no NVIDIA driver here (x)" in shell.err


def test_a_plan_can_be_made_for_a_machine_with_a_gpu(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: cuda.Driver(missing="There is no NVIDIA driver here (x)"))
    assert shell("plan", "demo", "--device", "cuda") == 0
    assert "on cuda (not on this machine)" in shell.out
    shell("plan", "demo", "--device", "cuda", "--json")
    assert {trial["device"] for trial in json.loads(shell.out)["trials"]} == {"cuda"}
    shell("plan", "demo")
    assert "on cpu (There is no NVIDIA driver here" in shell.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--address", "auto"], "has no cluster (--address)"),
        (["--artifact-store", "s3://b"], "has no cluster (--artifact-store)"),
        (["--engine", "ray", "--address", "here"], "'here' is no address of a Ray cluster"),
        (["--engine", "ray", "--address", "127.0.0.1:9"], "No Ray cluster answers"),
    ],
)
def test_a_cluster_that_cannot_be_had_leaves_no_run(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], told: str
) -> None:
    monkeypatch.setattr("harness.engine.cluster.session.find_spec", lambda _: object())
    assert shell("run", "demo", *options) != ExitCode.OK
    assert told in shell.err
    assert not list((tmp_path / "runs").glob("*"))


def test_without_ray_its_engine_leaves_no_run(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.engine.cluster.session.find_spec", lambda _: None)
    assert shell("run", "demo", "--engine", "ray") == ExitCode.USAGE
    assert "pip install 'corroborate[ray]'" in shell.err
    assert not list((tmp_path / "runs").glob("*"))
