"""What crosses the border between the driver and a node of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.engine.cluster.identity import Identity
from harness.engine.job import Outcome, Progress
from harness.provenance import Machine


@dataclass(frozen=True)
class Mark:
    """A file that the driver has put into a folder, to see whether a node sees the same folder.

    Attributes:
        folder: The folder on the driver's machine.
        file: Path of the mark.
        text: What it says.
    """

    folder: str
    file: str
    text: str


@dataclass(frozen=True)
class Machines:
    """What of a node results depend on, by what computes them.

    Attributes:
        cpu: For trials on the CPU, of which a run on GPUs has some, too.
        gpu: For trials on its GPU; none in a run on the CPU.
    """

    cpu: Machine
    gpu: Machine | None = None

    def on(self, device: str) -> Machine:
        """For a trial on a device."""
        return self.gpu if self.gpu is not None and device.startswith("cuda") else self.cpu


@dataclass(frozen=True, kw_only=True)
class Base:
    """What is the same for all orders of a run.

    Attributes:
        identity: The driver's.
        root: The driver's checkout.
        home: The driver's cache, and the mark in it.
        run: The run's folder, and the mark in it.
        store: URL of the artifact store, or empty.
        path: Where the driver looks for modules, those of a user's own methods among them.
        variables: Environment variables that the driver's own workers would have from it.
        machines: What computes in this run, if it is known already: no other kind of node may.
        device: Of the run.
    """

    identity: Identity
    root: str
    home: Mark
    run: Mark
    store: str
    path: tuple[str, ...]
    variables: Mapping[str, str]
    machines: Machines | None
    device: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """A job for a node.

    Attributes:
        id: The job's.
        device: Where it computes.
        job: The job, pickled.
        base: What is the same for all.
        digests: Content of what the job loads, by path on the driver's machine; empty for what lies in
            a folder that all nodes share.
        plugins: SHA-256 of the sources that lie outside the checkout, by path.
    """

    id: str
    device: str
    job: bytes
    base: Base
    digests: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeReport:
    """What a node is.

    Attributes:
        node: Ray's id of it.
        host: Its name.
        refused: Why it may not be used, or empty.
        machines: What of it results depend on.
        cpu: The model of its processor.
        gpu: The model of its first GPU, or empty.
        gpu_gb: The memory of its smallest GPU in GiB; 0 without one.
        memory_gb: Its main memory in GiB.
        cores: CPU cores that processes there may use.
        shared: Whether it sees the driver's cache.
    """

    node: str
    host: str
    refused: str
    machines: Machines
    cpu: str = ""
    gpu: str = ""
    gpu_gb: float = 0.0
    memory_gb: float = 0.0
    cores: int = 0
    shared: bool = False


@dataclass(frozen=True)
class Started:
    """A job has reached a node."""

    host: str


@dataclass(frozen=True)
class Refused:
    """A node found that it may not run the job; another may."""

    report: NodeReport


@dataclass(frozen=True)
class Ended:
    """A job has ended.

    Attributes:
        outcome: How.
        digest: What it has built, in the artifact store, if the driver does not see it by itself.
    """

    outcome: Outcome
    digest: str = ""


Message = Started | Progress | Refused | Ended
