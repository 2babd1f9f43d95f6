"""Nothing in a report has the name of something else: files, anchors, labels, commands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.evidence import Estimate, judge
from harness.store import open_run
from harness.store.records import Interval
from harness.suite import Deviation, PaperFigure, PaperTable, SampleView, Scale
from reports import csvs, html, latex, macros
from reports.build import build
from reports.document import Document
from reports.numbers import Ledger
from tests.reliability import toys_reports
from tests.reliability.toys_reports import Shell, claim, lines, table_rows

ANY = Estimate(Interval(value=0.5, low=0.4, high=0.6), seeds=5, units=60, test="", trials=("e/t/m/100",))
REFERENCES = [
    (name, folder)
    for name in suite_names()
    for folder in sorted((load_suite(name).folder / "reference").iterdir())
]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number is there and none is computed: names do not depend on them."""
    monkeypatch.setattr(Ledger, "_estimate", lambda *_: ANY)
    monkeypatch.setattr(Ledger, "winners", lambda *_: frozenset())
    monkeypatch.setattr("reports.plots.figure_svg", lambda _: "<svg></svg>")
    monkeypatch.setattr("reports.html.figure_svg", lambda _: "<svg></svg>")


def twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def confused(document: Document) -> dict[str, list[str]]:
    """The names that two things have, by what they are names of."""
    page, tex = html.render(document), latex.render(document)
    commands = macros.macros(document)
    tables = [table.id.casefold() for table in document.tables()]
    figures = [figure.id.casefold() for figure in document.figures()]
    written = [name.casefold() for name in csvs.render(document)]
    links = set(re.findall(r'href="#([^"]+)"', page))
    ids = re.findall(r'\sid="([^"]+)"', page)
    found = {
        "tables": twice([*tables, "numbers"]),
        "figures": twice(figures),
        "csv": twice(written) if len(written) == len(tables) + 1 else ["a table has no file"],
        "html": twice(ids),
        "links": sorted(links - set(ids)),
        "labels": twice(re.findall(r"\\label\{([^}]+)\}", tex)),
        "commands": twice(re.findall(r"\\newcommand\{\\(\w+)\}", commands)),
    }
    return {kind: names for kind, names in found.items() if names}


@pytest.mark.parametrize(("name", "folder"), REFERENCES, ids=[f"{n}-{f.name}" for n, f in REFERENCES])
def test_no_report_of_a_shipped_suite_confuses_names(name: str, folder: Path) -> None:
    reader = open_run(folder)
    scale = Scale(profile=Profile(reader.record.profile), full=reader.record.full)
    assert reader.verdicts is not None
    document = build(load_suite(name), scale, reader, reader.verdicts)
    assert confused(document) == {}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys.readouterr)


def test_no_choice_of_ids_does(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "cost",
        "Cost",
        "numbers",
        "verdicts",
        "deviations",
        "evidence-C-1",
        "a b",
        "a-b",
        "a_b",
        "reported",
    )
    suite = replace(
        toys_reports.SUITE,
        claims=(claim("C-1"), claim("C 1"), claim("c-1")),
        controls=(),
        deviations=tuple(
            Deviation(id=name, field="data", paper="much", here="little", effect="less")
            for name in ("D 1", "D-1")
        ),
        tables=tuple(
            PaperTable(id=name, title=name, columns={"error": "Error"}, rows=table_rows()) for name in names
        ),
        figures=tuple(
            PaperFigure(id=name, title=name, x="x", y="y", series=lines())
            for name in ("f", "F", "a b", "a-b")
        ),
        sample_views=tuple(
            SampleView(id=name, title=name, experiment="e", method="good", part="main", kind="steps")
            for name in names
        ),
    )
    # A run would be refused for some of these; reports do not rely on that.
    run = open_run(shell.run())
    monkeypatch.setattr(toys_reports, "SUITE", suite)
    scale = Scale(profile=Profile.SMALL)
    document = build(suite, scale, run, judge(suite, scale, run))
    assert confused(document) == {}
    # What the suite declares keeps its name before what every report has.
    kept = [table.id for table in document.tables() if table.caption[0].text.startswith("cost.")]  # type: ignore[union-attr]
    assert kept == ["cost"]
    for name in names:
        assert shell("table", "answers", name, "--format", "csv") == 0, shell.err


def test_the_costs_of_a_paper_and_of_a_run_are_two_files() -> None:
    suite = load_suite("lora-rite")
    reader = open_run(suite.folder / "reference" / "small")
    assert reader.verdicts is not None
    files = csvs.render(build(suite, Scale(profile=Profile.SMALL), reader, reader.verdicts))
    assert files["cost.csv"].startswith("row,r8")
    assert "experiment,trials,reused" in files["report-cost.csv"]
