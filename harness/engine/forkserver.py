"""The fork server: one process that imports what workers need, and forks each of them from itself.

A worker is there within tens of milliseconds, also one that takes another's place, and has what was
imported in common with all others. The process itself runs no job, and starts no thread that a fork
would lose.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from multiprocessing import spawn
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from harness.engine.framework import import_framework
from harness.engine.keeper import Ends, keep

QUIET: Final = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
}
"""For processes whose libraries use one thread each unless a job asks for more.

glibc's allocator keeps large blocks instead of giving each back to the system: a decoding loop
allocates the same megabytes at every token, and page faults cost it a tenth of its time. Arrow's second
allocator, which nothing here uses, would start a thread where it is loaded, which is before a fork.
"""
_FORKS_FRAMEWORK: Final = sys.platform == "linux"
"""Elsewhere a worker imports PyTorch itself: macOS's own libraries must not be used after a fork."""


def _interpreter() -> dict[str, Any]:
    """What ``multiprocessing`` tells a new process of this one."""
    found = spawn.get_preparation_data("corroborate-worker")
    # Secret, and so refused by pickle; only for connections between processes of one program.
    found.pop("authkey", None)
    return found


@dataclass(frozen=True)
class WorkerOrder:
    """Asks for a worker.

    Attributes:
        log: Takes what it prints.
        variables: Environment variables that it has besides the driver's.
        framework: Whether its first job needs PyTorch.
        interpreter: The driver's, as ``multiprocessing`` prepares another for it: its main module, where
            it looks for modules, its arguments, its folder.
    """

    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    framework: bool = True
    interpreter: Mapping[str, Any] = field(default_factory=_interpreter)


class ForkServer:
    """The driver's side of the fork server, which starts with the first use and again if it died.

    Args:
        scratch_root: Where workers make scratch folders; removed if the driver vanishes.
    """

    def __init__(self, scratch_root: Path) -> None:
        self._scratch_root = scratch_root
        self._process: SpawnProcess | None = None
        self._orders: Connection | None = None

    def start(self) -> None:
        """Let it begin with its imports, unless it has; nothing is waited for."""
        if self._runs():
            return
        self.close()
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, self._scratch_root), name="corroborate-forkserver"
        )
        # It is foreign code, which each worker imports for itself.
        with _environment(QUIET), without_main():
            self._process.start()
        theirs.close()

    def fork(self, order: WorkerOrder, ends: Sequence[Connection]) -> None:
        """Start a worker at the other ends of some pipes, which are closed here.

        If the server dies of it, the pipes close without a word.

        Args:
            order: What is asked for.
            ends: Those of :class:`harness.engine.keeper.Ends`, in their order.
        """
        self.start()
        assert self._orders is not None
        assert self._process is not None
        with suppress(OSError):
            self._orders.send(order)
            for end in ends:
                send_handle(self._orders, end.fileno(), self._process.pid)
        for end in ends:
            end.close()

    def _runs(self) -> bool:
        """Whether it is there: its pipe closes, since it says nothing, before its process has ended."""
        return self._orders is not None and not self._orders.poll()

    def close(self) -> None:
        """End it, and no worker: those see to their own ends."""
        if self._process is not None and self._orders is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._orders.close()
            self._process = self._orders = None


def serve(orders: Connection, scratch_root: Path) -> None:
    """Fork workers until ``orders`` closes, which says that the driver is gone.

    Args:
        orders: What is asked for, each followed by the ends of its pipes.
        scratch_root: The driver's folder for scratch.
    """
    os.setsid()  # Ctrl-C and a closing terminal are the driver's business.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Arrow imports pandas with the first array that it makes, a fifth of a second in every worker.
    for name in ("harness.engine.worker", "pandas", "pyarrow.parquet"):
        _import(partial(import_module, name))
    while True:
        try:
            order: WorkerOrder = orders.recv()
            handles = [recv_handle(orders) for _ in Ends._fields]
        except (EOFError, OSError):
            break
        if order.framework and _FORKS_FRAMEWORK and "torch" not in sys.modules:
            _import(import_framework)
        if os.fork() == 0:
            orders.close()
            os.environ.update(order.variables)
            keep(Ends(*map(Connection, handles)), scratch_root, order.log, order.interpreter)
            return  # As the worker, whose end is that of any Python process.
        for handle in handles:
            os.close(handle)
        _reap(os.WNOHANG)
    _reap(0)  # The keepers have seen that the driver is gone, too.
    shutil.rmtree(scratch_root, ignore_errors=True)


def _import(load: Callable[[], object]) -> None:
    """Import something for all workers to come."""
    # What cannot be imported is for the job to find that needs it, and to say why.
    with suppress(Exception):
        load()
    # Collections would write to every object's page, which is shared only as long as nobody does.
    gc.collect()
    gc.freeze()


def _reap(options: int) -> None:
    """Let keepers that have ended go."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


@contextmanager
def without_main() -> Iterator[None]:
    """Hide the main module from processes that are started within: they would import it a second time."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that are started within."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
