"""The pages beside the report in a browser: the comparison, the index, and a run that goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import reports
from harness.evidence.compare import compare_runs
from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from reports import Progress, html
from reports.build import build
from reports.comparison import Side
from reports.thumbnail import thumbnail_of
from tests.reports import demo
from tests.reports.test_browser import AXE, BROWSER, CHECK, MEASURE, said
from tests.reports.test_write import store

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="neither chromium nor google-chrome is installed"),
]
SCROLLS = MEASURE.replace(".table:not(.verdicts) .scroll", ".scroll:not(.index)")
Make = Callable[[Path, MemoryRun, VerdictsRecord], str]


def comparison(folder: Path, view: MemoryRun, verdicts: VerdictsRecord) -> str:
    side = Side(demo.SUITE, demo.SCALE, view, verdicts)
    found = compare_runs(demo.SUITE, demo.SCALE, view, view)
    return reports.write_comparison(side, side, found, folder / "c.html").read_text(encoding="utf-8")


def index(folder: Path, view: MemoryRun, verdicts: VerdictsRecord) -> str:
    store(folder / "reference" / "small", view, verdicts, report=False)
    store(folder / "runs" / "one", view, verdicts, report=True)
    store(folder / "runs" / "two", view, verdicts, report=False)
    drawn = thumbnail_of(demo.SUITE, demo.SCALE, view, verdicts)
    path = reports.write_index(folder / "runs", {"toy": folder / "reference"}, lambda _: drawn)
    return path.read_text(encoding="utf-8")


def live(_: Path, view: MemoryRun, verdicts: VerdictsRecord) -> str:
    progress = Progress(3, 15, 1, "about 5 min left", 1.7e9, "2024-05-01 10:00:00 UTC")
    return html.render(build(demo.SUITE, demo.SCALE, view, verdicts), progress)


def measured(page: str) -> str:
    """The page with room for a script of ours, and that does not load itself again meanwhile."""
    return re.sub(r'<meta http-equiv="(Content-Security-Policy|refresh)"[^>]*>', "", page)


@pytest.mark.parametrize("make", [comparison, index, live])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_sideways(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord, make: Make, width: int
) -> None:
    found = said(measured(make(tmp_path, view, verdicts)), SCROLLS, tmp_path, width)
    measures = re.match(r"WIDTH (\d+) OF (\d+) WIDE (\d+) ", found)
    assert measures
    scroll, inner, wide = map(int, measures.groups())
    assert inner == width
    assert scroll <= width
    assert wide == 0


def test_a_page_that_is_no_longer_written_says_so(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    tell = '<script>parent.postMessage(document.querySelector(".live strong").textContent, "*")</script>'
    assert "Nothing new for" in said(measured(live(tmp_path, view, verdicts)), tell, tmp_path, 1280)


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core: npm install axe-core, or AXE_CORE=FILE")
@pytest.mark.parametrize("make", [comparison, index, live])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(  # noqa: PLR0917 - fixtures
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord, make: Make, width: int, colours: str
) -> None:
    # That a page loads itself again is against a rule; it is what this one is for, and the report has it not.
    script = f"<script>{AXE.read_text(encoding='utf-8')}</script>{CHECK}"
    scheme = f"--blink-settings=preferredColorScheme={int(colours == 'light')}"
    page = measured(make(tmp_path, view, verdicts)).replace("<details", "<details open")
    found = json.loads(said(page, script, tmp_path, width, scheme, "--virtual-time-budget=30000"))
    assert found["rules"] > 15
    assert found["told"] == []
