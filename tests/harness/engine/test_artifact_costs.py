"""What an artifact cost is kept beside it, and recorded as its own wherever it is used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.engine import driver
from harness.store import RunReader
from harness.store.records import Cost, TrialRecord
from harness.suite import Suite
from tests.harness.running import run
from tests.harness.toy import BURNT_S, Burning, MeanTask, toy_suite


def suite() -> Suite:
    return toy_suite(task=MeanTask(offset=Burning()), seeds=(100,))


def artifact(reader: RunReader) -> TrialRecord:
    (found,) = (record for record in reader.trials.values() if record.kind == "artifact")
    return found


def manifest(folder: Path) -> Path:
    (found,) = (folder / "home" / "artifacts").glob("*/artifact.json")
    return found


def test_a_reused_artifact_has_the_cost_of_its_making(tmp_path: Path) -> None:
    built = artifact(run(suite(), tmp_path)[1])
    assert built.cost.cpu_s >= BURNT_S
    assert built.cost.wall_s >= BURNT_S
    assert built.cost.peak_memory_mb > 0
    assert not built.reused_from
    shutil.rmtree(tmp_path / "runs")
    reused = artifact(run(suite(), tmp_path)[1])
    assert reused.reused_from == "cache"
    assert (
        reused.cost == built.cost == Cost.model_validate(json.loads(manifest(tmp_path).read_text())["cost"])
    )


def test_one_that_another_process_built_meanwhile_is_marked_as_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = artifact(run(suite(), tmp_path)[1])
    shutil.rmtree(tmp_path / "runs")
    monkeypatch.setattr(driver, "is_built", lambda folder: False)
    found = artifact(run(suite(), tmp_path)[1])
    assert (found.reused_from, found.cost) == ("cache", built.cost)


def test_going_on_with_a_run_does_not_turn_its_own_artifact_into_a_reused_one(tmp_path: Path) -> None:
    finished, reader, _ = run(suite(), tmp_path)
    built = artifact(reader)
    lines = (finished.folder / "trials.jsonl").read_bytes().splitlines(keepends=True)
    (finished.folder / "trials.jsonl").write_bytes(b"".join(lines[:1]))  # As if killed after the artifact.
    _, resumed, _ = run(suite(), tmp_path, resume=finished.folder)
    assert len(resumed.trials) == len(lines)
    assert artifact(resumed) == built


def test_an_older_artifact_knows_its_wall_time_only(tmp_path: Path) -> None:
    run(suite(), tmp_path)
    shutil.rmtree(tmp_path / "runs")
    path = manifest(tmp_path)
    content = json.loads(path.read_text())
    del content["cost"]
    path.write_text(json.dumps({**content, "seconds": 7.5}))
    reused = artifact(run(suite(), tmp_path)[1])
    assert reused.cost == Cost(wall_s=7.5)
    assert not reused.cost.is_whole
