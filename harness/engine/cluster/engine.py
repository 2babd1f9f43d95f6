"""The engine on a Ray cluster."""

from __future__ import annotations

import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.ends import Stops, story_of, text_of
from harness.engine.cluster.fleet import Fleet
from harness.engine.cluster.identity import ROOT, own_identity
from harness.engine.cluster.messages import Base, Ended, Mark, Message, Refused, Started
from harness.engine.cluster.node import run_job
from harness.engine.cluster.session import ClusterError, Session, open_session
from harness.engine.cluster.shipping import Shipper, marked
from harness.engine.cluster.store import ContentStore
from harness.engine.engines import Listener
from harness.engine.job import ArtifactJob, Job, Outcome, Progress
from harness.errors import CorroborateError
from harness.processor import chosen_kernels
from harness.resources.hashing import HashCache

_LOOKED_S = 30.0
"""How often it is looked for new nodes, and for nodes that are gone."""
_AHEAD = 0.5
"""Jobs that wait in the cluster, as a share of those that run: the driver keeps the rest."""


@dataclass
class _Task:
    """A job in the cluster.

    Attributes:
        stream: What comes back from it.
        nodes: Ray's ids of those that it may run on.
        host: Where it runs, once it does.
    """

    job: Job
    stream: Any
    nodes: frozenset[str]
    host: str = ""


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class RayEngine:
    """Gives jobs to a cluster, each as one Ray task; Ray repeats none of them.

    Args:
        on_progress: Called with what running jobs report.
        session: The cluster.
        fleet: Its nodes.
        shipper: Packs jobs.
    """

    def __init__(
        self,
        on_progress: Listener,
        session: Session,
        fleet: Fleet,
        shipper: Shipper,
    ) -> None:
        import ray

        self._on_progress = on_progress
        self._session = session
        self.fleet = fleet
        self._shipper = shipper
        # The driver decides what is tried again: a silent second execution would be a silent choice.
        self._call = ray.remote(max_retries=0, retry_exceptions=False, num_returns="streaming")(run_job)
        self._tasks: dict[Any, _Task] = {}
        self._ended: list[Outcome] = []
        self._used: dict[str, str] = {}
        self._looked = time.monotonic()

    def environment(self, device: str, threads: int = 1) -> str:
        """The environment key of trials in this cluster, instead of that of the driver's machine."""
        return self.fleet.machines.on(device).key(threads)

    def nodes(self) -> dict[str, str]:
        """The nodes that executed something, with their processor or GPU."""
        return dict(self._used)

    def room(self) -> bool:
        """Whether another job may be given to the cluster; a bounded number waits there."""
        return len(self._tasks) < self.fleet.slots * (1 + _AHEAD) + 1

    def accepts(self, job: Job) -> bool:
        """Whether the job may be given to the cluster; Ray starts it when there is a place."""
        return self.room()

    def submit(self, job: Job) -> None:
        """Give a job to the cluster, or say at once why that would be in vain.

        Raises:
            ClusterError: If no node is left.
        """
        self._require_nodes()
        if reason := self.fleet.misfit(job):
            self._fail(job, reason)
            return
        with Stops() as stops:
            try:
                order = self._shipper.order(job)
            except CorroborateError as error:
                self._fail(job, str(error))
                return
            except BaseException as error:  # noqa: BLE001 - its objects decide how they are pickled
                stops.obey()
                self._fail(job, f"{story_of(error)}\nIt cannot be handed to a node: {text_of(error)}")
                return
        stream = self._call.options(name=job.id, **self.fleet.options(job)).remote(order)
        self._tasks[stream] = _Task(job, stream, frozenset(self.fleet.nodes))

    def _require_nodes(self) -> None:
        """That no node is left is no fault of the trials that are left."""
        if not self.fleet.nodes:
            self._gather()
        if not self.fleet.nodes:
            raise ClusterError(
                "No node of the cluster is left that may run the trials",
                where="--engine ray",
                fix="What has finished is stored: start nodes, and add --resume to the command.",
            )

    def _fail(self, job: Job, reason: str) -> None:
        self._ended.append(Outcome(id=job.id, status="failed", error=reason))

    def wait(self, seconds: float) -> list[Outcome]:
        """The jobs that have ended since the last call.

        Raises:
            ClusterError: If the head node is gone, or no node is left.
        """
        import ray

        deadline = time.monotonic() + seconds
        while not self._ended:
            self._session.check()
            self._look()
            left = max(deadline - time.monotonic(), 0.0)
            if not self._tasks:
                time.sleep(left)
                break
            ready, _ = ray.wait(list(self._tasks), num_returns=1, timeout=min(left, 1.0), fetch_local=False)
            for stream in ready:
                self._hear(self._tasks[stream])
            if time.monotonic() >= deadline:
                break
        ended, self._ended = self._ended, []
        return ended

    def _look(self) -> None:
        if time.monotonic() - self._looked > _LOOKED_S:
            self._gather()
            self._call_back()

    def _gather(self) -> None:
        self._session.check(surely=True)
        self.fleet.gather()
        self._shipper.everywhere = self.fleet.shared
        self._looked = time.monotonic()

    def _call_back(self) -> None:
        """Give jobs again that wait for nodes which are gone: Ray would let them wait for ever."""
        for task in list(self._tasks.values()):
            if not task.host and not task.nodes & self.fleet.nodes.keys():
                self._tasks.pop(task.stream)
                self._cancel(task)
                self.submit(task.job)

    def _hear(self, task: _Task) -> None:
        """Take the next message of a task, or its end."""
        import ray

        try:
            message: Message = ray.get(next(task.stream))
        except StopIteration:
            self._lost(task, "failed", "It ended without a result.")
        except ray.exceptions.OutOfMemoryError as error:
            self._lost(task, "memory", f"Ray stopped it, since its node ran out of memory: {_brief(error)}")
        except ray.exceptions.RayTaskError as error:
            self._tasks.pop(task.stream)
            story = _COLOURS.sub("", str(error))
            self._fail(task.job, f"{story}\nIt could not be run on {task.host or 'its node'}.")
        except ray.exceptions.RayError as error:
            self._session.check(surely=True)
            self._lost(task, "failed", _brief(error))
        else:
            self._take(task, message)

    def _lost(self, task: _Task, status: Any, reason: str) -> None:
        """A task that has ended with its process or its node: the driver tries it once more, and says so."""
        self._tasks.pop(task.stream)
        place = f"on node {task.host}" if task.host else "before it began"
        error = f"The worker was lost {place}: {reason}"
        self._ended.append(Outcome(id=task.job.id, status=status, error=error, lost=True, node=task.host))
        self._looked = -math.inf

    def _take(self, task: _Task, message: Message) -> None:
        if isinstance(message, Started):
            task.host = message.host
            self._used[message.host] = self._hardware()
        elif isinstance(message, Progress):
            self._on_progress(message)
        elif isinstance(message, Refused):
            # Another node may take it, and nothing has been executed yet.
            self._tasks.pop(task.stream)
            self.fleet.drop(message.report.node, message.report.refused or "its processor is another one")
            self.submit(task.job)
        else:
            self._tasks.pop(task.stream)
            self._ended.append(self._arrived(task, message))

    def _hardware(self) -> str:
        report = next(iter(self.fleet.nodes.values())).report if self.fleet.nodes else None
        on_gpu = self.fleet.base.device.startswith("cuda")
        return "" if report is None else report.gpu if on_gpu else report.cpu

    def _arrived(self, task: _Task, message: Ended) -> Outcome:
        """The outcome, with what was built brought here."""
        outcome = replace(message.outcome, node=task.host)
        if not message.digest:
            return outcome
        assert isinstance(task.job, ArtifactJob)
        try:
            self._shipper.received(task.job, message.digest)
        except CorroborateError as error:
            return replace(outcome, status="failed", error=str(error))
        return outcome

    def close(self) -> None:
        """End all tasks, and leave the cluster."""
        if not self._session.lost:
            for task in self._tasks.values():
                self._cancel(task)
        self._tasks.clear()
        self._session.close()

    def _cancel(self, task: _Task) -> None:
        import ray

        with suppress(ray.exceptions.RayError, ValueError):
            ray.cancel(task.stream, force=True)


