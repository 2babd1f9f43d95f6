from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from reports import Progress, html, mark_interrupted, write_live_page
from reports.build import build
from tests.reports import demo

PROGRESS = Progress(15, 16, 0, "", 1.7e9, "2023-11-14 22:13:20 UTC")


@pytest.fixture
def unfinished() -> MemoryRun:
    view = demo.run()
    planned = [*view.record.planned, "main/toy/new/105"]
    view.record = view.record.model_copy(update={"planned": planned})
    return view


def test_a_run_that_goes_on_is_not_told_how_to_finish(tmp_path: Path, unfinished: MemoryRun) -> None:
    verdicts = demo.verdicts(unfinished)
    page = html.render(build(demo.SUITE, demo.SCALE, unfinished, verdicts))
    assert "Incomplete: 1 of 16" in page
    path = write_live_page(demo.SUITE, demo.SCALE, unfinished, verdicts, tmp_path, PROGRESS)
    live = path.read_text(encoding="utf-8")
    assert "Incomplete: 1 of 16" not in live
    assert "Still running: 15 of 16 trials." in live
    assert live.count('http-equiv="refresh"') == 1
    assert 'http-equiv="refresh"' not in page


def test_a_page_that_is_marked_keeps_all_else(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    path = write_live_page(demo.SUITE, demo.SCALE, view, verdicts, tmp_path, replace(PROGRESS, left="<b>"))
    before = path.read_text(encoding="utf-8")
    assert "&lt;b&gt;" in before
    assert mark_interrupted(tmp_path, "corroborate run toy --resume <x>")
    after = path.read_text(encoding="utf-8")
    assert "--resume &lt;x&gt;" in after
    assert after.partition("<header")[2] == before.partition("<header")[2]
    assert not mark_interrupted(tmp_path, "again")
    assert not mark_interrupted(tmp_path / "absent", "again")


def test_a_page_of_somebody_else_is_left_alone(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="no report has written"):
        write_live_page(demo.SUITE, demo.SCALE, view, verdicts, tmp_path, PROGRESS)
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"
