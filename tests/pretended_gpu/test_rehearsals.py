"""The experiments of each suite's ``gpu`` profile, at toy size, on the pretended GPU."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SUITES = sorted(PROJECT["entry-points"]["corroborate.suites"])


@pytest.mark.slow
@pytest.mark.rehearsal
@pytest.mark.parametrize("suite", SUITES)
def test_the_gpu_profile_mixes_no_devices(suite: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.pretended_gpu", "rehearse", suite, "--profile", "gpu"]
    done = subprocess.run(
        [*command, "--dtype", "bfloat16", "--no-report", "--runs", str(tmp_path / "runs")],
        cwd=ROOT,
        env={**os.environ, "CORROBORATE_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
