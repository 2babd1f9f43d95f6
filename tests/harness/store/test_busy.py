"""A folder that another process writes to is refused in words that fit what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.store import RunWriter, single_trial_folder


def test_a_trial_that_is_being_executed_is_told_as_one(tmp_path: Path) -> None:
    folder = single_trial_folder(tmp_path, "toy", "small", "f" * 64, "here")
    with RunWriter(folder), pytest.raises(UsageError, match="executing this trial") as error:
        RunWriter(folder)
    assert "--resume" not in str(error.value)


def test_a_run_that_goes_on_is_told_as_one(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run"), pytest.raises(UsageError, match="writing to this run"):
        RunWriter(tmp_path / "run")
