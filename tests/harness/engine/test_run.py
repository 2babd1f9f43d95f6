"""What a run does, in one process and in the pool."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import SuiteError, UsageError
from harness.method import PerSeed
from harness.plan import Selection
from harness.suite import Timed
from tests.harness.running import run
from tests.harness.toy import Bad, MeanTask, Noisy, Offset, Shrunk, toy_suite, tuned

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.mark.parametrize("engine", ["inline", "pool"])
def test_a_run_stores_every_trial_with_its_rows(engine: str, tmp_path: Path) -> None:
    finished, reader, recorder = run(toy_suite(), tmp_path, engine=engine)
    assert finished.summary.executed == 10
    assert set(reader.trials) == set(reader.record.planned)
    table = reader.table("e/t/mean/100", "main")
    assert list(table["unit_id"]) == [f"n{i}" for i in range(5)]
    assert reader.trials["e/t/mean/100"].cost.wall_s > 0
    assert {report.done for report in recorder.reports} == {0.5}
    logs = list((finished.folder / "logs").iterdir())
    assert len(logs) == 10
    assert logs[0].read_text() == "estimating\n"


def test_both_engines_give_the_same_rows(tmp_path: Path) -> None:
    suite = toy_suite(methods={"noisy": Noisy()}, seeds=(100, 101, 102))
    _, here, _ = run(suite, tmp_path / "a", engine="inline")
    _, there, _ = run(suite, tmp_path / "b", engine="pool")
    assert here.trials.keys() == there.trials.keys()
    for trial in here.trials:
        assert np.array_equal(here.table(trial, "main")["error"], there.table(trial, "main")["error"])


def test_a_trial_does_not_depend_on_those_before_it(tmp_path: Path) -> None:
    _, alone, _ = run(toy_suite(methods={"noisy": Noisy()}, seeds=(105,)), tmp_path / "a")
    _, late, _ = run(toy_suite(methods={"noisy": Noisy()}, seeds=tuple(range(100, 106))), tmp_path / "b")
    trial = "e/t/noisy/105"
    assert np.array_equal(alone.table(trial, "main")["error"], late.table(trial, "main")["error"])


def test_probes_are_stored_with_their_step(tmp_path: Path) -> None:
    _, reader, _ = run(toy_suite(methods={"noisy": Noisy()}, seeds=(100,)), tmp_path)
    assert set(reader.table("e/t/noisy/100", "probe")["step"]) == {1}


def test_artifacts_are_built_once_and_before_what_needs_them(tmp_path: Path) -> None:
    offset = Offset(value=2.0, inner=Offset(value=1.0))
    suite = toy_suite(task=MeanTask(offset=offset), seeds=(100,))
    _, reader, _ = run(suite, tmp_path, engine="pool")
    built = [record for record in reader.trials.values() if record.kind == "artifact"]
    assert len(built) == 2
    assert not any(record.reused_from for record in built)
    plain = run(toy_suite(seeds=(100,)), tmp_path / "plain")[1].table("e/t/mean/100", "main")["error"]
    shifted = reader.table("e/t/mean/100", "main")["error"]
    assert not np.array_equal(plain, shifted)
    shutil.rmtree(tmp_path / "runs")
    _, again, _ = run(suite, tmp_path, engine="pool")
    assert {r.reused_from for r in again.trials.values() if r.kind == "artifact"} == {"cache"}


def test_each_seed_is_given_its_own_artifact(tmp_path: Path) -> None:
    each: Any = PerSeed(artifact=Offset(), seed_field="value")
    _, reader, _ = run(toy_suite(task=MeanTask(offset=each), seeds=(100, 200)), tmp_path, engine="pool")
    assert sum(record.kind == "artifact" for record in reader.trials.values()) == 2
    plain = run(toy_suite(seeds=(100, 200)), tmp_path / "plain")[1]
    for seed in (100, 200):
        # The offset moves all numbers by the seed, and the estimate of their mean with them.
        moved = reader.table(f"e/t/mean/{seed}", "main")["error"]
        assert moved == pytest.approx(plain.table(f"e/t/mean/{seed}", "main")["error"] + seed, abs=8.0)


def test_an_interrupted_artifact_is_built_anew(tmp_path: Path) -> None:
    suite = toy_suite(task=MeanTask(offset=Offset()), seeds=(100,))
    run(suite, tmp_path)
    (built,) = (tmp_path / "home/artifacts").glob("offset-*")
    (built / "artifact.json").unlink()
    (built / "offset.json").write_text("torn")
    leftover = built.with_name(f".{built.name}.building")
    leftover.mkdir()
    finished, _, _ = run(suite, tmp_path, fresh=True)
    assert not finished.summary.failed
    assert not leftover.exists()


def test_a_failed_artifact_fails_its_trials_with_the_reason(tmp_path: Path) -> None:
    suite = toy_suite(task=MeanTask(offset=Offset(inner=Offset(broken=True))), seeds=(100,))
    finished, reader, _ = run(suite, tmp_path, engine="pool")
    assert len(finished.summary.failed) == 4
    assert "the offset is broken" in reader.trials["e/t/mean/100"].error


def test_a_failing_trial_is_a_record_and_the_others_go_on(tmp_path: Path) -> None:
    suite = toy_suite(methods={"bad": Bad(), "mean": Shrunk()}, seeds=(100,))
    finished, reader, _ = run(suite, tmp_path, engine="pool")
    assert finished.summary.failed == ["e/t/bad/100"]
    assert "ZeroDivisionError" in reader.trials["e/t/bad/100"].error
    assert reader.trials["e/t/mean/100"].status == "ok"


def test_a_diverged_trial_is_a_result_and_no_failure(tmp_path: Path) -> None:
    suite = toy_suite(methods={"bad": Bad(way="diverge"), "mean": Shrunk()}, seeds=(100,))
    finished, reader, _ = run(suite, tmp_path, engine="pool")
    assert (finished.summary.failed, finished.summary.diverged) == ([], ["e/t/bad/100"])
    assert reader.trials["e/t/bad/100"].status == "diverged"


@pytest.mark.parametrize(
    ("way", "limits", "status"),
    [("hang", {"minutes": 0.1}, "timeout"), ("memory", {"memory_gb": 1.5}, "memory")],
)
def test_limits_end_a_trial_by_force(
    way: str, limits: dict[str, Any], status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    suite = toy_suite(methods={"bad": Bad(way=way), "mean": Shrunk()}, seeds=(100,), **limits)
    _, reader, _ = run(suite, tmp_path, engine="pool")
    assert reader.trials["e/t/bad/100"].status == status
    assert reader.trials["e/t/mean/100"].status == "ok"
    assert not list(temporary.iterdir()), "what the killed worker left is cleared"


def test_a_worker_that_dies_is_replaced_and_its_trial_tried_once_more(tmp_path: Path) -> None:
    once = toy_suite(methods={"bad": Bad(way="die", marker=str(tmp_path / "died"))}, seeds=(100, 101))
    finished, reader, recorder = run(once, tmp_path, engine="pool")
    assert not finished.summary.failed
    assert any("tried once more" in note for note in recorder.notes)
    always = toy_suite(methods={"bad": Bad(way="die")}, seeds=(100,))
    finished, reader, _ = run(always, tmp_path, engine="pool")
    assert "exit code -9" in reader.trials["e/t/bad/100"].error


def test_finished_trials_of_other_runs_are_reused(tmp_path: Path) -> None:
    first, _, _ = run(toy_suite(), tmp_path)
    second, reader, _ = run(toy_suite(), tmp_path)
    assert (second.summary.executed, second.summary.reused) == (0, 10)
    assert {record.reused_from for record in reader.trials.values()} == {first.folder.name}
    assert len(reader.table("e/t/mean/100", "main")["error"]) == 5
    third, _, _ = run(toy_suite(), tmp_path, fresh=True)
    assert third.summary.executed == 10


def test_other_parameters_data_and_seeds_are_not_reused(tmp_path: Path) -> None:
    run(toy_suite(), tmp_path)
    changed = Selection(settings={"half": {"factor": 0.6}}, seeds=6)
    finished, reader, _ = run(toy_suite(), tmp_path, selection=changed)
    assert finished.summary.reused == 5
    assert reader.trials["e/t/half/100"].params == {"factor": 0.6}
    finished, _, _ = run(toy_suite(task=MeanTask(size=30)), tmp_path)
    assert finished.summary.reused == 0


def test_tuning_chooses_on_validation_data_and_flags_the_edge(tmp_path: Path) -> None:
    finished, reader, _ = run(toy_suite(methods={"mean": tuned()}), tmp_path)
    assert finished.summary.executed == 3 * 2 + 5
    tune = [record for record in reader.trials.values() if record.stage == "tune"]
    assert {record.seed for record in tune} == {1, 2}
    assert {tuple(record.parts) for record in tune} == {("validation",)}
    assert reader.trials["e/t/mean/100"].tuned == {"factor": 1.0}
    edge = replace(tuned(), grid={"factor": (1.0, 4.0, 9.0)})
    _, reader, _ = run(toy_suite(methods={"mean": edge}), tmp_path)
    assert reader.trials["e/t/mean/100"].tuned == {"factor": 1.0, "edge": ["factor"]}


def test_unequal_tuning_budgets_are_refused(tmp_path: Path) -> None:
    wide = replace(tuned(), seeds=(1,))
    with pytest.raises(SuiteError, match="unequal budgets"):
        run(toy_suite(methods={"a": tuned(), "b": wide}), tmp_path)


def test_timed_trials_run_all_arms_in_every_block(tmp_path: Path) -> None:
    methods = {"slow": Bad(way="sleep"), "fast": Shrunk()}
    suite = toy_suite(methods=methods, seeds=(100,), timed=Timed(blocks=3, warmup=1))
    _, reader, _ = run(suite, tmp_path, engine="pool")
    rows = reader.table("e/t/*/100", "time")
    assert sorted(zip(rows["unit_id"], rows["arm"], strict=True)) == [
        (block, arm) for block in range(3) for arm in ("calibration", "fast", "slow")
    ]
    assert min(rows["seconds"]) > 0
    assert min(rows["seconds"][rows["arm"] == "slow"]) > max(rows["seconds"][rows["arm"] == "fast"])
    assert len(reader.table("e/t/*/100", "main")["error"]) == 3 * 2 * 5


def test_no_timed_method_takes_the_place_of_the_calibration(tmp_path: Path) -> None:
    suite = toy_suite(methods={"calibration": Shrunk()}, seeds=(100,), timed=Timed(blocks=1))
    with pytest.raises(SuiteError, match="may be called 'calibration'"):
        run(suite, tmp_path)


def test_what_is_loaded_must_be_declared(tmp_path: Path) -> None:
    _, reader, _ = run(toy_suite(methods={"bad": Bad(way="undeclared")}, seeds=(100,)), tmp_path)
    assert "not declared" in reader.trials["e/t/bad/100"].error


def test_unknown_names_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean half"):
        run(toy_suite(), tmp_path, selection=Selection(methods=("hlaf",)))
    with pytest.raises(UsageError, match="Did you mean C1"):
        run(toy_suite(), tmp_path, selection=Selection(claims=("C11",)))
    assert not (tmp_path / "runs").exists()
