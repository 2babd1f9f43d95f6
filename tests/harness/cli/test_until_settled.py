"""``run --until-settled``: more seeds for open claims, at looks that every p-value pays for."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.cli import suites
from harness.cli.display import PlainDisplay
from harness.cli.standing import NextLook
from harness.cli.until_settled import parse_budget, run_until_settled
from harness.engine.run import Finished, RunRequest
from harness.errors import ExitCode, UsageError
from harness.evidence import judge
from harness.plan.looks import FACTORS, Looks, seeds_planned
from harness.store import list_runs, open_run
from harness.store.records import TrialRecord, VerdictRecord
from harness.suite import Suite
from tests.harness.cli import conftest
from tests.harness.cli import planted as module
from tests.harness.cli.conftest import Shell
from tests.harness.cli.planted import CONTROL, METHODS, SUITE, UNMET, better, planted
from tests.harness.running import request, run

shell = conftest.shell

CLEAR, SLOW, WIDE = better("clear"), better("slow"), better("wide")
RUN = ("run", "planted", "--engine", "inline", "--no-report")


def looked(suite: Suite, folder: Path, budget: float | None = None) -> tuple[Finished, str]:
    """A run until settled by a clock that gives each look 100 s for trials and 100 s for judging."""
    out, seconds = io.StringIO(), iter(range(0, 10_000, 100))
    asked = with_declared_looks(request(suite, folder))
    finished = run_until_settled(asked, PlainDisplay(out=out), budget, lambda: next(seconds))
    return finished, out.getvalue()


def with_declared_looks(asked: RunRequest) -> RunRequest:
    return replace(asked, looks=Looks(asked.suite, asked.scale, asked.selection).factors)


def seeds_by_method(finished: Finished) -> dict[str, int]:
    planned = open_run(finished.folder).record.planned
    return {method: count for (_, _, method), count in seeds_planned(planned).items()}


def verdicts_of(suite: Suite, finished: Finished) -> dict[str, VerdictRecord]:
    asked = request(suite, finished.folder)
    return {v.claim: v for v in judge(suite, asked.scale, open_run(finished.folder)).verdicts}


def test_what_is_settled_at_the_first_look_gets_no_more(tmp_path: Path) -> None:
    finished, told = looked(planted(CLEAR), tmp_path)
    assert set(seeds_by_method(finished).values()) == {5}
    assert "look 1 of 4 (5 seeds): 0 of 1 claims are open\n" in told
    assert "look 2" not in told
    assert open_run(finished.folder).record.looks == list(FACTORS)


def test_only_what_open_claims_need_gets_more(tmp_path: Path) -> None:
    suite = planted(CLEAR, SLOW, controls=[CONTROL])
    finished, told = looked(suite, tmp_path)
    grown = {"base", "slow", "broken"}  # The control of the open claim has as many seeds as the claim.
    assert seeds_by_method(finished) == {name: 8 if name in grown else 5 for name in METHODS}
    assert re.search(
        r"look 1 of 4 \(5 seeds\): 1 of 2 claims is open; the next look takes about 1 min 4\d s\n", told
    )
    assert "look 2 of 4 (8 seeds): 0 of 2 claims are open\n" in told
    found = verdicts_of(suite, finished)
    assert {name: verdict.verdict for name, verdict in found.items()} == dict.fromkeys(found, "reproduced")
    assert (found["clear"].tests[0].seeds, found["slow"].tests[0].seeds) == (5, 8)
    (control,) = judge(suite, request(suite, tmp_path).scale, open_run(finished.folder)).controls
    assert control.outcome == "kill"


def test_the_run_is_one_run_that_repeats_nothing(tmp_path: Path) -> None:
    suite = planted(CLEAR, SLOW)
    finished, _ = looked(suite, tmp_path)
    lines = (finished.folder / "trials.jsonl").read_text().splitlines()
    assert len(lines) == len(open_run(finished.folder).trials) == finished.summary.executed + 1, (
        "one diverged"
    )
    assert finished.summary.reused == 0
    record = open_run(finished.folder).record
    assert set(record.planned) == set(open_run(finished.folder).trials)
    assert (record.continued, record.ended != "") == ([], True)
    assert list_runs(tmp_path / "runs") == [finished.folder]


def test_p_values_pay_for_looks_that_were_not_taken(tmp_path: Path) -> None:
    suite = planted(SLOW)
    _, plain, _ = run(suite, tmp_path)
    (alone,) = judge(suite, request(suite, tmp_path).scale, plain).verdicts
    assert alone.verdict == "reproduced", "without looks, five seeds are enough"
    finished, _ = looked(suite, tmp_path, budget=1.0)
    found = verdicts_of(suite, finished)["slow"]
    assert (found.verdict, found.cause) == ("inconclusive", "multiplicity")
    assert "the 4 looks together do not: for it, p = .009 alone, p = .038 after 4 looks" in found.reason
    (test,), (before,) = found.tests, alone.tests
    assert test.p_plus == before.p_plus
    assert test.p_plus_adjusted == pytest.approx(4 * (before.p_plus or 0.0))
    assert test.effect == before.effect, "intervals are of the seeds at hand"
    needed = {name: found.needed_seeds[name] or 0 for name in found.needed_seeds}
    assert needed["θ = 2δ"] > 5


def test_what_is_never_settled_ends_at_the_last_look(tmp_path: Path) -> None:
    finished, told = looked(planted(WIDE), tmp_path)
    assert seeds_by_method(finished)["wide"] == 20
    assert [f"look {n} of 4 ({seeds} seeds): 1 of 1 claims is open" in told for n, seeds in LOOKS] == [
        True
    ] * 4
    assert told.count("; the next look takes about") == 3
    assert "look 4 of 4 (20 seeds): 1 of 1 claims is open, and this was the last look\n" in told


LOOKS = ((1, 5), (2, 8), (3, 12), (4, 20))


def test_a_look_that_does_not_fit_is_not_begun(tmp_path: Path) -> None:
    finished, told = looked(planted(WIDE), tmp_path, budget=550)
    assert seeds_by_method(finished)["wide"] == 12, "400 s have passed after two looks, 600 s after three"
    # Its trials take less than ten seconds more, on however slow a machine.
    assert re.search(
        r"look 2 of 4 \(8 seeds\): 1 of 1 claims is open; the next look takes about 1 min 4", told
    )
    assert re.search(r"the next look would take about 1 min 4\d s, 0 s are left\n", told)
    assert verdicts_of(planted(WIDE), finished)["wide"].tests[0].seeds == 12


def test_no_look_is_begun_whose_time_nobody_knows() -> None:
    assert NextLook(None, None).fits
    assert not NextLook(None, 1e9).fits
    assert NextLook(60.0, 60.0).fits
    assert not NextLook(60.1, 60.0).fits
    assert NextLook(360.0, 180.0).text == "; the next look would take about 6 min 00 s, 3 min 00 s are left"


def test_a_claim_whose_precondition_failed_gets_no_more(tmp_path: Path) -> None:
    suite = planted(CLEAR, better("wide", UNMET))
    finished, told = looked(suite, tmp_path)
    assert verdicts_of(suite, finished)["wide"].cause == "assay"
    assert set(seeds_by_method(finished).values()) == {5}
    assert "0 of 2 claims are open" in told


def test_no_look_takes_more_seeds_than_have_data(tmp_path: Path) -> None:
    finished, told = looked(planted(WIDE, most_seeds=7), tmp_path)
    assert open_run(finished.folder).record.looks == [1.0, 1.6], "looks that would be equal are one"
    assert seeds_by_method(finished)["wide"] == 7
    assert "look 2 of 2 (7 seeds)" in told
    finished, told = looked(planted(WIDE, most_seeds=5), tmp_path / "full")
    assert open_run(finished.folder).record.looks == [1.0]
    assert "look 1 of 1 (5 seeds): 1 of 1 claims is open, and there are no more seeds to give" in told


def test_what_diverged_is_not_tried_again_at_the_next_look(tmp_path: Path) -> None:
    finished, _ = looked(planted(SLOW), tmp_path)
    assert finished.summary.diverged == ["e/t/wrecked/101"]
    lines = (finished.folder / "trials.jsonl").read_text().splitlines()
    assert Counter(json.loads(line)["trial"] for line in lines)["e/t/wrecked/101"] == 1


class Interrupted(PlainDisplay):
    """Ctrl-C in the middle of the second look."""

    def finished(self, record: TrialRecord) -> None:
        super().finished(record)
        if record.trial == "e/t/wide/106":
            raise KeyboardInterrupt


def interrupted(folder: Path) -> Path:
    """A run until settled that was ended by Ctrl-C."""
    with pytest.raises(KeyboardInterrupt):
        run_until_settled(with_declared_looks(request(planted(WIDE), folder)), Interrupted(out=io.StringIO()))
    (left,) = list_runs(folder / "runs")
    return left


def test_an_interrupted_run_goes_on_at_its_look(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "WIDE_SUITE")
    left = interrupted(Path())
    assert open_run(left).record.ended == ""
    assert shell(*RUN, "--resume") == ExitCode.OK, shell.err
    assert "look 1" not in shell.err
    for number, seeds in LOOKS[1:]:
        assert f"look {number} of 4 ({seeds} seeds)" in shell.err
    reader = open_run(left)
    assert reader.record.looks == list(FACTORS)
    assert seeds_planned(reader.record.planned)["e", "t", "wide"] == 20
    assert len(reader.record.continued) == 1
    assert set(reader.trials) == set(reader.record.planned)


def install(monkeypatch: pytest.MonkeyPatch, name: str = "SUITE") -> None:
    """Let one of the planted suites be found."""
    place = "tests.harness.cli.planted" if name == "SUITE" else __name__
    points = {"planted": EntryPoint("planted", f"{place}:{name}", suites.SUITE_GROUP)}
    monkeypatch.setattr(suites, "_points", lambda group: points if group == suites.SUITE_GROUP else {})


WIDE_SUITE = planted(WIDE)


@pytest.fixture
def planted_shell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in which the planted suite is the only one."""
    install(monkeypatch)
    return shell


