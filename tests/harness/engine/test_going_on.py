"""A trial and an artifact that were killed in the middle go on, to the same bits."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import list_runs
from harness.store.reader import RunReader
from tests.harness.engine.going_on import suite
from tests.harness.running import run

SCRIPT = """
import sys
from pathlib import Path
from harness.store import list_runs
from tests.harness.engine.going_on import suite
from tests.harness.running import run
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    runs = list_runs(folder / "runs")
    run(suite(), folder, engine="pool", workers=1, resume=runs[-1] if runs else None)
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CORROBORATE_CHECKPOINT_SECONDS": "0.2"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)], cwd=Path(__file__).parents[3], env=environment
    )


def states(folder: Path, where: str) -> Iterator[tuple[int, float]]:
    """Updates done, and seconds spent until then, in the checkpoints below ``where``."""
    for path in folder.glob(f"{where}/**/latest.json"):
        pairs = dict(json.loads(path.read_text())["state"]["pairs"])
        if pairs["plan"][0] in ("long", "artifact") and not pairs["finished"]:
            yield pairs["done"], dict(pairs["trial"]["pairs"])["spent"][0]


def killed_within(folder: Path, where: str) -> tuple[int, float]:
    """Kill a run once a checkpoint is there; gives the updates that it holds, and the seconds."""
    process = start(folder)
    deadline = time.monotonic() + 600
    try:
        while time.monotonic() < deadline and process.poll() is None:
            if found := [state for state in states(folder, where) if 4 <= state[0] < 26]:
                return found[0]
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(1.0)  # Workers end with their driver.
    pytest.fail("There was no checkpoint to kill at")


def rows(reader: RunReader) -> dict[str, bytes]:
    return {name: reader.units(name) for name, record in reader.trials.items() if record.kind == "trial"}


@pytest.mark.slow
def test_kill_in_the_middle_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORROBORATE_CHECKPOINT_SECONDS", "10000")
    _, whole, _ = run(suite(), tmp_path / "whole")
    assert {record.error for record in whole.trials.values()} == {""}
    part = tmp_path / "part"
    artifact, building = killed_within(part, "home/artifacts")
    trial, running = killed_within(part, "runs")
    assert start(part).wait(timeout=900) == 0
    (folder,) = list_runs(part / "runs")
    assert rows(RunReader(folder)) == rows(whole)
    logs = "".join(path.read_text() for path in (folder / "logs").iterdir())
    went_on = [int(found) for found in re.findall(r"long: goes on after (\d+)\.", logs)]
    assert went_on
    assert went_on[0] >= trial >= 4
    assert "losses 30" in logs
    assert artifact >= 4
    # What a killed process spent is not forgotten.
    trials = RunReader(folder).trials
    assert trials["e/t/mean/100"].cost.wall_s > running > 0
    (manifest,) = (part / "home" / "artifacts").glob("*/artifact.json")
    assert json.loads(manifest.read_text())["seconds"] > building > 0
    # Nothing is left of what is over.
    assert not (folder / "checkpoints").exists()
    assert not list((part / "home" / "artifacts").glob(".*.checkpoints"))
    probes = RunReader(folder).table("e/t/mean/100", "probe")
    assert list(dict.fromkeys(probes["step"].tolist())) == [0, 2, 4, 6, *range(8, 31, 2)]
    assert len(probes["step"]) == 56 * (4 + 16)
