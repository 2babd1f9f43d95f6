"""The nodes of a cluster: which may be used, what they have, and what fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from harness.engine.cluster.messages import Base, Machines, NodeReport
from harness.engine.cluster.node import report
from harness.engine.cluster.session import ClusterError
from harness.engine.job import Job
from harness.engine.places import gpu_share

_PROBE_S = 120.0
"""How long a node may take to say what it is: it may have to start a process."""
_LABEL = "ray.io/node-id"


@dataclass(frozen=True)
class Node:
    """A node that may be used.

    Attributes:
        report: What it says of itself.
        cpus: CPUs that Ray gives out there.
        gpus: GPUs that Ray gives out there.
        memory: Bytes of main memory that Ray gives out there.
    """

    report: NodeReport
    cpus: float
    gpus: float
    memory: float


@dataclass
class Fleet:
    """The nodes that may be used; all of one kind, so that one run is made on one kind of machine.

    Attributes:
        base: What nodes are asked by.
        note: Told of nodes that are not used, and why.
        nodes: By Ray's id.
    """

    base: Base
    note: Callable[[str], None]
    nodes: dict[str, Node] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _turn: int = 0

    @property
    def machines(self) -> Machines:
        """What computes in this run."""
        assert self.base.machines is not None
        return self.base.machines

    @property
    def processor(self) -> str:
        """What computes on the run's device, in words."""
        return self.machines.on(self.base.device).processor

    @property
    def shared(self) -> bool:
        """Whether every node sees the driver's cache."""
        return all(node.report.shared for node in self.nodes.values())

    @property
    def slots(self) -> int:
        """CPUs of all nodes together."""
        return max(1, int(sum(node.cpus for node in self.nodes.values())))

    def gather(self) -> None:
        """Ask the nodes that have not been asked yet.

        The first time, the kind of machine that most of them are is chosen; others are left out.

        Raises:
            ClusterError: If none can be used.
        """
        alive = {node["NodeID"]: node for node in _alive()}
        for gone in set(self.nodes) - set(alive):
            self.drop(gone, "it was lost")
        found = _asked(
            [node for name, node in alive.items() if name not in self._known], self.base, self.note
        )
        self._known |= set(alive)
        if self.base.machines is None:
            usable = [one for one in found if not one.refused and _has(self.base.device, one, alive)]
            if not usable:
                raise ClusterError(
                    "No node of the cluster can be used",
                    where="--engine ray",
                    fix=_told(found) or f"Its nodes have no {self.base.device} for it.",
                )
            chosen = Counter(one.machines for one in usable).most_common(1)[0][0]
            self.base = replace(self.base, machines=chosen)
        for one in found:
            self._take(one, alive[one.node])

    def _take(self, one: NodeReport, node: dict[str, Any]) -> None:
        reason = one.refused
        if not reason and one.machines != self.machines:
            reason = f"it computes otherwise: {one.machines.on(self.base.device).processor}"
        if reason:
            self.note(f"node {one.host} is not used: {reason}")
            return
        if not _has(self.base.device, one, {one.node: node}):
            return  # Such as a head node that only keeps the cluster together.
        has = node["Resources"]
        taken = Node(one, has.get("CPU", 0.0), has.get("GPU", 0.0), has.get("memory", 0.0))
        self.nodes[one.node] = taken

    def drop(self, name: str, reason: str) -> None:
        """Use a node no more."""
        node = self.nodes.pop(name, None)
        if node is not None:
            self.note(f"node {node.report.host} is not used any more: {reason}")

    def misfit(self, job: Job) -> str:
        """Why a job would wait for ever, or nothing."""
        if not self.nodes:
            return "No node of the cluster is left that may run it."
        wanted = self._wanted(job)
        if any(_fits(wanted, node) for node in self.nodes.values()):
            return ""
        needs = ", ".join(f"{_number(amount)} {name}" for name, amount in wanted.items() if amount)
        largest = (
            ("CPUs", max(node.cpus for node in self.nodes.values())),
            ("GPUs", max(node.gpus for node in self.nodes.values())),
            ("GiB", max(node.memory for node in self.nodes.values()) / 2**30),
        )
        most = ", ".join(f"{_number(amount)} {name}" for name, amount in largest)
        return f"It will never fit: it needs {needs}; at most a node of this cluster has {most}."

    def options(self, job: Job) -> dict[str, Any]:
        """How Ray is to place a job."""
        if job.exclusive:
            return self._whole_node()
        wanted = self._wanted(job)
        names = ",".join(self.nodes)
        return {
            "num_cpus": wanted["CPUs"],
            "num_gpus": wanted["GPUs"],
            "memory": wanted["GiB"] * 2**30 or None,
            "label_selector": {_LABEL: f"in({names})"},
        }

    def _whole_node(self) -> dict[str, Any]:
        """What is timed runs alone on its node: it takes all CPUs, of each node in turn."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        usable = [node for node in self.nodes.values() if self.base.device == "cpu" or node.gpus] or [
            *self.nodes.values()
        ]
        node = usable[self._turn % len(usable)]
        self._turn += 1
        affinity = NodeAffinitySchedulingStrategy(node.report.node, soft=False)
        gpus = 0.0 if self.base.device == "cpu" else node.gpus
        return {"num_cpus": node.cpus, "num_gpus": gpus, "scheduling_strategy": affinity}

    def _wanted(self, job: Job) -> dict[str, float]:
        """What a job takes. Threads of GPU jobs, which mostly wait, count as one CPU."""
        most = max((node.cpus for node in self.nodes.values()), default=1.0)
        if not job.device.startswith("cuda"):
            # Where such a job has several processes in place of GPUs, each has its threads.
            threads = job.threads * max(1, job.gpus)
            return {"CPUs": min(threads, most), "GPUs": 0.0, "GiB": job.device_gb or 0.0}
        memory = min((n.report.gpu_gb for n in self.nodes.values() if n.report.gpu_gb), default=None)
        share = round(gpu_share(job.device_gb, memory), 4)
        return {"CPUs": min(1.0, most), "GPUs": float(job.gpus) if job.gpus else share, "GiB": 0.0}


def _fits(wanted: dict[str, float], node: Node) -> bool:
    have = {"CPUs": node.cpus, "GPUs": node.gpus, "GiB": node.memory / 2**30}
    return all(amount <= have[name] for name, amount in wanted.items())


def _number(amount: float) -> str:
    return f"{amount:.3g}"


def _alive() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _has(device: str, one: NodeReport, alive: dict[str, dict[str, Any]]) -> bool:
    """Whether Ray gives out the device on a node."""
    kind = "GPU" if device.startswith("cuda") else "CPU"
    return float(alive[one.node]["Resources"].get(kind, 0.0)) > 0


def _told(reports: Iterable[NodeReport]) -> str:
    return "\n  ".join(f"{one.host}: {one.refused}" for one in reports if one.refused)


def _asked(nodes: list[dict[str, Any]], base: Base, note: Callable[[str], None]) -> list[NodeReport]:
    """What the nodes say of themselves; of one that cannot run our code at all, a note."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(max_retries=0, num_cpus=0)(report)
    places = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
    asked = [ask.options(scheduling_strategy=place).remote(base) for place in places]
    found = []
    for host, answer in zip((node["NodeManagerHostname"] for node in nodes), asked, strict=True):
        try:
            found.append(ray.get(answer, timeout=_PROBE_S))
        except Exception as error:  # noqa: BLE001 - any failure there is a reason not to use it
            last = str(error).strip().rpartition("\n")[2]
            note(f"node {host} is not used: it cannot run the driver's code: {last or type(error).__name__}")
    return found