def test_resuming_counts_the_budget_anew_and_goes_no_further(planted_shell: Shell) -> None:
    shell = planted_shell
    assert shell(*RUN, "--until-settled", "--budget", "1h") == ExitCode.OK, shell.err
    (folder,) = list_runs(Path("runs"))
    before = open_run(folder).record.planned
    assert shell(*RUN, "--until-settled", "--resume", "--budget", "1h") == ExitCode.OK, shell.err
    assert re.search(
        r"0 trials executed, \d+ reused, 1 diverged, 0 failed; \d+ s of work in this run: ", shell.out
    )
    assert "look 2 of 4 (8 seeds): 0 of 2 claims are open" in shell.err
    assert open_run(folder).record.planned == before


def test_a_run_that_did_not_pay_for_looks_takes_none(planted_shell: Shell) -> None:
    shell = planted_shell
    assert shell(*RUN) == ExitCode.OK, shell.err
    (folder,) = list_runs(Path("runs"))
    kept = (folder / "run.json").read_bytes()
    for option in (("--until-settled",), ("--budget", "5m")):
        assert shell(*RUN, "--resume", *option) == ExitCode.USAGE
        assert "its p-values do not pay for more looks" in shell.err
    assert (folder / "run.json").read_bytes() == kept
    assert shell(*RUN, "--until-settled") == ExitCode.OK
    assert "9 trials executed" in shell.out, "a new run takes what the old one has"


