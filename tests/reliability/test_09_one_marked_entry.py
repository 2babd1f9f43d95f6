"""What one method leaves without a number is one marked entry, and everything else is there."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.method import Context, Scores
from harness.store import RunWriter
from tests.harness.running import run
from tests.harness.toy import MeanTask, Shrunk, toy_suite, tuned
from tests.reliability.toys_reports import Shell, methods

ODD = ("Nan", "Inf", "Empty", "NoPart", "NoColumn", "Words", "Objects", "Nothing")
WAYS = ("nan", "inf", "no-part", "no-column", "words", "objects", "nothing")


@dataclass(frozen=True, kw_only=True)
class Wordy(MeanTask):
    """Has words for numbers on validation data."""

    def evaluate(self, result: float, ctx: Context) -> Scores:
        if ctx.stage == "main":
            return MeanTask.evaluate(self, result, ctx)
        return Scores({"validation": {"unit_id": ["a"], "error": ["much"]}})


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys.readouterr)


def lines_of(text: str, key: str) -> dict[str, dict[str, str]]:
    """The rows of a CSV file by their first column."""
    return {row[key]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("name", ODD)
def test_an_added_method_takes_nothing_away(shell: Shell, name: str) -> None:
    alone, beside = shell.run(), shell.run(*methods(name))
    before, after = shell.report(alone), shell.report(beside)
    assert before["csv/t1.csv"] == after["csv/t1.csv"]
    row = lines_of(after["csv/added-e.csv"], "method")
    guest = next(key for key in row if key not in ("good", "bad", "fair"))
    assert row[guest]["value"].startswith("not measured: ")
    assert f"e/t/{guest}/100" in row[guest]["value"]
    assert float(row["good"]["value"]) == pytest.approx(0.1, abs=0.01)
    for command in (["verdicts"], ["table", "answers", "t1", "--format", "csv", "--run"]):
        assert shell(*command, str(beside)) == ExitCode.OK, shell.err
    for command in (["compare", str(alone), str(beside)], ["regress", str(beside), "--baseline", str(alone)]):
        assert shell(*command) == ExitCode.OK, shell.out
        assert "not comparable" not in shell.out


def test_every_format_shows_all_of_them_together(shell: Shell) -> None:
    files = shell.report(shell.run(*methods(*ODD, "Fine")), "markdown", "latex", "html")
    for name in ("report.md", "tables/added-e.tex", "index.html"):
        for guest in ("nan", "inf", "empty", "no-part", "no-column", "words", "objects", "nothing", "fine"):
            plain = files[name].replace(r"\allowbreak{}", "").replace("-{}", "-").replace("\\-", "-")
            assert guest in plain, (name, guest)
    assert files["tables/added-e.tex"].count("not measured") == len(ODD)


@pytest.mark.parametrize("way", WAYS)
def test_the_papers_own_method_gives_a_marked_entry_and_an_honest_verdict(shell: Shell, way: str) -> None:
    whole, broken = shell.run(), shell.run("--set", f"good.way={way}")
    files = shell.report(broken, "csv", "markdown")
    table = lines_of(files["csv/t1.csv"], "row")
    assert table["good"]["error"].startswith("not measured: ")
    assert "e/t/good/100" in table["good"]["error"]
    assert float(table["bad"]["error"]) == pytest.approx(0.5, abs=0.05)
    assert "good: not measured" in files["report.md"]  # the figure
    assert shell("verdicts", str(broken), "--json") == ExitCode.OK
    first, second = json.loads(shell.out)["verdicts"]
    assert (first["verdict"], first["cause"]) == ("inconclusive", "invalid")
    assert "e/t/good/100" in first["reason"]
    assert second["verdict"] == "reproduced"
    assert shell("compare", str(whole), str(broken)) == ExitCode.OK
    assert "e/t/good/100" in shell.out
    assert shell("regress", str(broken), "--baseline", str(whole)) == ExitCode.LOST
    assert "measured before, now" in shell.out


def test_only_the_trial_at_fault_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    # As a run that was killed before its rows were packed.
    monkeypatch.setattr(RunWriter, "compact", lambda self: 0)
    run = shell.run(*methods("Fine"))
    trials = (run / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    lost = next(json.loads(line) for line in trials if '"e/t/fine/102"' in line)
    (run / "units" / lost["units_file"]).unlink()
    row = lines_of(shell.report(run)["csv/added-e.csv"], "method")["fine"]
    assert "e/t/fine/102" in row["value"]
    assert "e/t/fine/100" not in row["value"]


def test_a_grid_point_without_a_number_ends_no_run(tmp_path: Path) -> None:
    suite = toy_suite(methods={"mean": tuned(), "half": Shrunk(factor=0.5)}, task=Wordy())
    finished, reader, recorder = run(suite, tmp_path)
    assert finished.summary.failed == []
    assert [name for name in reader.trials if name.startswith("e/t/half/")] == [
        f"e/t/half/{seed}" for seed in range(100, 105)
    ]
    assert any("every tuning trial failed" in note for note in recorder.notes)
