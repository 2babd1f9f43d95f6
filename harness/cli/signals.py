"""Signals that ask a program to end: what is open is closed first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """A scheduler, or the end of the terminal, asks to end: as the user's Ctrl-C, by another signal.

    Args:
        number: The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextmanager
def obeyed() -> Iterator[None]:
    """Let these signals end what runs as an exception, so that workers end and scratch is cleared.

    What the caller has decided about them (``nohup``) stays. A second one changes nothing: the first is
    being obeyed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ASKING}
    ours = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    heard: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        # Noted here and not by ignoring the signal: whoever has wrapped this handler puts it back.
        if not heard:
            heard.append(number)
            raise Terminated(number)

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
