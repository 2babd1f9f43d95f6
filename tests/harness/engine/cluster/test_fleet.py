"""Which nodes are used, and what fits on them; without Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine.cluster import fleet as module
from harness.engine.cluster import node as node_module
from harness.engine.cluster.fleet import Fleet
from harness.engine.cluster.messages import Machines, NodeReport
from harness.engine.cluster.session import ClusterError, open_session
from harness.errors import UsageError
from harness.provenance import Machine
from tests.harness.engine.cluster.test_shipping import base, trial

EPYC = Machines(Machine("python 3.11", "cpu EPYC"))
XEON = Machines(Machine("python 3.11", "cpu Xeon"))


def node(name: str, machines: Machines = EPYC, **more: Any) -> NodeReport:
    return NodeReport(node=name, host=f"host-{name}", machines=machines, refused="", **more)


def fleet_of(
    monkeypatch: pytest.MonkeyPatch,
    reports: Mapping[NodeReport, Mapping[str, float]],
    device: str = "cpu",
) -> tuple[Fleet, list[str]]:
    """A fleet that has met these nodes, and what was noted."""
    alive = [{"NodeID": one.node, "Resources": {"CPU": 2.0, **has}} for one, has in reports.items()]
    known = {one.node: one for one in reports}
    monkeypatch.setattr(module, "_alive", lambda: alive)
    monkeypatch.setattr(module, "_asked", lambda nodes, *_: [known[one["NodeID"]] for one in nodes])
    notes: list[str] = []
    found = Fleet(replace(base(Path("/h"), Path("/r")), device=device), notes.append)
    found.gather()
    return found, notes


def test_one_kind_of_machine_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found, notes = fleet_of(monkeypatch, {node("a", XEON): {}, node("b"): {}, node("c"): {}})
    assert sorted(found.nodes) == ["b", "c"]
    assert found.machines == EPYC
    assert notes == ["node host-a is not used: it computes otherwise: cpu Xeon"]
    assert found.slots == 4


def test_a_refused_node_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(node("a"), refused="it has not the driver's code: lock x here, y there")
    found, notes = fleet_of(monkeypatch, {other: {}, node("b"): {}})
    assert list(found.nodes) == ["b"]
    assert notes == ["node host-a is not used: it has not the driver's code: lock x here, y there"]
    with pytest.raises(ClusterError, match="No node") as error:
        fleet_of(monkeypatch, {other: {}})
    assert "host-a: it has not the driver's code" in error.value.fix


def test_a_run_on_gpus_is_not_made_on_nodes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = replace(EPYC, gpu=Machine("python 3.11", "cuda H100"))
    head = node("head", replace(EPYC, gpu=Machine("python 3.11", "cuda unknown")))
    worker = node("w", gpu, gpu_gb=80.0)
    found, _ = fleet_of(monkeypatch, {head: {}, worker: {"GPU": 2.0}}, "cuda")
    assert list(found.nodes) == ["w"]
    with pytest.raises(ClusterError, match="No node") as error:
        fleet_of(monkeypatch, {head: {}}, "cuda")
    assert "no cuda" in error.value.fix


def test_trials_on_the_cpu_of_a_run_on_gpus_have_the_processors_environment() -> None:
    kind = replace(EPYC, gpu=Machine("python 3.11", "cuda H100"))
    assert kind.on("cuda:0").key(2) == "python 3.11; threads 2; cuda H100"
    assert kind.on("cpu").key(1) == "python 3.11; threads 1; cpu EPYC"
    assert EPYC.on("cpu") == EPYC.cpu


def test_a_trial_on_the_cpu_is_not_refused_for_the_gpu_that_ray_hides_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = replace(EPYC, gpu=Machine("python 3.11", "cuda H100"))
    seen = {"cpu": kind.cpu, "cuda": Machine("python 3.11", "cuda unknown")}
    monkeypatch.setattr(node_module, "machine", seen.__getitem__)
    asked = replace(base(Path("/h"), Path("/r")), device="cuda", machines=kind)
    assert node_module._reason(asked, "cpu", shared=True) == ""
    assert "computes otherwise: cuda unknown" in node_module._reason(asked, "cuda", shared=True)
    assert "--artifact-store" in node_module._reason(asked, "cpu", shared=False)


def test_a_head_node_without_processors_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found, notes = fleet_of(monkeypatch, {node("head"): {"CPU": 0.0}, node("w"): {}})
    assert (list(found.nodes), notes) == (["w"], [])


def test_nodes_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    found, notes = fleet_of(monkeypatch, {node("a"): {}, node("b"): {}})
    alive = [{"NodeID": name, "Resources": {"CPU": 1.0}} for name in ("b", "c", "d")]
    known = {"c": node("c"), "d": node("d", XEON)}
    monkeypatch.setattr(module, "_alive", lambda: alive)
    monkeypatch.setattr(module, "_asked", lambda nodes, *_: [known[one["NodeID"]] for one in nodes])
    found.gather()
    assert sorted(found.nodes) == ["b", "c"]
    assert "node host-a is not used any more: it was lost" in notes
    assert "node host-d is not used: it computes otherwise: cpu Xeon" in notes


def test_what_never_fits_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = node("w", gpu_gb=80.0)
    found, _ = fleet_of(monkeypatch, {gpu: {"GPU": 2.0, "memory": 8 * 2.0**30}}, "cuda")
    assert found.misfit(trial({}, device="cuda", gpus=2)) == ""
    reason = found.misfit(trial({}, device="cuda", gpus=4))
    assert reason.startswith("It will never fit: it needs 1 CPUs, 4 GPUs; ")
    assert reason.endswith(" at most a node of this cluster has 2 CPUs, 2 GPUs, 8 GiB.")
    assert "it needs 1 CPUs, 9 GiB" in found.misfit(trial({}, device_gb=9.0))
    found.drop("w", "it was lost")
    assert "No node" in found.misfit(trial({}))


def test_what_ray_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = node("w", gpu_gb=80.0)
    found, _ = fleet_of(monkeypatch, {gpu: {"GPU": 2.0, "memory": 64 * 2.0**30}}, "cuda")
    assert found.options(trial({}, threads=8, device_gb=2.0)) == {
        "num_cpus": 2.0,
        "num_gpus": 0.0,
        "memory": 2.0 * 2**30,
        "label_selector": {"ray.io/node-id": "in(w)"},
    }
    assert found.options(trial({}, device="cuda", gpus=2))["num_gpus"] == 2.0
    share = found.options(trial({}, device="cuda", device_gb=15.0))["num_gpus"]
    assert 15 / 80 < share < 0.3
    assert found.options(trial({}, device="cuda"))["num_gpus"] == 1.0, "unknown needs take one for themselves"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("somewhere", "is no address"),
        ("host:port", "is no address"),
        ("host:99999", "is no address"),
        (":6379", "is no address"),
        ("ray://host:10001", "client protocol"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engine.cluster.session.find_spec", lambda _: object())
    with pytest.raises(UsageError, match=told):
        open_session(address, 1)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engine.cluster.session.find_spec", lambda _: None)
    with pytest.raises(UsageError, match="needs Ray") as error:
        open_session("127.0.0.1:6379", 1)
    assert "corroborate[ray]" in error.value.fix
