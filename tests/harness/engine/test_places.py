"""What runs beside what, with pretended jobs; and the pool's workers on a machine with a GPU."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from harness.engine.accelerator import CONTEXT_GB
from harness.engine.job import Job, Outcome, TrialJob
from harness.engine.places import Places
from harness.engine.pool import PoolEngine
from harness.suite import Timed
from tests.harness.toy import Bad, MeanTask, Shrunk


def job(name: str, device: str = "cpu", **more: Any) -> TrialJob:
    settings: dict[str, Any] = {
        "dtype": "float32",
        "paths": {},
        "task": MeanTask(),
        "methods": {"mean": Shrunk()},
        "seed": 100,
        "stage": "main",
    }
    return TrialJob(id=name, device=device, **{**settings, **more})


def started(places: Places, jobs: list[Job]) -> str:
    """Names of the jobs that start at once when all are offered in turn."""
    running: list[Job] = []
    for one in jobs:
        if places.free(one, running):
            running.append(one)
    return " ".join(one.id for one in running)


MACHINE = Places(workers=2, cores=8, gpu_gb=24.0, main_gb=64.0)


def test_the_cpu_keeps_its_workers_beside_the_gpu() -> None:
    jobs: list[Job] = [job("g1", "cuda"), job("c1"), job("g2", "cuda"), job("c2"), job("c3")]
    assert started(MACHINE, jobs) == "g1 c1 c2"
    assert started(MACHINE, jobs[::-1]) == "c3 c2 g2"


def test_small_trials_share_the_gpu_by_the_memory_they_declare() -> None:
    jobs: list[Job] = [job(f"g{i}", "cuda", device_gb=8 - CONTEXT_GB) for i in range(4)]
    assert started(MACHINE, jobs) == "g0 g1 g2"
    large = job("large", "cuda", device_gb=23.0)
    assert started(MACHINE, [*jobs[:1], large]) == "g0"
    assert started(MACHINE, [large, *jobs]) == "large"
    # Nothing would hold it to its part, so that it could take what the small one was promised.
    most = job("most", "cuda", device_gb=13.0)
    assert started(MACHINE, [*jobs[:1], most]) == "g0"
    assert started(MACHINE, [most, *jobs]) == "most"
    unknown = Places(workers=2, cores=8)
    assert started(unknown, jobs) == "g0"
    few_cores = Places(workers=1, cores=2, gpu_gb=24.0)
    assert started(few_cores, [*jobs, job("c")]) == "g0 g1 c"


def test_what_declares_nothing_or_is_timed_has_the_gpu_for_itself() -> None:
    small = job("small", "cuda", device_gb=2.0)
    assert started(MACHINE, [small, job("whole", "cuda")]) == "small"
    timed = job("timed", "cuda", device_gb=2.0, timed=Timed(), exclusive=True)
    assert started(MACHINE, [timed, small, job("c")]) == "timed"
    assert started(MACHINE, [job("c"), timed]) == "c"


def test_large_models_on_the_cpu_wait_for_memory() -> None:
    jobs: list[Job] = [job("a", device_gb=40.0), job("b", device_gb=40.0), job("c", device_gb=10.0), job("d")]
    assert started(MACHINE, jobs) == "a c"
    assert started(Places(workers=2, main_gb=8.0), [jobs[0]]) == "a", "the check before the start refuses"


def finish(engine: PoolEngine, count: int) -> list[Outcome]:
    ended: list[Outcome] = []
    deadline = time.monotonic() + 60
    while len(ended) < count and time.monotonic() < deadline:
        ended += engine.wait(1.0)
    return ended


def test_the_pool_gives_jobs_of_both_kinds_to_workers_of_their_own() -> None:
    """No GPU is needed: these methods compute nothing on the device that their job names."""
    engine = PoolEngine(lambda _: None, Places(workers=1, cores=4, gpu_gb=24.0))
    sleep: dict[str, Any] = {"methods": {"bad": Bad(way="sleep")}}
    try:
        beside = [job("c1", **sleep), job("g1", "cuda", device_gb=4.0, **sleep)]
        for one in beside:
            assert engine.accepts(one)
            engine.submit(one)
        assert not engine.accepts(job("c2"))
        assert {outcome.id: outcome.status for outcome in finish(engine, 2)} == {"c1": "ok", "g1": "ok"}
        by_kind = {bool(worker.gpu_share): worker.process.pid for worker in engine._workers}
        assert len(by_kind) == 2
        engine.submit(job("c2", **sleep))
        assert next(w for w in engine._workers if w.job is not None).process.pid == by_kind[False]
        finish(engine, 1)
        engine.submit(job("g2", "cuda", device_gb=4.0, **sleep))
        assert next(w for w in engine._workers if w.job is not None).process.pid == by_kind[True]
        finish(engine, 1)
    finally:
        engine.close()


def test_an_idle_worker_gives_its_memory_up_for_a_job_that_needs_the_whole_gpu() -> None:
    engine = PoolEngine(lambda _: None, Places(workers=1, cores=4, gpu_gb=24.0))
    sleep: dict[str, Any] = {"methods": {"bad": Bad(way="sleep")}}
    try:
        for name in ("g1", "g2"):
            engine.submit(job(name, "cuda", device_gb=8.0, **sleep))
        assert len(finish(engine, 2)) == 2
        assert len(engine._workers) == 2
        engine.submit(job("whole", "cuda", **sleep))
        assert len(engine._workers) == 1
        assert [outcome.status for outcome in finish(engine, 1)] == ["ok"]
    finally:
        engine.close()


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_jobs_say_where_they_compute(device: str, tmp_path: Path) -> None:
    assert MACHINE.share(job("j", device, device_gb=23.3)) == pytest.approx(1.0 if device == "cuda" else 0.0)
