"""Where long work keeps its state, and when, so that a trial that was killed goes on.

A trial (and an artifact) has a folder of its own for checkpoints, named by its fingerprint and its
environment: what another code, other parameters or another machine left is never taken up. It
outlives the process and is removed once the trial's record is written. Work that is over before
:attr:`Checkpoints.every` seconds have passed writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

EVERY_SECONDS = 300.0
"""Time between two checkpoints, and before the first."""
SHARE = 0.05
"""Share of the time that writing checkpoints may take: large ones are written less often."""
WORTH = 10.0
"""A finished piece of work is kept if doing it again takes so many times as long as writing it."""
BYTES_A_SECOND = 2e8
"""How fast a disk is believed to be before anything was written."""


class Companion(Protocol):
    """What belongs to a trial's state besides what a checkpoint holds: its probes."""

    def save(self) -> Any:
        """Put it on disk; returns, as JSON data, what :meth:`restore` needs."""

    def restore(self, value: Any) -> None:
        """Be again as at :meth:`save`."""


@dataclass
class Checkpoints:
    """The checkpoints of one trial.

    Attributes:
        folder: Where they are; without it nothing is kept.
        every: Seconds between two of them, and before the first.
        companion: Saved and restored with each of them.
        clock: Seconds.
        on_written: Called after each of them.
        earlier: Seconds that killed processes spent on what was taken up, on the clock and on the CPU.
    """

    folder: Path | None = None
    every: float = EVERY_SECONDS
    companion: Companion | None = None
    clock: Callable[[], float] = time.monotonic
    on_written: Callable[[], None] = lambda: None
    earlier: tuple[float, float] = (0.0, 0.0)
    _used: dict[str, int] = field(default_factory=dict)
    _last: float = 0.0
    _pace: float = 1.0 / BYTES_A_SECOND
    _pause: float = 0.0

    def __post_init__(self) -> None:
        self._begun = self._last = self.clock()
        self._cpu_begun = time.process_time()

    def place(self, name: str) -> Path | None:
        """The folder of the next piece of work called ``name``; None where nothing is kept.

        The second piece of work of one name gets another folder, so the order in which a trial
        does its work must be the same each time.
        """
        number = self._used[name] = self._used.get(name, 0) + 1
        if self.folder is None:
            return None
        readable = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:60]
        return self.folder / f"{readable}-{number}-{_digest(name)}"

    @property
    def due(self) -> bool:
        """Whether it is time to write a checkpoint."""
        return self.folder is not None and self.clock() - self._last >= max(self.every, self._pause)

    def is_worth(self, seconds: float, size: int) -> bool:
        """Whether the end of a piece of work is to be kept.

        Args:
            seconds: How long the work took.
            size: Bytes to write.
        """
        if self.folder is None or self.clock() - self._begun < self.every:
            return False
        return seconds >= WORTH * size * self._pace

    def written(self, seconds: float, size: int) -> None:
        """Note that a checkpoint of ``size`` bytes was written in ``seconds``."""
        self._last = self.clock()
        self._pause = seconds / SHARE
        if size > 2**20:
            self._pace = seconds / size
        self.on_written()

    def give_up(self, reason: str) -> None:
        """Keep nothing from now on: a full disk does not end the work itself."""
        self.folder = None
        print(f"No checkpoints from here on: {reason}")  # noqa: T201 - the log

    def state(self) -> dict[str, Any]:
        """What belongs to every checkpoint."""
        companion = self.companion.save() if self.companion is not None else None
        here = (self.clock() - self._begun, time.process_time() - self._cpu_begun)
        spent = [before + now for before, now in zip(self.earlier, here, strict=True)]
        return {"used": dict(self._used), "companion": companion, "spent": spent}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what :meth:`state` gave."""
        self._used = dict(state["used"])
        self._last = self.clock()
        # Several pieces of work are taken up one after the other, and the last one knows of all.
        wall, cpu = state["spent"]
        self.earlier = max(self.earlier, (wall, cpu))
        if self.companion is not None:
            self.companion.restore(state["companion"])


def _digest(text: str) -> str:
    import hashlib

    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
