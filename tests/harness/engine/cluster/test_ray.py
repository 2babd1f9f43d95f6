"""Runs on real clusters of this machine: the results are those of one process, whatever happens to nodes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.engine.cluster.session import ClusterError
from harness.store import RunReader, list_runs
from harness.store.reader import read_trials
from harness.suite import Suite
from tests.harness.engine.cluster.driver import slow_suite
from tests.harness.engine.cluster.nodes import ROOT, Nodes
from tests.harness.running import run
from tests.harness.toy import Bad, MeanTask, Noisy, Offset, Shrunk, toy_suite, tuned

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with closing(Nodes()) as cluster:
        cluster.start(cpus=2)
        cluster.start(cpus=2)
        yield cluster


@pytest.fixture(autouse=True)
def _ray_runs_here(nodes: Nodes) -> None:
    """Also for tests that start a cluster of their own."""


def suite(**methods: Any) -> Suite:
    given = methods or {"mean": Shrunk(), "noisy": Noisy(), "tuned": tuned()}
    return toy_suite(
        methods=given, seeds=tuple(range(100, 110)), task=MeanTask(offset=Offset(inner=Offset()))
    )


def rows(reader: RunReader) -> dict[str, bytes | None]:
    """The stored units of each finished trial, byte for byte."""
    return {
        name: reader.units(name)
        for name, record in reader.trials.items()
        if record.kind == "trial" and record.status == "ok"
    }


def test_results_are_those_of_one_process(nodes: Nodes, tmp_path: Path) -> None:
    finished, reader, display = run(suite(), tmp_path / "a", engine="ray", address=nodes.address)
    _, plain, _ = run(suite(), tmp_path / "b", engine="inline")
    assert not finished.summary.failed
    assert rows(reader) == rows(plain)
    assert len(rows(reader)) > 30
    built = [record for record in reader.trials.values() if record.kind == "artifact"]
    assert len(built) == 2, "once for the cluster"
    assert {record.environment for record in reader.trials.values()} == {
        record.environment for record in plain.trials.values()
    }
    assert any("2 nodes, 4 CPUs" in note for note in display.notes)
    assert list(reader.record.nodes) == sorted({r.node for r in reader.trials.values() if r.node})
    assert any(report.message == "half" for report in display.reports)
    assert any("estimating" in log.read_text() for log in (reader.folder / "logs").rglob("*.log"))


def test_nodes_without_the_drivers_cache_take_and_give_through_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.engine.cluster import engine
    from harness.engine.cluster.messages import Mark

    @contextmanager
    def unseen(folder: Path) -> Iterator[Mark]:
        yield Mark(str(folder), "", "")

    monkeypatch.setattr(engine, "marked", unseen)
    home, store = tmp_path / "node-home", tmp_path / "store"
    with closing(Nodes()) as cluster:
        cluster.start(cpus=2, variables={"CORROBORATE_HOME": str(home)})
        asked = {"engine": "ray", "address": cluster.address}
        with pytest.raises(ClusterError, match="No node") as error:
            run(suite(), tmp_path / "a", **asked)
        assert "--artifact-store" in error.value.fix
        finished, reader, _ = run(suite(), tmp_path / "a", **asked, artifact_store=store.as_uri())
    _, plain, _ = run(suite(), tmp_path / "b", engine="inline")
    assert not finished.summary.failed
    assert rows(reader) == rows(plain)
    assert len(list((store / "folders").iterdir())) == 2
    for place in (home, tmp_path / "a" / "home"):
        assert len(list((place / "artifacts").glob("offset-*"))) == 2, "the driver has them, too"


@pytest.mark.parametrize(
    ("way", "status", "told"),
    [
        ("hang", "timeout", "its limit is"),
        ("memory", "memory", "its limit is"),
        ("die", "failed", "without a result"),
        ("raise", "failed", "ZeroDivisionError"),
        ("diverge", "diverged", "finite numbers"),
    ],
)
def test_limits_and_failures_are_those_of_the_pool(
    nodes: Nodes, tmp_path: Path, way: str, status: str, told: str
) -> None:
    from harness.plan.limits import Limits

    bad = toy_suite(methods={"bad": Bad(way=way), "mean": Shrunk()}, seeds=(100, 101))
    limits = Limits(minutes=0.05 if way == "hang" else None, memory_gb=1.0 if way == "memory" else None)
    _, reader, _ = run(bad, tmp_path, engine="ray", address=nodes.address, limits=limits)
    found = {record.method: record for record in reader.trials.values()}
    assert found["bad"].status == status
    assert told in found["bad"].error
    assert found["mean"].status == "ok"


@contextmanager
def started(folder: Path, address: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A driver in a process of its own; it goes on with a run that is there."""
    command = [sys.executable, "-m", "tests.harness.engine.cluster.driver", str(folder), address]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as driver:
        try:
            yield driver
        finally:
            driver.kill()


def finished_in(folder: Path) -> list[str]:
    runs = list_runs(folder / "runs")
    if not runs:
        return []
    records = read_trials(runs[-1] / "trials.jsonl", [])
    return [record.trial for record in records if record.kind == "trial" and record.status == "ok"]


def wait_for(folder: Path, count: int, driver: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while len(finished_in(folder)) < count:
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.1)


