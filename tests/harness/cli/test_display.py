"""What the displays say of a failure."""

from __future__ import annotations

import traceback

from harness.cli.display import last_line
from harness.errors import ResourceError


def test_an_error_is_told_with_its_advice() -> None:
    error = ResourceError("It cannot be stored: disk full", where="/cache", fix="Free space.\n  - or go")
    text = "".join(traceback.format_exception(error))
    assert last_line(text).endswith(
        "ResourceError: It cannot be stored: disk full (/cache). Free space. - or go"
    )


def test_an_error_alone_is_its_last_line() -> None:
    assert last_line("Stopped at 9 GB.\n") == "Stopped at 9 GB."
    assert last_line("") == "no reason given"
