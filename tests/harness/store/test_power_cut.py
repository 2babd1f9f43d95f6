"""What was stored survives a power cut at any step, in whatever order names and bytes reach the disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.engine.artifact import is_built
from harness.method import Scores
from harness.store import RunReader, RunWriter
from harness.store.reader import read_trials
from tests.harness.power_cut import Disk, put_down
from tests.harness.running import run
from tests.harness.store.test_compaction import record, scores
from tests.harness.store.test_store import run_record
from tests.harness.toy import MeanTask, Offset, toy_suite

NAME = "toy-small-1"


def seed_of(trial: str) -> int:
    return int(trial.rpartition("/")[2])


def check_rows(reader: RunReader, trial: str) -> None:
    for part, columns in scores(seed_of(trial)).items():
        found = reader.table(trial, part)
        assert repr(list(found["unit_id"])) == repr(list(columns["unit_id"])), (trial, part)


class Writing:
    """Writes a run in two sittings, and knows which trials it has been told are stored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stored: list[str] = []

    def sitting(self, *seeds: int) -> None:
        with RunWriter(self.folder) as writer:
            writer.repair()
            writer.start(run_record(self.folder))
            for seed in seeds:
                if f"e/t/m/{seed}" not in self.stored:
                    writer.append(record("e", "m", seed), Scores(scores(seed)))
                    self.stored.append(f"e/t/m/{seed}")
            writer.compact()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    """A disk on which a run has been written."""
    runs = tmp_path_factory.mktemp("runs")
    writing = Writing(runs / NAME)
    with Disk(runs, lambda: tuple(writing.stored)) as watched:
        writing.sitting(100)
        writing.sitting(101)
    return watched


def test_what_was_stored_is_there_and_the_run_goes_on(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # No power is cut from here on.
    images = list(disk.images())
    for image, stored in images:
        runs = put_down(image, tmp_path / "runs")
        reader = RunReader(runs / NAME)
        lost = [trial for trial in stored if not reader.is_whole(trial)]
        assert not lost, (lost, reader.damaged, sorted(image))
        whole = [trial for trial in reader.trials if reader.is_whole(trial)]
        for trial in whole:
            check_rows(reader, trial)
        again = Writing(runs / NAME)
        again.stored = whole
        again.sitting(100, 101)
        reader = RunReader(runs / NAME)
        assert reader.record.run == NAME
        assert reader.damaged == []
        for trial in again.stored:
            check_rows(reader, trial)
        lines = [line.trial for line in read_trials(runs / NAME / "trials.jsonl", [])]
        assert all(lines.count(trial) == 1 for trial in stored), "nothing that was stored is executed again"
        shutil.rmtree(runs)
    assert len(images) > 40


@contextmanager
def watched_home(folder: Path) -> Iterator[Disk]:
    (folder / "home").mkdir()
    with Disk(folder / "home") as watched:
        yield watched


def test_an_artifact_that_counts_as_built_is_whole(tmp_path: Path) -> None:
    suite = toy_suite(task=MeanTask(offset=Offset(inner=Offset(value=2.0))), seeds=(100,))
    with watched_home(tmp_path) as disk:
        run(suite, tmp_path)
    built = 0
    for image, _ in disk.images():
        home = put_down(image, tmp_path / "found")
        for folder in (home / "artifacts").glob("offset-*"):
            if is_built(folder):
                built += 1
                assert json.loads((folder / "offset.json").read_text()) in (2.0, 3.0)
        shutil.rmtree(home)
    assert built > 10
