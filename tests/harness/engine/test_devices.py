"""Runs on a machine with a GPU, which is pretended: the methods compute nothing on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness import cuda
from harness.engine import run as engine
from harness.engine.jobs import LOADING, weights_gb
from harness.method import Resource
from harness.plan.limits import Limits
from harness.suite import Experiment, Scale, Suite, on_cpu
from tests.harness.running import request, run
from tests.harness.toy import Bad, MeanTask, Offset, Shrunk, toy_suite


@dataclass(frozen=True)
class Both:
    """One experiment for the GPU and one that stays on the CPU."""

    methods: dict[str, Any]
    tf32: str = ""
    device_gb: float | None = None
    gpus: int = 0

    def __call__(self, scale: Scale) -> Sequence[Experiment]:
        offset = MeanTask(offset=Offset())
        plain = toy_suite(task=offset, methods=self.methods, seeds=(100, 101)).experiments(scale)[0]
        return (
            replace(plain, id="gpu", tf32=self.tf32, device_gb=self.device_gb, gpus=self.gpus),
            *on_cpu([replace(plain, id="cpu", seeds=(102, 103))]),
        )


def suite(**changes: Any) -> Suite:
    return replace(toy_suite(), experiments=Both(**{"methods": {"mean": Shrunk()}, **changes}), claims=())


@pytest.fixture(autouse=True)
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: cuda.Driver((cuda.Gpu("Some GPU", 24.0),), "570.1", "12.8"))
    monkeypatch.setattr(cuda, "torch_build", lambda: cuda.TorchBuild("2.13.0", "12.8"))


def test_trials_say_where_they_ran_and_artifacts_are_built_for_both(tmp_path: Path) -> None:
    finished, reader, _ = run(suite(tf32="because"), tmp_path, device="cuda", engine="pool")
    assert not finished.summary.failed
    assert reader.record.device == "cuda"
    trials = {name: record for name, record in reader.trials.items() if record.kind == "trial"}
    assert {(t.experiment, t.device, t.float32_products) for t in trials.values()} == {
        ("gpu", "cuda", "tf32"),
        ("cpu", "cpu", ""),
    }
    assert trials["gpu/t/mean/100"].environment.endswith("cuda Some GPU; CUDA 12.8")
    assert "GPU" not in trials["cpu/t/mean/102"].environment
    built = {n.rpartition("/")[2]: r for n, r in reader.trials.items() if r.kind == "artifact"}
    assert {name[len("Offset-01234567") :]: r.device for name, r in built.items()} == {
        "-tf32": "cuda",
        "-cpu-float32": "cpu",
    }
    assert trials["gpu/t/mean/100"].cost.gpu_s is not None
    assert trials["cpu/t/mean/102"].cost.gpu_s is None


def test_what_ran_beside_a_gpu_is_reused_without_one(tmp_path: Path) -> None:
    run(suite(), tmp_path, device="cuda")
    finished, reader, _ = run(suite(), tmp_path)
    assert (finished.summary.executed, finished.summary.reused) == (2, 2)
    assert {t.experiment for t in reader.trials.values() if t.reused_from and t.kind == "trial"} == {"cpu"}


def test_work_for_the_cpu_does_not_wait_for_the_gpu(tmp_path: Path) -> None:
    """Each kind has two trials of 0.15 s at one place: beside each other they overlap."""
    slow = {"slow": Bad(way="sleep")}
    asked = request(suite(methods=slow), tmp_path, device="cuda", engine="pool", workers=1)
    seen: list[set[str]] = []
    running: set[str] = set()

    class Watch:
        def total(self, trials: Sequence[str]) -> None: ...
        def progress(self, progress: Any) -> None: ...
        def note(self, text: str) -> None: ...

        def started(self, job: str) -> None:
            running.add(job.partition("/")[0])
            seen.append(set(running))

        def finished(self, record: Any) -> None:
            running.discard(record.trial.partition("/")[0])

    engine.execute_run(asked, Watch())
    assert {"cpu", "gpu"} in seen


def test_a_suite_does_not_die_of_one_experiment_that_cannot_fit(tmp_path: Path) -> None:
    limits = Limits(have_gb={"cpu": 8.0, "cuda": 24.0})
    finished, reader, _ = run(suite(device_gb=80.0), tmp_path, device="cuda", limits=limits)
    assert finished.summary.executed == 2
    assert "needs about 80 GB of memory on the GPU and there are 24" in reader.record.blocked["gpu"]
    assert "cpu" not in reader.record.blocked


def test_models_whose_need_nobody_declares_get_room_by_the_size_of_their_files(tmp_path: Path) -> None:
    model = Resource(name="model", kind="model", licence="", version="1", sources=())
    (tmp_path / "model.safetensors").write_bytes(b"0" * 2**20)
    (tmp_path / "config.json").write_text("{}")
    asked = request(toy_suite(task=MeanTask(data=model), seeds=(100,)), tmp_path, limits=Limits())
    plan = asked.planner.plan(asked.suite, asked.scale)
    (trial,) = [trial for trial in _unblocked(asked) if trial.method_id == "mean"]
    assert not plan.trials, "the model is bound here, and nowhere else"
    prepared = engine.Prepared(asked.planner, plan, {"resource:model": str(tmp_path)})
    maker = engine._maker(asked, prepared, tmp_path)
    assert weights_gb(tmp_path) == pytest.approx(2**-10)
    assert maker.trial(trial).memory_gb == pytest.approx(4.0 + LOADING * 2**-10)


def _unblocked(asked: Any) -> Any:
    from harness.plan import Planner
    from tests.harness.plan.test_planner import Known

    return Planner(Known()).plan(asked.suite, asked.scale).trials


def test_trials_on_several_gpus_are_recorded_with_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    four = cuda.Driver((cuda.Gpu("Some GPU", 24.0),) * 4, "570.1", "12.8")
    monkeypatch.setattr(cuda, "driver", lambda: four)
    limits = Limits(have_gb={"cuda": 24.0}, have_gpus=4)
    finished, reader, _ = run(suite(gpus=2), tmp_path, device="cuda", engine="pool", limits=limits)
    assert not finished.summary.failed
    found = {(t.experiment, t.gpus) for t in reader.trials.values() if t.kind == "trial"}
    assert found == {("gpu", 2), ("cpu", 0)}
    one = next(t for t in reader.trials.values() if t.gpus)
    assert one.cost.gpu_s == pytest.approx(2 * one.cost.wall_s, abs=1e-5)


def test_a_trial_that_needs_more_gpus_than_there_are_is_left_out_and_not_waited_for(tmp_path: Path) -> None:
    limits = Limits(have_gb={"cuda": 24.0}, have_gpus=1)
    finished, reader, _ = run(suite(gpus=2), tmp_path, device="cuda", engine="pool", limits=limits)
    assert "it needs 2 GPUs and there is 1, so it will never fit here" in reader.record.blocked["gpu"]
    assert {t.experiment for t in reader.trials.values() if t.kind == "trial"} == {"cpu"}
    assert not finished.summary.failed
