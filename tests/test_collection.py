"""Every process collects the same tests: pytest-xdist ends a session whose workers disagree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def collected(scratch: Path, hashes: int) -> list[str]:
    """Names of all tests, slow ones too, in a process with hashes and a temporary folder of its own."""
    scratch.mkdir()
    # An empty expression takes the place of the one that leaves tests out.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "--quiet",
        "-p",
        "no:cacheprovider",
        "-m",
        "",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": str(hashes), "TMPDIR": str(scratch)}
    done = subprocess.run(
        [*command, "tests"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.slow
def test_names_of_tests_hold_no_time_no_order_of_a_set_and_no_temporary_path(tmp_path: Path) -> None:
    first, second = [collected(tmp_path / f"{hashes}", hashes) for hashes in (1, 2)]
    assert len(first) > 1000
    assert first == second
