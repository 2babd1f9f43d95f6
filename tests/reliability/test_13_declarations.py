"""A declaration that makes a run unjudgeable is refused before the first trial, with place and remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from harness.claims import Cell, EveryCell, Ordering, Profile, Replication, Trend
from harness.cli import main as cli
from harness.cli import suites
from harness.errors import ExitCode, SuiteError, UsageError
from harness.evidence import judge
from harness.method.metric import Columns
from harness.plan import Selection
from harness.suite import Paper, Scale, Suite
from reports import write_report
from tests.harness.running import run
from tests.harness.toy import ERROR, MeanTask, Shrunk, cell
from tests.reliability import toys_declared as toys

SMALL = Scale(profile=Profile.SMALL)
WORDS = {"delta": 0.1, "delta_reason": "a tenth", "replication": Replication.SEEDS}


def middle(columns: Columns) -> float:
    """Another metric of the same column."""
    return float(np.median(columns["error"]))


OTHER = replace(ERROR, reduce=middle)


def refused(suite: Suite, folder: Path, **request: object) -> str:
    """The words in which a run is refused; nothing may have been executed or stored."""
    with pytest.raises(SuiteError) as caught:
        run(suite, folder, **request)
    assert caught.value.exit_code is ExitCode.USAGE
    assert not (folder / "runs").exists()
    assert "\n  " in str(caught.value), "it says what to do"
    return str(caught.value)


IDS: dict[str, tuple[Callable[[], Suite], str]] = {
    "a slash in a task id": (lambda: toys.with_task("a/b"), "experiment e"),
    "an empty task id": (lambda: toys.with_task(""), "experiment e"),
    "a blank at its end": (lambda: toys.with_task("t "), "experiment e"),
    "a line end": (lambda: toys.with_task("a\nb"), "experiment e"),
    "a line separator": (lambda: toys.with_task("a\u2028b"), "U+2028"),
    "half a character": (lambda: toys.with_task("a\ud800b"), "U+D800"),
    "no text": (lambda: toys.with_task(7), "experiment e"),
    "a slash in a method id": (lambda: toys.with_methods(**{"x/y": Shrunk(factor=2.0)}), "'x/y'"),
    "the sign of timed trials": (lambda: toys.with_methods(**{"*": Shrunk(factor=2.0)}), "'*'"),
    "methods but for case": (lambda: toys.with_methods(Mean=Shrunk(factor=2.0)), "'Mean'"),
    "methods of one command": (
        lambda: toys.with_methods(**{"top-k": Shrunk(factor=2.0), "top.k": Shrunk(factor=3.0)}),
        "'top.k'",
    ),
    "a slash in an experiment id": (lambda: toys.declared(toys.experiment(id="e/f")), "'e/f'"),
    "one experiment twice": (lambda: toys.declared(toys.experiment(), toys.experiment()), "2 times"),
    "experiments but for case": (
        lambda: toys.declared(toys.experiment(), toys.experiment(id="E")),
        "'E'",
    ),
    "one claim twice": (lambda: toys.sound(claims=(toys.CLAIM, toys.CLAIM)), "'C1' is used 2 times"),
    "claims but for case": (lambda: toys.sound(claims=(toys.CLAIM, toys.claim("c1"))), "'c1'"),
    "an empty claim id": (lambda: toys.with_claim(id=""), "claim"),
    "a slash in a claim id": (lambda: toys.with_claim(id="C/1"), "'C/1'"),
    "one table twice": (lambda: toys.sound(tables=(toys.table("T"), toys.table("T"))), "table id 'T'"),
    "tables of one file": (lambda: toys.sound(tables=(toys.table("a-b"), toys.table("a.b"))), "'a.b'"),
    "tables but for case": (lambda: toys.sound(tables=(toys.table("T"), toys.table("t"))), "'t'"),
    "an empty table id": (lambda: toys.sound(tables=(toys.table(""),)), "table"),
    "one figure twice": (lambda: toys.sound(figures=(toys.figure("F"),) * 2), "figure id 'F'"),
    "one deviation twice": (lambda: toys.sound(deviations=(toys.deviation("D"),) * 2), "deviation id 'D'"),
    "a slash in the slug": (
        lambda: replace(toys.sound(), paper=replace(toys.sound().paper, slug="a/b")),
        "paper.toml",
    ),
}

SEEDS: dict[str, tuple[Callable[[], Suite], str]] = {
    "twice": (lambda: toys.with_seeds(100, *toys.SEEDS), "twice"),
    "negative": (lambda: toys.with_seeds(-1, *toys.SEEDS), "-1"),
    "beyond generators": (lambda: toys.with_seeds(2**64 + 105, *toys.SEEDS), str(2**64 + 105)),
    "one to NumPy": (lambda: toys.with_seeds(2**32 + 100, *toys.SEEDS), "NumPy"),
    "a fraction": (lambda: toys.with_seeds(100.0, 101, 102, 103, 104), "100.0"),
    "of NumPy": (lambda: toys.with_seeds(*np.arange(100, 105)), "int64"),
    "none": (lambda: toys.declared(toys.experiment(), toys.experiment(id="f", seeds=())), "experiment f"),
    "for pilots": (lambda: toys.with_seeds(0, 1, 2, 3, 4), "pilot"),
    "none to tune on": (lambda: toys.with_grid(seeds=()), "method mean"),
    "twice to tune on": (lambda: toys.with_grid(seeds=(1, 1)), "method mean"),
    "an empty grid": (lambda: toys.with_grid(grid={"factor": ()}), "'factor'"),
    "a grid with one value twice": (lambda: toys.with_grid(grid={"factor": (1.0, 1.0)}), "'factor'"),
}

CLAIMS: dict[str, tuple[Callable[[], Suite], str]] = {
    "a metric without columns": (
        lambda: toys.over(replace(cell("mean"), metric=replace(ERROR, columns=()))),
        "reads no column",
    ),
    "an ordering of nothing": (
        lambda: toys.with_claim(forms=dict.fromkeys(Profile, Ordering(steps=(), **WORDS))),  # type: ignore[arg-type]
        "no steps",
    ),
    "every cell of none": (
        lambda: toys.with_claim(forms=dict.fromkeys(Profile, EveryCell(thetas=(), **WORDS))),  # type: ignore[arg-type]
        "names none",
    ),
    "a trend over nothing": (
        lambda: toys.with_claim(
            forms=dict.fromkeys(Profile, Trend(points=(), step_margin=0.1, **WORDS))  # type: ignore[arg-type]
        ),
        "three increasing sizes",
    ),
    "a claim that relies on none": (lambda: toys.with_claim(relies_on=("C9",)), "'C9'"),
    "a claim that relies on itself": (lambda: toys.with_claim(relies_on=("C1",)), "itself"),
    "a part of itself": (lambda: toys.with_claim(parent="C1"), "claim C1"),
    "a part of a part": (
        lambda: toys.sound(claims=(toys.claim("C1a", parent="C1"), toys.claim("C1b", parent="C1a"))),
        "claim C1a",
    ),
    "a number that the paper lacks": (lambda: toys.with_claim(reported=("zz",)), "'zz'"),
    "a table of what is not there": (
        lambda: toys.sound(tables=(toys.table("T", cell("nobody")),)),
        "table T, row row",
    ),
    "a table of a number that the paper lacks": (
        lambda: toys.sound(tables=(toys.table("T", toys.reported("zz")),)),
        "'zz'",
    ),
    "two metrics of one name": (
        lambda: toys.sound(tables=(toys.table("T", replace(cell("mean"), metric=OTHER)),)),
        "called 'error'",
    ),
}


@pytest.mark.parametrize(("make", "words"), IDS.values(), ids=IDS)
def test_ids_that_records_cannot_carry_or_tell_apart(
    make: Callable[[], Suite], words: str, tmp_path: Path
) -> None:
    assert words in refused(make(), tmp_path)


@pytest.mark.parametrize(("make", "words"), SEEDS.values(), ids=SEEDS)
def test_seeds_that_no_verdict_could_rest_on(make: Callable[[], Suite], words: str, tmp_path: Path) -> None:
    assert words in refused(make(), tmp_path)


@pytest.mark.parametrize(("make", "words"), CLAIMS.values(), ids=CLAIMS)
def test_rules_and_tables_over_what_is_not_there(
    make: Callable[[], Suite], words: str, tmp_path: Path
) -> None:
    assert words in refused(make(), tmp_path)


def test_all_of_it_is_said_at_once(tmp_path: Path) -> None:
    text = refused(toys.declared(toys.experiment(tasks={"a/b": MeanTask()}, seeds=())), tmp_path)
    assert "'a/b'" in text
    assert "no seeds" in text


@pytest.mark.parametrize("name", ["mine/best", "Mean"])
def test_a_users_method_may_not_take_a_name_apart(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}'"):
        run(toys.sound(), tmp_path, selection=Selection(added={name: Shrunk(factor=2.0)}))
    assert not list(tmp_path.glob("runs/*"))


def test_more_seeds_are_none_of_those_declared(tmp_path: Path) -> None:
    suite = toys.with_seeds(104, 100, 101, 102, 103)
    _, reader, _ = run(suite, tmp_path, selection=Selection(seeds=7))
    assert sorted({int(trial.rpartition("/")[2]) for trial in reader.trials}) == list(range(100, 107))


ODD = {
    "blanks, points, commas and colons": lambda: toys.declared(
        toys.experiment(
            id="études 1.0",
            tasks={"a, b": MeanTask()},
            methods={"mean": Shrunk(), "half": toys.HALF, "module:Mean": Shrunk(factor=0.9)},
        ),
        claims=(toys.claim("C1 (first)", forms={}),),
    ),
    "signs that commands spell": lambda: toys.with_methods(**{"lora": Shrunk(), "lora+": Shrunk(factor=0.9)}),
    "large seeds in any order": lambda: toys.with_seeds(20260101, 105, 100, 2**40 + 7, 2**63 + 9),
    "a compound claim that is not declared itself": lambda: toys.sound(
        claims=(toys.claim("C1a", parent="C1"), toys.claim("C1b", parent="C1", forms=toys.more_than_half()))
    ),
    "a table and a figure of one id": lambda: toys.sound(
        tables=(toys.table("bias"),), figures=(toys.figure("bias"),)
    ),
    "a table called as a part of the report": lambda: toys.sound(tables=(toys.table("cost"),)),
    "too few seeds, and no control": lambda: toys.with_seeds(100, 101),
}


@pytest.mark.parametrize(
    "missing",
    [cell("mean", "zz"), cell("nobody"), replace(cell("mean"), task="u")],
    ids=["experiment", "method", "task"],
)
def test_a_claim_over_what_nothing_plans_is_told_and_costs_itself_alone(
    missing: Cell, tmp_path: Path
) -> None:
    over = toys.over(missing)
    suite = replace(over, claims=(*over.claims, toys.claim("C2")))
    _, reader, display = run(suite, tmp_path)
    assert any(note.startswith("declaration: ") and "claim C1" in note for note in display.notes)
    lost, kept = judge(suite, SMALL, reader).verdicts
    assert lost.verdict == "not run"
    assert "did not include" in lost.reason
    assert kept.verdict == "reproduced"


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_odd_declarations_that_can_be_judged_go_on(make: Callable[[], Suite], tmp_path: Path) -> None:
    suite = make()
    finished, reader, _ = run(suite, tmp_path)
    assert not finished.summary.failed
    verdicts = judge(suite, SMALL, reader)
    files = write_report(suite, SMALL, reader, verdicts, tmp_path / "report", formats=("html", "latex"))
    assert all(path.is_file() for path in files)


def corroborate(monkeypatch: pytest.MonkeyPatch, name: str, target: str, *arguments: str) -> ExitCode:
    """Run a command with one suite installed."""
    group = suites.SUITE_GROUP
    point = EntryPoint(name, f"tests.reliability.toys_declared:{target}", group)
    monkeypatch.setattr(suites, "_points", lambda asked: {name: point} if asked == group else {})
    return ExitCode(cli.main(list(arguments)))


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "toy"),
        ("run", "toy", "--engine", "inline"),
        ("run-trial", "toy", "e/a/b/mean/100", "--engine", "inline"),
        ("rehearse", "toy", "--profile", "gpu", "--engine", "inline"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_plans_refuses(
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert corroborate(monkeypatch, "toy", "SLASHED", *command) is ExitCode.USAGE
    said = capsys.readouterr().err
    assert "'a/b'" in said
    assert "experiment e" in said
    assert not (tmp_path / "runs").exists()


def test_an_entry_point_named_otherwise_than_its_suite(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert corroborate(monkeypatch, "means", "NAMED", "run", "means") is ExitCode.USAGE
    said = capsys.readouterr().err
    assert "'means'" in said
    assert "'toy'" in said
    assert not (tmp_path / "runs").exists()


def test_a_number_of_the_paper_is_recorded_once(tmp_path: Path) -> None:
    fields = 'slug = "s"\ntitle = "t"\nauthors = ["a"]\narxiv = "1"\nyear = 2026\nvenue = "v"\n'
    row = '[[reported]]\nid = "r"\nvalue = {}\nwhere = "Table 1"\nstanding = "verified"\n'
    file = tmp_path / "paper.toml"
    file.write_text(f'{fields}bibtex = "b"\nsummary = "s"\n{row.format(1.0)}{row.format(2.0)}')
    with pytest.raises(SuiteError, match="'r' is reported 2 times"):
        Paper.read(file)
