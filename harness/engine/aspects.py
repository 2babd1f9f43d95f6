"""The state of a process that outlives a trial: how each piece of it is read and put back."""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)


@dataclass(frozen=True)
class Aspect:
    """One piece of a process's state.

    Attributes:
        name: As a reader is told of it.
        read: Its value: a mapping if it has parts with names, a tuple if it is a list.
        write: Makes it a value that was read.
        library: The module that it belongs to; not read before that is imported.
        fixed: It decides what is computed: nothing may change it but a job while it runs. What importing
            a module changes in the others belongs to the process.
        of_job: Set anew for each job.
        shown: Whether its values are plain enough to be shown.
        new: Whether a part with a new name is a change of it.
        start: The value that a new process has, if that is known.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    library: str = "sys"
    fixed: bool = False
    of_job: bool = False
    shown: bool = False
    new: bool = False
    start: Any = None


def _folder() -> str | None:
    with suppress(OSError):
        return os.getcwd()  # noqa: PTH109 - it may be gone, and a path object says no more
    return None


def _go_to(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _set_environment(values: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(values):
        del os.environ[name]
    for name, value in values.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    if hasattr(time, "tzset"):
        time.tzset()


def _set_filters(filters: tuple[Any, ...]) -> None:
    with getattr(warnings, "_lock", nullcontext()):
        warnings.filters[:] = filters  # type: ignore[index]
        # Python remembers which warnings were shown under which filters; its name for that has changed.
        for name in ("_filters_mutated", "_filters_mutated_lock_held"):
            getattr(warnings, name, lambda: None)()


def _levels() -> dict[str, Any]:
    """Levels of all loggers by name, and what holds for all of them under names that no logger has."""
    found: dict[str, Any] = {
        name: logger.level
        for name, logger in list(logging.root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger)
    }
    return {**found, "root": logging.root.level, "(all)": logging.root.manager.disable}


def _set_levels(levels: Mapping[str, Any]) -> None:
    for name, level in levels.items():
        if name == "(all)":
            logging.disable(level)
        elif name == "root":
            logging.root.setLevel(level)
        elif (logger := logging.getLogger(name)).level != level:
            logger.setLevel(level)


def _set_handlers(handlers: tuple[Any, ...]) -> None:
    logging.root.handlers[:] = handlers


def _handlers() -> dict[str, Any]:
    return {signal.Signals(number).name: _handler(number) for number in SIGNALS}


def _handler(number: signal.Signals) -> Any:
    found = signal.getsignal(number)
    # PyTorch's first data loader with processes sets it once, and would not set it again.
    by_torch = getattr(found, "__module__", None) == "torch.utils.data._utils.signal_handling"
    return signal.SIG_DFL if by_torch else found


def _set_signals(handlers: Mapping[str, Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for name, handler in handlers.items():
        number = signal.Signals[name]
        # None: set by native code, which Python can neither read nor set.
        if handler is not None and _handler(number) is not handler:
            signal.signal(number, handler)


def _alarm() -> bool:
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0.0


def _set_alarm(pending: bool) -> None:  # noqa: FBT001 - as it is read
    if not pending:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _set_arithmetic(value: tuple[Any, ...]) -> None:
    context = decimal.getcontext()
    context.prec, context.rounding = value


def _set_collector(value: tuple[bool, tuple[int, int, int]]) -> None:
    (gc.enable if value[0] else gc.disable)()
    gc.set_threshold(*value[1])


def _set_streams(streams: tuple[Any, ...]) -> None:
    sys.stdout, sys.stderr, sys.stdin = streams


def _set_hooks(hooks: tuple[Any, ...]) -> None:
    sys.excepthook, sys.displayhook, sys.unraisablehook = hooks


def _set_list(target: Callable[[], list[Any]]) -> Callable[[tuple[Any, ...]], None]:
    def write(values: tuple[Any, ...]) -> None:
        target()[:] = values

    return write


def _set_modules(modules: Mapping[str, Any]) -> None:
    for name, module in modules.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module


def _blocked() -> dict[str, str]:
    """Modules that cannot be imported, because code has said so."""
    modules: dict[str, Any] = dict(sys.modules)
    return {name: "cannot be imported" for name, module in modules.items() if module is None}


def _set_blocked(names: Mapping[str, str]) -> None:
    for name in set(_blocked()) - set(names):
        del sys.modules[name]


PROCESS = (
    Aspect("working directory", _folder, _go_to, fixed=True, shown=True),
    Aspect("environment variable", os.environ.copy, _set_environment, new=True),
    Aspect("warnings filters", lambda: tuple(warnings.filters), _set_filters),
    Aspect("level of logger", _levels, _set_levels),
    Aspect("handlers of the root logger", lambda: tuple(logging.root.handlers), _set_handlers),
    Aspect("sys.path", lambda: tuple(sys.path), _set_list(lambda: sys.path)),
    Aspect("blocked module", _blocked, _set_blocked, new=True),
    Aspect("imported module", lambda: dict(sys.modules), _set_modules),
    Aspect("sys.argv", lambda: tuple(sys.argv), _set_list(lambda: sys.argv)),
    Aspect("standard streams", lambda: (sys.stdout, sys.stderr, sys.stdin), _set_streams),
    Aspect("hooks of sys", lambda: (sys.excepthook, sys.displayhook, sys.unraisablehook), _set_hooks),
    Aspect("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit, shown=True),
    Aspect(
        "limit on digits of integers",
        sys.get_int_max_str_digits,
        sys.set_int_max_str_digits,
        fixed=True,
        shown=True,
    ),
    Aspect("handler of signal", _handlers, _set_signals),
    Aspect("pending alarm", _alarm, _set_alarm, fixed=True),
    Aspect(
        "locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda v: locale.setlocale(locale.LC_ALL, v),
        fixed=True,
        shown=True,
    ),
    Aspect(
        "decimal arithmetic",
        lambda: (decimal.getcontext().prec, decimal.getcontext().rounding),
        _set_arithmetic,
        fixed=True,
        shown=True,
    ),
    Aspect("garbage collection", lambda: (gc.isenabled(), gc.get_threshold()), _set_collector, shown=True),
)
"""What every process has."""
