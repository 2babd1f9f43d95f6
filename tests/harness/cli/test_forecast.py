"""Which trials and artifacts a plan counts, and which of them are done."""

from __future__ import annotations

from pathlib import Path

from harness.cli.costs import Costs, Job
from harness.cli.forecast import Forecast, Span
from harness.engine.run import execute_one, stored_trials
from harness.suite import Suite
from tests.harness.running import Recorder, request, run
from tests.harness.toy import MeanTask, Noisy, Offset, Shrunk, toy_suite, tuned

POINTS = [f"e/t/tuned/tune/factor={value}/{seed}" for value in (0.25, 1.0, 4.0) for seed in (1, 2)]


class Second(Costs):
    """Every job takes one second, but for those that are not known."""

    def seconds(self, job: Job) -> float | None:
        return None if "unheard" in job[1] else 1.0


def forecast(suite: Suite, folder: Path) -> Forecast:
    asked = request(suite, folder, workers=1)
    plan = asked.planner.plan(suite, asked.scale, asked.selection)
    return Forecast(asked, plan, stored_trials(asked), Second({}, {}))


def counts(suite: Suite, folder: Path) -> tuple[int, int]:
    """Jobs altogether, and those still to run."""
    time, left = forecast(suite, folder).spans()
    assert (time.seconds, left.seconds) == (time.count, left.count), "one second each, one after the other"
    return time.count, left.count


def test_main_trials_behind_a_tuning_count_before_and_after_it(tmp_path: Path) -> None:
    suite = toy_suite(methods={"tuned": tuned(), "half": Shrunk(factor=0.5)}, seeds=(100, 101))
    assert counts(suite, tmp_path) == (10, 10)
    for point in POINTS:
        execute_one(request(suite, tmp_path), point, Recorder())
    assert counts(suite, tmp_path) == (10, 4)
    execute_one(request(suite, tmp_path), "e/t/tuned/100", Recorder())
    assert counts(suite, tmp_path) == (10, 3), "the values that won are known, and one such trial is stored"


def test_an_artifact_counts_once_and_only_as_long_as_something_needs_it(tmp_path: Path) -> None:
    suite = toy_suite(methods={"noisy": Noisy()}, task=MeanTask(offset=Offset()), seeds=(100, 101))
    assert counts(suite, tmp_path) == (3, 3)
    execute_one(request(suite, tmp_path), "e/t/noisy/100", Recorder())
    assert counts(suite, tmp_path) == (3, 1), "the artifact is built"
    run(suite, tmp_path)
    assert counts(suite, tmp_path) == (3, 0)


def test_some_places_need_their_trials_only(tmp_path: Path) -> None:
    suite = toy_suite(methods={"noisy": Noisy(), "unheard": Shrunk(factor=0.5)}, seeds=(100, 101))
    found = forecast(suite, tmp_path)
    assert found.spans({("e", "", "noisy")})[0] == Span(2.0, 0, 2)
    assert found.spans({("e", "t", "unheard")})[0] == Span(0.0, 2, 2)
    assert found.spans()[0] == Span(2.0, 2, 4)
    assert found.spans({("e", "other", "noisy")})[0] == Span()
