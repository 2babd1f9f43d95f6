"""What runs beside what, with pretended jobs; and the pool's workers on a machine with a GPU."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from harness.engine.accelerator import CONTEXT_GB
from harness.engine.context import TrialContext
from harness.engine.job import CallJob, Job, Outcome, TrialJob
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
        by_kind = {bool(worker.gpu_share): worker.pid for worker in engine._workers}
        assert len(by_kind) == 2
        engine.submit(job("c2", **sleep))
        assert next(w for w in engine._workers if w.job is not None).pid == by_kind[False]
        finish(engine, 1)
        engine.submit(job("g2", "cuda", device_gb=4.0, **sleep))
        assert next(w for w in engine._workers if w.job is not None).pid == by_kind[True]
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


def test_memory_that_earlier_trials_hold_is_no_fault_of_a_trial() -> None:
    engine = PoolEngine(lambda _: None, Places(workers=1, cores=4, gpu_gb=24.0))
    full, sleep = {"methods": {"bad": Bad(way="full")}}, {"methods": {"bad": Bad(way="sleep")}}
    try:
        engine.submit(job("before", "cuda", **sleep))
        finish(engine, 1)
        found = []
        for _ in range(2):
            engine.submit(job("full", "cuda", **full))
            found += [(outcome.status, outcome.lost) for outcome in finish(engine, 1)]
        # The second time it had a worker that nothing was loaded in.
        assert found == [("memory", True), ("memory", False)]
    finally:
        engine.close()


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_jobs_say_where_they_compute(device: str, tmp_path: Path) -> None:
    assert MACHINE.share(job("j", device, device_gb=23.3)) == pytest.approx(1.0 if device == "cuda" else 0.0)


SEVERAL = Places(workers=2, cores=8, gpu_gb=24.0, gpus=4)


def test_gpus_are_given_out_as_a_whole_and_the_first_is_shared_by_the_rest() -> None:
    two = [job(f"two{i}", "cuda", gpus=2) for i in range(3)]
    small = [job(f"g{i}", "cuda", device_gb=4.0) for i in range(2)]
    assert started(SEVERAL, [*two, *small]) == "two0 two1"
    assert started(SEVERAL, [*small, *two]) == "g0 g1 two0"
    three = job("three", "cuda", gpus=3)
    assert started(SEVERAL, [three, *two, *small, job("c")]) == "three g0 g1 c"
    all_four = job("four", "cuda", gpus=4)
    assert started(SEVERAL, [small[0], all_four]) == "g0"
    assert started(SEVERAL, [all_four, small[0], job("c")]) == "four c"
    # One that asks for more than there are would be refused when planned; here it waits for no more.
    assert started(SEVERAL, [job("eight", "cuda", gpus=8), small[0]]) == "eight"
    assert SEVERAL.share(all_four) == 0.0


def test_processes_on_the_cpu_each_take_their_threads() -> None:
    shared = job("two", "cpu", gpus=2)
    assert started(SEVERAL, [shared, job("c")]) == "two"
    assert started(Places(workers=3), [shared, job("c"), job("d")]) == "two c"
    assert SEVERAL.whole(shared) == 0


def seen(ctx: TrialContext) -> bytes:
    """What a job sees of GPUs, after long enough for another to start."""
    time.sleep(0.5)
    return f"{os.environ.get('CUDA_VISIBLE_DEVICES', '')} {','.join(ctx.devices)}".encode()


def sight(name: str, device: str = "cuda", **more: Any) -> CallJob:
    return CallJob(id=name, device=device, dtype="float32", paths={}, call=seen, **more)


@pytest.mark.parametrize("given", ["", "5,6,GPU-7,8"])
def test_a_trial_sees_its_own_gpus_only(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """No GPU is needed: what a process sees of them is an environment variable."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    engine = PoolEngine(lambda _: None, Places(workers=1, cores=8, gpu_gb=24.0, gpus=4))
    try:
        for one in (sight("two", gpus=2), sight("one", device_gb=4.0), sight("cpu", "cpu", gpus=3)):
            assert engine.accepts(one)
            engine.submit(one)
        assert not engine.accepts(sight("more", gpus=2))
        found = {outcome.id: outcome.units.decode() for outcome in finish(engine, 3)}
        names = given.split(",") if given else list("0123")
        assert found["two"] == f"{names[2]},{names[3]} cuda:0,cuda:1"
        assert found["one"] == f"{given} cuda"
        assert found["cpu"] == f"{given} cpu,cpu,cpu"
        # Its worker has left, and the GPUs are free; idle ones that hold memory on the first leave as well.
        assert [worker.gpus for worker in engine._workers] == [(), ()]
        engine.submit(sight("four", gpus=4))
        assert sum(bool(worker.gpu_share) for worker in engine._workers) == 0
        (last,) = finish(engine, 1)
        assert last.units.decode() == f"{','.join(names)} cuda:0,cuda:1,cuda:2,cuda:3"
        assert os.environ.get("CUDA_VISIBLE_DEVICES", "") == given
    finally:
        engine.close()
