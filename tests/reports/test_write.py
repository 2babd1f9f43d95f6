from __future__ import annotations

import base64
import dataclasses
import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import reports
from harness.errors import RecordError, UsageError
from harness.store import committed_report
from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from reports.document import Document
from reports.thumbnail import headline, thumbnail, thumbnail_of
from tests.reports import demo

ALL = ("html", "latex", "markdown", "csv", "junit")


def test_every_format_is_written_and_the_page_comes_first(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    paths = reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, tmp_path, formats=ALL)
    names = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert paths[0].name == "index.html"
    assert {
        "index.html", "thumbnail.svg", "report.tex", "appendix.tex", "preamble.tex", "macros.tex",
        "tables/main-1.tex", "figures/bars.pdf", "report.md",
        "summary.md", "csv/numbers.csv", "csv/verdicts.csv", "csv/main-1.csv", "junit.xml",
    } <= names  # fmt: skip
    assert all(path.stat().st_size > 0 for path in paths)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == names


def test_the_same_run_gives_the_same_files(tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord) -> None:
    first = reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, tmp_path / "a", formats=ALL)
    second = reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, tmp_path / "b", formats=ALL)
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


@pytest.mark.parametrize("fmt", ["latex", "html", "markdown", "csv"])
def test_one_table_by_its_declared_id(view: MemoryRun, verdicts: VerdictsRecord, fmt: str) -> None:
    text = reports.render_table(demo.SUITE, demo.SCALE, view, verdicts, "main_1", fmt)
    assert "0.770" in text or "0.77" in text
    assert "<script>" not in text or fmt == "csv"


def test_unknown_names_are_answered_with_the_nearest(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    with pytest.raises(UsageError, match="verdicts"):
        reports.render_table(demo.SUITE, demo.SCALE, view, verdicts, "verdict", "latex")
    with pytest.raises(UsageError, match="markdown"):
        reports.render_table(demo.SUITE, demo.SCALE, view, verdicts, "main_1", "markdwon")
    with pytest.raises(UsageError, match="latex"):
        reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, Path("nowhere"), formats=("ltex",))
    assert not Path("nowhere").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    (tmp_path / "report").write_text("in the way", encoding="utf-8")
    with pytest.raises(RecordError, match="cannot be written"):
        reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, tmp_path / "report", formats=("csv",))


def test_a_full_disk_leaves_the_old_page_and_no_rest(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("Reproduction report", encoding="utf-8")

    def full(descriptor: int, *args: object, **kwargs: object) -> None:
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reports.write.os.fdopen", full)
    with pytest.raises(RecordError, match="No space left"):
        reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, tmp_path, formats=("html",))
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "Reproduction report"


def store(folder: Path, view: MemoryRun, verdicts: VerdictsRecord, *, report: bool) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(view.record.model_dump_json(), encoding="utf-8")
    (folder / "verdicts.json").write_text(verdicts.model_dump_json(), encoding="utf-8")
    if report:
        reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, folder / "report", formats=("html",))


def test_the_index_links_every_report_and_counts_each_run_alone(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    store(tmp_path / "one run", view, verdicts, report=True)
    store(tmp_path / "two", view, verdicts, report=False)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("{", encoding="utf-8")
    (tmp_path / "no-run").mkdir()
    page = reports.write_index(tmp_path).read_text(encoding="utf-8")
    assert 'href="one%20run/report/index.html"' in page
    assert "corroborate report two" in page
    assert "one run</code>" not in page
    assert "cannot be read" in page
    assert "3 runs" in page
    assert page.count("1 not reproduced") == 2


def test_the_index_says_of_which_runs_trials_are_open(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    lines = [f"{trial.model_dump_json()}\n" for trial in view.trials.values()]
    run = view.record.model_copy(update={"planned": list(view.trials)})
    planned = dataclasses.replace(view, record=run)
    for name, finished in (("whole", lines), ("part", lines[:-2])):
        store(tmp_path / name, planned, verdicts, report=False)
        (tmp_path / name / "trials.jsonl").write_text("".join(finished), encoding="utf-8")
    page = reports.write_index(tmp_path).read_text(encoding="utf-8")
    assert page.count("not finished") == 1
    assert f"2 of {len(lines)} planned trials not finished" in page


def test_the_index_shows_committed_results_even_before_the_first_run(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    store(tmp_path / "reference" / "small", view, verdicts, report=False)
    written = reports.write_index(tmp_path / "runs", {"toy": tmp_path / "reference"})
    page = written.read_text(encoding="utf-8")
    assert "Committed results" in page
    assert page.count("1 not reproduced") == 1
    assert "corroborate report toy --reference --profile small" in page


def test_a_report_on_committed_results_that_were_replaced_later_is_not_linked(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    results, runs = tmp_path / "reference" / "small", tmp_path / "runs"
    store(results, view, verdicts, report=False)
    folder = committed_report(runs, "toy", view.record.profile, full=view.record.full)
    reports.write_report(demo.SUITE, demo.SCALE, view, verdicts, folder, formats=("html",))
    references = {"toy": tmp_path / "reference"}
    link = f'href="{folder.relative_to(runs).as_posix()}/index.html"'
    assert link in reports.write_index(runs, references).read_text(encoding="utf-8")
    later = (folder / "index.html").stat().st_mtime + 1
    os.utime(results / "verdicts.json", (later, later))
    page = reports.write_index(runs, references).read_text(encoding="utf-8")
    assert link not in page
    assert "corroborate report toy --reference" in page


def test_the_index_shows_headline_figures_as_images_in_which_nothing_runs(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    store(tmp_path / "reference" / "small", view, verdicts, report=False)
    store(tmp_path / "runs" / "one", view, verdicts, report=True)
    store(tmp_path / "runs" / "two", view, verdicts, report=False)
    drawn = thumbnail_of(demo.SUITE, demo.SCALE, view, verdicts)
    asked: list[Path] = []

    def draw(folder: Path) -> str:
        asked.append(folder)
        return drawn

    written = reports.write_index(tmp_path / "runs", {"toy": tmp_path / "reference"}, draw)
    page = written.read_text(encoding="utf-8")
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', page)
    shown = [base64.b64decode(image).decode() for image in images]
    assert asked == [tmp_path / "reference" / "small"]
    assert shown[0] == drawn
    assert shown[1] == (tmp_path / "runs" / "one" / "report" / "thumbnail.svg").read_text(encoding="utf-8")
    assert len(shown) == 2
    assert all(svg.startswith("<svg") and "var(--s0)" in svg and "--s0:" in svg for svg in shown)
    assert "<script" not in page


def test_a_thumbnail_is_a_small_drawing_of_the_headline_figure(document: Document) -> None:
    figure = headline(document.figures())
    assert figure is not None
    tree = ET.fromstring(thumbnail(figure))  # noqa: S314 - written by this test
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert not list(tree.iter("{http://www.w3.org/2000/svg}text"))


def test_an_index_of_nothing_says_so(tmp_path: Path) -> None:
    assert "0 runs" in reports.write_index(tmp_path).read_text(encoding="utf-8")
    with pytest.raises(RecordError, match="no folder"):
        reports.write_index(tmp_path / "absent")