def _brief(error: Exception) -> str:
    """What Ray says in its first sentence or two."""
    return " ".join(str(error).split())[:500] or type(error).__name__


@contextmanager
def ray_engine(
    on_progress: Listener,
    note: Callable[[str], None],
    *,
    home: Path,
    run: Path,
    device: str,
    address: str,
    workers: int,
    store_url: str,
) -> Iterator[RayEngine]:
    """An engine on a cluster that is started, or reached, and left again.

    Args:
        on_progress: As for every engine.
        note: Told what a reader of the log should know.
        home: The driver's cache.
        run: The run's folder.
        device: Of the run.
        address: Of the cluster; see :func:`~harness.engine.cluster.session.open_session`.
        workers: CPU threads of a cluster that is started here.
        store_url: Of the artifact store, or empty.

    Raises:
        UsageError: If Ray is missing, or an option is wrong.
        ClusterError: If no cluster answers, or none of its nodes can be used.
        ResourceError: If the artifact store cannot be used.
    """
    store = ContentStore(store_url) if store_url else None
    if store is not None:
        store.check()
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        session = open_session(address, workers)
        engine = None
        try:
            base = _base(
                stack.enter_context(marked(home)), stack.enter_context(marked(run)), device, store_url
            )
            fleet = Fleet(base, note)
            fleet.gather()
            _tell(session, fleet, note)
            shipper = Shipper(fleet.base, HashCache(home / "hashes.json"), store, fleet.shared)
            engine = RayEngine(on_progress, session, fleet, shipper)
            yield engine
        finally:
            engine.close() if engine is not None else session.close()


def _base(home: Mark, run: Mark, device: str, store_url: str) -> Base:
    passed = [f"{name}={value}" for name, value in os.environ.items() if name in _PASSED and value]
    return Base(
        identity=own_identity(),
        root=str(ROOT),
        home=home,
        run=run,
        store=store_url,
        path=tuple(str(Path(entry).absolute()) for entry in sys.path),
        variables=dict(text.split("=", 1) for text in (*chosen_kernels(), *passed)),
        machines=None,
        device=device,
    )


_PASSED = ("CORROBORATE_CHECKPOINT_SECONDS", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Variables of the driver that count on every node, besides those that choose kernels."""


def _tell(session: Session, fleet: Fleet, note: Callable[[str], None]) -> None:
    where = "started for this run" if session.own else ":".join(map(str, session.head))
    count = len(fleet.nodes)
    nodes = f"{count} node{'s' if count > 1 else ''}, {fleet.slots} CPUs"
    note(f"cluster: Ray, {where}: {nodes}; {fleet.processor}")
