"""What is started first: artifacts, tuning, the longest; and no more than the engine has room for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine.engines import InlineEngine
from harness.engine.job import Job
from tests.harness.running import run
from tests.harness.toy import MeanTask, Offset, Shrunk, toy_suite, tuned


def test_the_longest_of_a_kind_goes_first(tmp_path: Path) -> None:
    methods = {name: Shrunk(factor=0.5 + number) for number, name in enumerate("abc")}
    suite = toy_suite(methods={**methods, "tuned": tuned()}, seeds=(100,), task=MeanTask(offset=Offset()))
    expected = {"e/t/b/100": 9.0, "e/t/c/100": 3.0, "e/t/tuned/100": 20.0}
    _, _, display = run(suite, tmp_path, expected=expected)
    names = [record.trial for record in display.records]
    assert names[0].startswith("artifact/")
    tuning = [name for name in names if "/tune/" in name]
    assert names[1 : 1 + len(tuning)] == tuning
    assert names[1 + len(tuning) :] == ["e/t/tuned/100", "e/t/b/100", "e/t/c/100", "e/t/a/100"]


def test_a_full_engine_is_asked_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Counting(InlineEngine):
        def accepts(self, job: Job) -> bool:
            asked.append(job.id)
            return super().accepts(job)

    monkeypatch.setattr("harness.engine.opened.InlineEngine", Counting)
    run(toy_suite(seeds=tuple(range(100, 120))), tmp_path)
    assert len(asked) == len(set(asked)), "each once, however many wait"
