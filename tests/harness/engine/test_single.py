"""Trials that are run one by one, and runs that put them together."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import provenance
from harness.engine import run as engine
from harness.engine.run import Finished, execute_one
from harness.errors import ResourceError, UsageError
from harness.plan import Selection
from harness.plan.limits import Limits
from harness.store import list_runs, list_single_trials, open_run
from harness.suite import Suite
from tests.harness.running import Recorder, request, run
from tests.harness.toy import Bad, MeanTask, Noisy, Offset, Shrunk, toy_suite, tuned


def single(suite: Suite, folder: Path, trial: str, **changes: Any) -> Finished:
    return execute_one(request(suite, folder, **changes), trial, Recorder())


def test_trials_run_one_by_one_are_those_of_a_run_and_a_run_takes_them(tmp_path: Path) -> None:
    suite = toy_suite(methods={"noisy": Noisy()}, task=MeanTask(offset=Offset()), seeds=(100, 101, 102))
    for seed in (101, 100):
        finished = single(suite, tmp_path, f"e/t/noisy/{seed}")
        assert finished.summary.executed == 1
    assert not list_runs(tmp_path / "runs"), "a trial is no run"
    together, reader, _ = run(suite, tmp_path)
    assert (together.summary.executed, together.summary.reused) == (1, 2)
    _, alone, _ = run(suite, tmp_path / "other")
    for trial in alone.record.planned:
        assert np.array_equal(alone.table(trial, "main")["error"], reader.table(trial, "main")["error"])


def test_the_same_trial_again_is_not_executed_again(tmp_path: Path) -> None:
    suite = toy_suite(seeds=(100,))
    first = single(suite, tmp_path, "e/t/mean/100")
    again = single(suite, tmp_path, "e/t/mean/100")
    assert first.folder == again.folder
    assert (again.summary.executed, again.summary.reused) == (0, 1)
    assert open_run(first.folder).record.selection == {"trial": ["e/t/mean/100"]}


def test_two_of_the_same_trial_at_once_are_refused_and_others_are_not(tmp_path: Path) -> None:
    from harness.store import RunWriter

    suite = toy_suite(seeds=(100, 101))
    folder = single(suite, tmp_path, "e/t/mean/100").folder
    with RunWriter(folder):
        with pytest.raises(UsageError, match="Another process"):
            single(suite, tmp_path, "e/t/mean/100")
        assert single(suite, tmp_path, "e/t/mean/101").summary.executed == 1


def test_a_killed_trial_goes_on_in_its_folder(tmp_path: Path) -> None:
    suite = toy_suite(seeds=(100,))
    folder = single(suite, tmp_path, "e/t/mean/100").folder
    lines = (folder / "trials.jsonl").read_bytes()
    (folder / "trials.jsonl").write_bytes(lines[:40])
    again = single(suite, tmp_path, "e/t/mean/100")
    assert (again.folder, again.summary.executed) == (folder, 1)


def test_main_trials_of_a_tuned_method_wait_for_their_tuning(tmp_path: Path) -> None:
    suite = toy_suite(methods={"tuned": tuned(), "half": Shrunk(factor=0.5)}, seeds=(100,))
    points = [f"e/t/tuned/tune/factor={value}/{seed}" for value in (0.25, 1.0, 4.0) for seed in (1, 2)]
    for point in points[:-1]:
        single(suite, tmp_path, point)
    with pytest.raises(UsageError, match="1 of 6 tuning trials have not ended") as caught:
        single(suite, tmp_path, "e/t/tuned/100")
    assert points[-1] in str(caught.value)
    assert points[0] not in str(caught.value)
    single(suite, tmp_path, points[-1])
    folder = single(suite, tmp_path, "e/t/tuned/100").folder
    whole, reader, _ = run(suite, tmp_path / "other")
    assert not whole.summary.failed
    mine, theirs = (view.trials["e/t/tuned/100"] for view in (open_run(folder), reader))
    assert (mine.params, mine.tuned, mine.fingerprint) == (theirs.params, theirs.tuned, theirs.fingerprint)
    together, _, _ = run(suite, tmp_path)
    assert (together.summary.executed, together.summary.reused) == (1, 7)


def test_a_tuning_trial_that_failed_has_ended(tmp_path: Path) -> None:
    grid = {"way": ("sleep", "diverge", "raise")}
    suite = toy_suite(methods={"tuned": replace(tuned(), method=Bad(), grid=grid, seeds=(1,))}, seeds=(100,))
    for way in grid["way"]:
        single(suite, tmp_path, f"e/t/tuned/tune/way={way}/1")
    folder = single(suite, tmp_path, "e/t/tuned/100").folder
    assert open_run(folder).trials["e/t/tuned/100"].tuned == {"way": "sleep"}


def test_unknown_trials_and_those_that_cannot_run_are_told(tmp_path: Path) -> None:
    suite = toy_suite(seeds=(100,))
    with pytest.raises(UsageError, match="Did you mean e/t/mean/100"):
        single(suite, tmp_path, "e/t/mean/10")
    small = Limits(memory_gb=64.0, have_gb={"cpu": 1.0})
    with pytest.raises(ResourceError, match="cannot run here: --memory says 64 GB"):
        single(suite, tmp_path, "e/t/mean/100", limits=small)
    assert not (tmp_path / "runs").exists()


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this is another machine."""
    monkeypatch.setattr(provenance, "cpu_model", lambda: "Another Processor")