def test_what_runs_look_by_look_is_not_gathered(planted_shell: Shell) -> None:
    shell = planted_shell
    assert shell(*RUN, "--until-settled") == ExitCode.OK, shell.err
    assert shell(*RUN, "--gather", "--resume") == ExitCode.USAGE
    assert "executes what it needs" in shell.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--until-settled", "--seeds", "8"), "not with --seeds"),
        (("--until-settled", "--gather"), "not with --gather"),
        (("--budget", "5m"), "Only a run until settled has a budget"),
        (("--until-settled", "--budget", "soon"), "'soon' is no time"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: tuple[str, ...], expected: str, planted_shell: Shell
) -> None:
    assert planted_shell(*RUN, *options) == ExitCode.USAGE
    assert expected in planted_shell.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("20m", 1200), ("90s", 90), ("1h30m", 5400), ("2h", 7200), ("1h1m1s", 3661)]
)
def test_a_budget_is_read(text: str, seconds: int) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "20", "m", "0m", "-5m", "1.5h", "30m1h", "5 m", "5M", "1d"])
def test_a_budget_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Write 20m, 90s or 1h30m"):
        parse_budget(text)


def test_all_suites_take_looks(planted_shell: Shell) -> None:
    shell = planted_shell
    assert shell("run", "--all", *RUN[2:], "--until-settled", "--budget", "1h") == ExitCode.OK, shell.err
    assert "look 2 of 4 (8 seeds)" in shell.err


def test_every_reader_of_runs_takes_one_with_unequal_seeds(
    planted_shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell = planted_shell
    monkeypatch.setattr(module, "SUITE", replace(SUITE, folder=tmp_path / "suite"))
    assert shell("run", "planted", "--engine", "inline", "--until-settled") == ExitCode.OK, shell.err
    (folder,) = list_runs(Path("runs"))
    page = next((folder / "report").glob("*.md")).read_text()
    assert "multiplied by the number of looks, 4, before Holm's" in page
    assert "multiplied by the 4 looks that the run may take" in page
    assert "--until-settled" in page
    again = ("--rerun", "2", "--seed", "0", "--engine", "inline")
    assert shell("verify", str(folder), *again) == ExitCode.OK, shell.out
    assert "e/t/slow/105" in shell.out, "trials of later looks are run again, too"
    reference = tmp_path / "suite" / "reference" / "small"
    assert shell("reference", str(folder), "--out", str(reference)) == ExitCode.OK, shell.err
    assert open_run(reference).record.looks == list(FACTORS)
    assert shell("verify", "planted", "--reference") == ExitCode.OK, shell.out
    assert shell("bundle", str(folder), "--out", "run.zip") == ExitCode.OK, shell.err
    assert shell("bundle", "--open", "run.zip", "--out", "opened") == ExitCode.OK, shell.err
    assert shell("verdicts", "opened") == ExitCode.OK
    assert "2 reproduced" in shell.out
    assert shell(*RUN) == ExitCode.OK, shell.err
    plain = next(run for run in list_runs(Path("runs")) if run != folder)
    assert shell("regress", str(plain)) == ExitCode.OK, shell.out
    assert "the run leaves out seeds 105-107 of the baseline" in shell.out
    assert shell("regress", str(folder), "--baseline", str(plain)) == ExitCode.OK, shell.out
    assert shell("compare", str(folder), str(plain)) == ExitCode.OK, shell.out
    assert "looks" in shell.out
