"""Foreign code (methods, tasks, artifacts, loaders) and every way in which it can end."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

STORY_LIMIT = 100_000
"""Characters of a traceback that are kept: its end, where the error is."""
_STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def story_of(error: BaseException, frames: int | None = None) -> str:
    """The traceback of an exception, or its last frames, whatever its own methods do."""
    try:
        limit = None if frames is None else -frames
        return "".join(traceback.format_exception(error, limit=limit))[-STORY_LIMIT:]
    except BaseException:  # noqa: BLE001 - foreign code runs when an exception is shown
        return f"{type(error).__name__}: its text cannot be shown\n"


def text_of(error: BaseException) -> str:
    """What an exception says, or its class if it cannot say it."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - as above
        return type(error).__name__


@contextmanager
def own_process() -> Iterator[None]:
    """End a process that foreign code has forked where it would go on with our work.

    The child of a stray ``fork`` comes back as well. It must neither store a second result nor remove
    what the first process still needs.
    """
    owner = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != owner:
            os._exit(0)


class Stops:
    """Tells a signal that ends the run from an exception that foreign code raises by itself.

    A ``KeyboardInterrupt`` is the user's Ctrl-C only if the signal has come. While this is open, the
    handlers that are there go on as before, and it is remembered what they raised: foreign code may
    have swallowed it.
    """

    def __init__(self) -> None:
        self._stop: BaseException | None = None
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _STOPS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before[number] = handler
                    signal.signal(number, self._hear)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        try:
            self._before[number](number, frame)
        except BaseException as stop:
            self._stop = stop
            raise

    def obey(self) -> None:
        """Raise again what a signal has raised, if one has come."""
        if self._stop is not None:
            raise self._stop