def test_gathering_takes_trials_of_other_machines_and_executes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = {"mean": Shrunk(), "diverges": Bad(way="diverge"), "breaks": Bad()}
    suite = toy_suite(methods=methods, seeds=(100, 101))
    for trial in ("e/t/mean/100", "e/t/diverges/100", "e/t/breaks/100"):
        single(suite, tmp_path, trial)
    elsewhere(monkeypatch)
    finished, reader, _ = run(suite, tmp_path, gather=True)
    assert finished.summary.missing == ["e/t/mean/101", "e/t/diverges/101", "e/t/breaks/101"]
    assert finished.summary.diverged == ["e/t/diverges/100"]
    assert finished.summary.failed == ["e/t/breaks/100"]
    assert (finished.summary.executed, finished.summary.reused) == (0, 1)
    record = reader.trials["e/t/mean/100"]
    assert "Another Processor" not in record.environment
    assert len(reader.table("e/t/mean/100", "main")["error"]) == 5
    # A run, in contrast, executes what another machine has done.
    executed, _, _ = run(suite, tmp_path)
    assert executed.summary.reused == 0


def test_gathering_tells_what_waits_for_tuning(tmp_path: Path) -> None:
    suite = toy_suite(methods={"tuned": tuned()}, seeds=(100, 101))
    single(suite, tmp_path, "e/t/tuned/tune/factor=1.0/1")
    finished, _, recorder = run(suite, tmp_path, gather=True)
    assert finished.summary.missing[-2:] == ["e/t/tuned/100", "e/t/tuned/101"]
    assert len(finished.summary.missing) == 7
    assert any("tuning trials are missing" in note for note in recorder.notes)


def test_chosen_seeds_on_two_machines_make_the_whole(tmp_path: Path) -> None:
    suite = toy_suite()
    for seeds in ((100, 103), (101, 102, 104)):
        finished, _, _ = run(suite, tmp_path, selection=Selection(seeds=seeds))
        assert finished.summary.executed == 2 * len(seeds)
    assert run(suite, tmp_path)[0].summary.reused == 10
    assert {seed for folder in list_runs(tmp_path / "runs") for seed in seeds_of(folder)} == {
        "100,103",
        "101-102,104",
    }


def seeds_of(folder: Path) -> list[str]:
    return open_run(folder).record.selection.get("seeds", [])


def test_limits_that_a_user_sets_hold_and_are_recorded(tmp_path: Path) -> None:
    suite = toy_suite(methods={"bad": Bad(way="hang"), "mean": Shrunk()}, seeds=(100,), minutes=30.0)
    limits = Limits(memory_gb=3.0, minutes=0.05)
    _, reader, _ = run(suite, tmp_path, engine="pool", limits=limits)
    assert reader.record.limits == {"memory_gb": 3.0, "minutes": 0.05}
    record = reader.trials["e/t/bad/100"]
    assert record.status == "timeout"
    assert "0.05 minutes" in record.error
    assert reader.trials["e/t/mean/100"].status == "ok"


def test_memory_that_a_user_allows_is_allowed_to_artifacts_too(tmp_path: Path) -> None:
    asked = request(toy_suite(), tmp_path, limits=Limits(memory_gb=50.0, minutes=600.0))
    maker = engine._maker(
        asked, engine.Prepared(asked.planner, asked.planner.plan(asked.suite, asked.scale), {}), tmp_path
    )
    job = maker.artifact(engine_preparation())
    assert (job.memory_gb, job.minutes, job.device_gb) == (50.0, 600.0, 50.0)


def engine_preparation() -> Any:
    from harness.engine.jobs import Preparation
    from harness.plan.placement import Placement

    return Preparation(Offset(), Placement())


def test_a_run_says_which_device_it_took_and_why(tmp_path: Path) -> None:
    _, reader, recorder = run(toy_suite(seeds=(100,)), tmp_path, device_reason="there is no other")
    assert "device: cpu (there is no other)" in recorder.notes
    assert reader.record.device == "cpu"
    assert {record.device for record in reader.trials.values()} == {"cpu"}


def test_single_trials_are_listed_apart(tmp_path: Path) -> None:
    folder = single(toy_suite(seeds=(100,)), tmp_path, "e/t/mean/100").folder
    assert list_single_trials(tmp_path / "runs") == [folder]
    assert list_runs(tmp_path / "runs") == []


SCRIPT = """
import sys
from pathlib import Path
from tests.harness.engine.test_single import shared_suite, single
if __name__ == "__main__":
    single(shared_suite(), Path(sys.argv[1]), sys.argv[2])
"""


def shared_suite() -> Suite:
    offset = Offset(value=2.0, inner=Offset(value=1.0))
    return toy_suite(methods={"noisy": Noisy()}, task=MeanTask(offset=offset), seeds=(100, 101, 102))


@pytest.mark.slow
def test_processes_at_once_build_what_they_share_once_and_lose_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    started = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), f"e/t/noisy/{seed}"], cwd=root)
        for seed in (100, 101, 102)
    ]
    assert [process.wait(timeout=240) for process in started] == [0, 0, 0]
    assert len(list((tmp_path / "home/artifacts").glob("offset-*"))) == 2
    together, reader, _ = run(shared_suite(), tmp_path)
    assert (together.summary.executed, together.summary.reused) == (0, 3)
    assert all(reader.is_whole(trial) for trial in reader.record.planned)
