"""What a job prints, while its file is cut by another process."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

import pytest

from harness.engine import log
from harness.engine.log import LEFT_OUT, LOG_LIMIT, bound_log, read_log


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "FILE_LIMIT", 5 * LOG_LIMIT)


@pytest.mark.usefixtures("small")
def test_a_long_file_is_cut_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.write_text("x" * 6 * LOG_LIMIT + "the end")
    bound_log(path)
    assert path.stat().st_size < 2 * LOG_LIMIT
    assert read_log(path).startswith(LEFT_OUT)
    assert read_log(path).endswith("the end")


@pytest.mark.usefixtures("small")
def test_who_reads_while_it_is_cut_reads_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is empty for a moment; a job that ended in that moment had no log."""
    path = tmp_path / "worker.log"
    path.write_text("x" * 6 * LOG_LIMIT + "the end")
    cutting, end_of = threading.Event(), log._end

    def slow(file: object) -> str:
        text = end_of(file)  # type: ignore[arg-type]
        if not cutting.is_set():  # The one who cuts: empties the file while others read.
            file.truncate(0)  # type: ignore[attr-defined]
            cutting.set()
            time.sleep(0.3)
        return text

    monkeypatch.setattr(log, "_end", slow)
    cutter = threading.Thread(target=bound_log, args=(path,))
    cutter.start()
    assert cutting.wait(10)
    assert read_log(path).endswith("the end")
    cutter.join()


@pytest.mark.usefixtures("small")
def test_a_reader_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.write_text("x" * 6 * LOG_LIMIT)
    with path.open("rb") as reading:
        fcntl.flock(reading, fcntl.LOCK_SH)
        cutter = threading.Thread(target=bound_log, args=(path,))
        cutter.start()
        cutter.join(0.2)
        assert path.stat().st_size == 6 * LOG_LIMIT
    cutter.join(10)
    assert path.stat().st_size < 2 * LOG_LIMIT