def at_work(node: subprocess.Popen[bytes]) -> bool:
    """Whether a task has been started there."""
    below = psutil.Process(node.pid).children(recursive=True)
    return any("ray::e/t/" in process.name() for process in below)


def test_a_node_that_is_lost_loses_nothing(tmp_path: Path) -> None:
    with closing(Nodes()) as cluster:
        cluster.start(cpus=1)
        second = cluster.start(cpus=1)
        with started(tmp_path / "a", cluster.address) as driver:
            wait_for(tmp_path / "a", 4, driver)
            while not at_work(second):
                assert driver.poll() is None, driver.communicate()
                time.sleep(0.05)
            cluster.kill(second)
            _, said = driver.communicate(timeout=200)
    assert driver.returncode == 0, said.decode()
    (folder,) = list_runs(tmp_path / "a" / "runs")
    reader = RunReader(folder)
    _, plain, _ = run(slow_suite(), tmp_path / "b", engine="pool")
    assert rows(reader) == rows(plain)
    names = [record.trial for record in read_trials(folder / "trials.jsonl", [])]
    assert len(names) == len(set(names)), "nothing is recorded twice"
    assert "It is tried once more" in said.decode()


def test_trials_wait_for_no_node_that_is_gone(tmp_path: Path) -> None:
    """The only node is lost with a job at work and others given to it; a new one takes all, until it goes."""
    with closing(Nodes()) as cluster:
        cluster.start(cpus=0)
        first = cluster.start(cpus=1)
        with started(tmp_path, cluster.address) as driver:
            wait_for(tmp_path, 4, driver)
            second = cluster.start(cpus=1)
            cluster.kill(first)
            wait_for(tmp_path, 20, driver)
            cluster.kill(second)
            _, said = driver.communicate(timeout=100)
    assert driver.returncode == 4, said.decode()
    assert "No node of the cluster is left" in said.decode()
    records = read_trials(list_runs(tmp_path / "runs")[-1] / "trials.jsonl", [])
    assert {record.status for record in records} == {"ok"}, "no trial is blamed for it"


def test_trials_on_the_cpu_are_run_beside_those_on_gpus(tmp_path: Path) -> None:
    """Ray hides its GPUs from them. The GPU is Ray's word only, and these methods compute nothing on it."""
    from tests.harness.engine.test_devices import suite as mixed

    with closing(Nodes()) as cluster:
        cluster.start(cpus=2, gpus=1)
        _, reader, display = run(mixed(), tmp_path, device="cuda", engine="ray", address=cluster.address)
    found = {record.experiment: record for record in reader.trials.values() if record.kind == "trial"}
    assert (found["cpu"].status, found["gpu"].status) == ("ok", "ok")
    assert "cuda" not in found["cpu"].environment
    assert "cuda" in found["gpu"].environment
    assert not [note for note in display.notes if "not used" in note]


def test_a_head_that_is_lost_is_noticed_and_the_run_goes_on_later(tmp_path: Path) -> None:
    with closing(Nodes()) as cluster:
        head = cluster.start(cpus=1)
        with started(tmp_path, cluster.address) as driver:
            wait_for(tmp_path, 5, driver)
            cluster.kill(head)
            killed = time.monotonic()
            _, said = driver.communicate(timeout=100)
    assert time.monotonic() - killed < 45
    assert driver.returncode == 4
    assert "head node" in said.decode()
    before = finished_in(tmp_path)
    assert len(before) >= 5
    _, reader, _ = run(slow_suite(), tmp_path, engine="pool", resume=list_runs(tmp_path / "runs")[-1])
    names = finished_in(tmp_path)
    assert names[: len(before)] == before
    assert sorted(names) == sorted(set(names)) == sorted(rows(reader))


def is_agent(process: psutil.Process) -> bool:
    try:
        return "Agent" in process.name()
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_driver_that_ends_takes_its_own_cluster_along(number: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path) as driver:
        wait_for(tmp_path, 5, driver)
        below = psutil.Process(driver.pid).children(recursive=True)
        assert any("raylet" in process.name() for process in below)
        os.kill(driver.pid, number)
        driver.communicate(timeout=60)
    # Ray's agents, which run nothing of ours, take a minute to notice that their driver was killed.
    _, alive = psutil.wait_procs([one for one in below if not is_agent(one)], timeout=45)
    assert [process for process in alive if process.is_running() and process.status() != "zombie"] == []
    assert driver.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    before = finished_in(tmp_path)
    _, reader, _ = run(slow_suite(), tmp_path, engine="pool", resume=list_runs(tmp_path / "runs")[-1])
    names = finished_in(tmp_path)
    assert names[: len(before)] == before
    assert sorted(names) == sorted(set(names)) == sorted(rows(reader))


def test_nodes_with_other_code_are_not_used(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.engine.cluster import engine
    from harness.engine.cluster.identity import own_identity

    other = replace(own_identity(), lock="0" * 64)
    monkeypatch.setattr(engine, "own_identity", lambda: other)
    with pytest.raises(ClusterError, match="No node of the cluster can be used") as error:
        run(suite(), tmp_path, engine="ray", address=nodes.address)
    assert error.value.fix.count("lock 000000000000 here, ") == 2


def test_an_address_that_does_not_answer_is_said_at_once(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(ClusterError, match="No Ray cluster answers"):
        run(suite(), tmp_path, engine="ray", address="127.0.0.1:9")
    assert time.monotonic() - begun < 30
