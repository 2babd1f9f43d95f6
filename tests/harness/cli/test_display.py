"""What the displays say of a failure."""

from __future__ import annotations

import io
import traceback

from harness.cli.display import PlainDisplay, last_line
from harness.errors import ResourceError
from harness.store.records import Cost, TrialRecord


def test_an_error_is_told_with_its_advice() -> None:
    error = ResourceError("It cannot be stored: disk full", where="/cache", fix="Free space.\n  - or go")
    text = "".join(traceback.format_exception(error))
    assert last_line(text).endswith(
        "ResourceError: It cannot be stored: disk full (/cache). Free space. - or go"
    )


def test_an_error_alone_is_its_last_line() -> None:
    assert last_line("Stopped at 9 GB.\n") == "Stopped at 9 GB."
    assert last_line("") == "no reason given"


def test_trials_of_a_later_look_are_counted_anew() -> None:
    out = io.StringIO()
    trials = [f"e/t/m/{seed}" for seed in range(3)]
    with PlainDisplay(out=out) as shown:
        for planned in (trials[:2], trials):
            shown.total(planned)
            for trial in planned:
                record = TrialRecord(trial=trial, status="ok", fingerprint="", environment="")
                shown.finished(record.model_copy(update={"cost": Cost(wall_s=2.0)}))
        assert shown.expected(["e/t/m/9"]) == 2.0
        assert shown.expected(["e/t/other/9"]) == 2.0, "as others of its experiment"
        assert shown.expected(["f/t/m/9"]) is None
    assert "3 of 3 trials (3 ok)" in out.getvalue()


def test_a_single_trial_is_one() -> None:
    out = io.StringIO()
    with PlainDisplay(out=out) as shown:
        shown.total(["main/e/t/m/100"])
    assert "1 trial\n" in out.getvalue()
    assert "0 of 1 trial (none yet)" in out.getvalue()
