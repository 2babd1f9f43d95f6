"""Methods, tasks and artifacts that leave things behind or end in odd ways, for the toy suite."""

from __future__ import annotations

import asyncio
import colorsys
import ctypes
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from harness.method import Artifact, Context, Method, Scores, param
from tests.harness.toy import MeanTask, Numbers, toy_suite

VARIABLE = "TESTS_LEFT_BEHIND"


KEPT: list[subprocess.Popen[bytes]] = []
"""An object that goes away complains of its process."""


def leave_child() -> int:
    """Start a process that lives long, and does not end with this one."""
    KEPT.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
    return KEPT[-1].pid


def leave_daemon() -> int:
    """As :func:`leave_child`, but in a session of its own and with a parent that ends at once."""
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); print(p.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


BLOCKED = "corroborate_has_no_such_module"
LEAKS: dict[str, tuple[str, Callable[[], Any]]] = {
    "type": ("default type of torch", lambda: torch.set_default_dtype(torch.float64)),
    "grad": ("grad mode", lambda: torch.set_grad_enabled(False)),
    "device": ("default device", lambda: torch.set_default_device("meta")),
    "threads": ("threads of torch", lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
    "deterministic": ("deterministic mode", lambda: torch.set_deterministic_debug_mode(1)),
    "tf32": ("float32 precision", lambda: torch.set_float32_matmul_precision("high")),
    "autocast": ("autocast", lambda: torch.set_autocast_enabled("cpu", True)),
    "seterr": ("error handling of numpy", lambda: np.seterr(all="raise")),
    "printing": ("print options of numpy", lambda: np.set_printoptions(precision=2)),
    "folder": ("working directory", lambda: os.chdir("/")),
    "environment": (f"environment variable {VARIABLE}", lambda: os.environ.update({VARIABLE: "1"})),
    "warnings": ("warnings filters", lambda: warnings.simplefilter("ignore")),
    "path": ("sys.path", lambda: sys.path.insert(0, "/nowhere")),
    "logging": ("level of logger root", lambda: logging.root.setLevel(logging.DEBUG)),
    "signal": ("handler of signal SIGUSR1", lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN)),
    "alarm": ("pending alarm", lambda: signal.setitimer(signal.ITIMER_REAL, 3600.0)),
    "patch": ("function random.gauss", lambda: setattr(random, "gauss", lambda *_: 0.0)),
    "method": ("function torch.Tensor.relu", lambda: setattr(torch.Tensor, "relu", lambda x: x)),
    "blocked": (f"blocked module {BLOCKED}", lambda: sys.modules.__setitem__(BLOCKED, None)),  # type: ignore[assignment]
    "module": ("imported module colorsys", lambda: sys.modules.pop("colorsys")),
    "thread": ("running thread", lambda: threading.Thread(target=time.sleep, args=(2,)).start()),
    "child": ("running process", leave_child),
}
"""By name: what is said of it, and how it is left behind."""


def signs() -> list[Any]:
    """What a method may depend on, and others leave changed."""
    return [
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        str(torch.get_default_device()),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
        torch.is_autocast_enabled("cpu"),
        sorted(np.geterr().items()),
        np.get_printoptions()["precision"],
        Path.cwd(),
        os.environ.get(VARIABLE),
        tuple(warnings.filters),
        tuple(sys.path),
        logging.root.level,
        signal.getsignal(signal.SIGUSR1),
        signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        random.gauss.__qualname__,
        torch.Tensor.relu.__qualname__,
        sys.modules.get(BLOCKED, "free"),
        sys.modules.get("colorsys") is colorsys,
    ]


@dataclass(frozen=True, kw_only=True)
class Leaking(Method[Numbers, float]):
    """Leaves state of the process changed."""

    problem_type: ClassVar[type] = Numbers
    ways: str = param("type", source="ours", doc="names of leaks, with commas")

    def run(self, problem: Numbers, ctx: Context) -> float:
        print(os.getpid())  # noqa: T201 - logs are kept
        for way in filter(None, self.ways.split(",")):
            LEAKS[way][1]()
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Witness(Method[Numbers, float]):
    """Says in its log what state it finds, and computes what depends on some of it."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        print(os.getpid())  # noqa: T201 - logs are kept
        print(signs())  # noqa: T201 - as above
        return float(torch.full((1000,), 0.1, device="cpu").sum()) + len(warnings.filters)


class OddError(BaseException):
    """Cannot be shown, nor handed to another process."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def __str__(self) -> str:
        raise SystemExit(0)

    __repr__ = __str__


class SilentError(RuntimeError):
    """A RuntimeError, at whose text the harness looks, without a text."""

    def __str__(self) -> str:
        raise ValueError("no text")


def deep(depth: int = 0) -> int:
    return deep(depth + 1) + 1


def throw(error: BaseException) -> None:
    raise error


ENDS: dict[str, Callable[[], Any]] = {
    "exit": lambda: sys.exit(0),
    "exit-text": lambda: sys.exit("gone"),
    "interrupt": lambda: throw(KeyboardInterrupt()),
    "generator": lambda: throw(GeneratorExit()),
    "cancelled": lambda: throw(asyncio.CancelledError()),
    "stop": lambda: throw(StopIteration()),
    "odd": lambda: throw(OddError()),
    "silent": lambda: throw(SilentError()),
    "deep": deep,
}
"""Ways to end that an ``except Exception`` does not see, or stumbles over."""
CRASHES: dict[str, Callable[[], Any]] = {
    "exit-at-once": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda: ctypes.string_at(0),
}


def end(way: str) -> None:
    {**ENDS, **CRASHES}[way]()


@dataclass(frozen=True, kw_only=True)
class Ending(Method[Numbers, float]):
    """Ends in the way that its parameter says."""

    problem_type: ClassVar[type] = Numbers
    way: str = param("exit", source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        end(self.way)
        return 0.0


@dataclass(frozen=True, kw_only=True)
class EndingTask(MeanTask):
    """Ends while it makes the problem, or while it evaluates."""

    at: str = "evaluate"

    def problem(self, ctx: Context) -> Numbers:
        if self.at == "problem":
            sys.exit(0)
        return super().problem(ctx)

    def evaluate(self, result: float, ctx: Context) -> Scores:
        if self.at == "evaluate":
            sys.exit(0)
        return super().evaluate(result, ctx)


@dataclass(frozen=True, kw_only=True)
class EndingArtifact(Artifact):
    """Ends while it is built, or while it is loaded."""

    title: ClassVar[str] = "ending"
    at: str = "build"

    def build(self, folder: Path, ctx: Context) -> None:
        if self.at == "build":
            sys.exit(0)

    def load(self, path: Path) -> Any:
        return sys.exit(0)


@dataclass(frozen=True, kw_only=True)
class Waking(Method[Numbers, float]):
    """Ends when it is unpickled, which happens in the worker."""

    problem_type: ClassVar[type] = Numbers
    factor: float = param(1.0, source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        return 0.0

    def __setstate__(self, state: Any) -> None:
        sys.exit(0)


@dataclass(frozen=True, kw_only=True)
class Holding(Method[Numbers, float]):
    """Has a parameter that cannot be handed to another process."""

    problem_type: ClassVar[type] = Numbers
    transform: Any = param(None, source="ours")  # noqa: RUF009 - anything may be a parameter

    def run(self, problem: Numbers, ctx: Context) -> float:
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Parent(Method[Numbers, float]):
    """Starts a process, notes which, and goes on as its parameter says."""

    problem_type: ClassVar[type] = Numbers
    marker: str = param("", source="ours", doc="file for the process id")
    way: str = param("return", source="ours")
    daemon: bool = param(default=False, source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        pid = leave_daemon() if self.daemon else leave_child()
        temporary = Path(f"{self.marker}.new")
        temporary.write_text(str(pid))
        temporary.rename(self.marker)
        if self.way == "hang":
            time.sleep(600)
        elif self.way == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Forking(Method[Numbers, float]):
    """Forks, and lets the child return as well."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        if os.fork() == 0:
            ctx.progress(0.5, "child")
            return 7.0
        time.sleep(0.5)
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Loud(Method[Numbers, float]):
    """Prints in every way there is, then returns or hangs in native code."""

    problem_type: ClassVar[type] = Numbers
    hang: bool = param(default=False, source="ours")
    repeat: int = param(1, source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        print("from python\n" * self.repeat)  # noqa: T201 - as above
        libc = ctypes.CDLL(None)
        libc.printf(b"from native code\n")
        os.write(2, b"from a descriptor\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        if self.hang:
            self.native(ctypes.PyDLL(None))
        return 0.0

    def native(self, libc: Any) -> None:
        """Sleep in native code, as a library that never lets Python run again."""
        libc.sleep(600)


@dataclass(frozen=True, kw_only=True)
class Slow(Method[Numbers, float]):
    """Says that it has begun, and takes its time once."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        marker = Path(os.environ["TESTS_MARKER"])
        (ctx.scratch / "something").write_text("large")
        if not marker.exists():
            marker.touch()
            time.sleep(600)
        return 0.0


SLOW = toy_suite(methods={"mean": Witness(), "half": Slow()}, seeds=(100, 101))
"""Reached by name from another process."""
