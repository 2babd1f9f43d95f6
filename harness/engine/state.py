"""State of the process that a job leaves changed: found after it, named, and put back.

What is compared: the :mod:`aspects <harness.engine.aspects>` of the process and of the
:mod:`numerical libraries <harness.engine.aspects_numeric>`, functions put in the place of a library's own
(:mod:`harness.engine.patches`), threads, and child processes. Random generators are seeded before each trial.
What is not compared: attributes of other modules and of objects, open files, and what native code keeps
to itself. What importing a module changes belongs to the process, but for what decides how is computed;
so does what a library sets up for itself when it is first used.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from harness.engine.aspects import PROCESS, Aspect
from harness.engine.aspects_numeric import NUMERIC
from harness.engine.descendants import children, end, running
from harness.engine.imports import Imports
from harness.engine.patches import Patches

ASPECTS = (*PROCESS, *NUMERIC)
GRACE_SECONDS = 0.2
"""How long threads and processes that are about to end are waited for."""
_SHARED_POOLS = ("joblib.externals.loky.reusable_executor", "loky.reusable_executor")
_SHOWN = 60
_NAMED = 5
_GONE = "unreadable"

Values = dict[str, Any]


@dataclass
class State:
    """The state of this process, as jobs find it and as they must leave it.

    Made before foreign code runs; what decides how is computed starts as in a new process.
    """

    clean: Values = field(default_factory=lambda: _read(fixed=True))
    before: Values = field(default_factory=dict)
    patches: Patches = field(default_factory=Patches)
    left: list[str] = field(default_factory=list)
    _threads: set[threading.Thread] = field(default_factory=set)
    _children: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.original = _read()
        starts = {a.name: a.start for a in ASPECTS if a.start is not None and a.name in self.clean}
        self.clean |= starts
        self._imports = Imports(self._import_begins, self._import_ended)

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Compare before and after; yields a list that then names what was left changed, and put back."""
        left = self.left = self._begin()
        try:
            with self._imports.open():
                yield left
        finally:
            self.settle()

    def settle(self) -> None:
        """Put back what has changed by now, and name it, so that what follows starts afresh."""
        self.left += [text for text in self._changed() if text not in self.left]

    def restore_original(self) -> None:
        """Leave the process as it was when this was made."""
        _put_back(self.original, _read())

    def _begin(self) -> list[str]:
        now = _read()
        for name, value in now.items():
            # Of a library that was imported later.
            if _ASPECT[name].fixed and not _ASPECT[name].of_job:
                start = _ASPECT[name].start
                self.clean.setdefault(name, value if start is None else start)
        found = _differences(self.clean, now)
        if found:
            _put_back(self.clean, now)
            now |= self.clean
        self.before = now
        self.patches.look()
        self._threads = _threads()
        self._children = children()
        return [f"{text}, before it began" for text in found]

    def _changed(self) -> list[str]:
        _close_shared_pools()
        now = _read()
        left = _differences(self.before, now)
        if left:
            _put_back(self.before, now)
        replaced = self.patches.changed()
        if replaced:
            self.patches.undo()
            left += [f"function {name}" for name in sorted(replaced)[:_NAMED]]
        return [*left, *self._threads_left(), *self._children_left()]

    def _threads_left(self) -> list[str]:
        found = [thread for thread in _threads() if thread not in self._threads]
        deadline = time.monotonic() + GRACE_SECONDS
        for thread in found:
            with suppress(RuntimeError):
                thread.join(max(deadline - time.monotonic(), 0.0))
        alive = [thread for thread in found if thread.is_alive()]
        return [f"a running thread ({str(thread.name)[:_SHOWN]})" for thread in alive][:_NAMED]

    def _children_left(self) -> list[str]:
        deadline = time.monotonic() + GRACE_SECONDS
        while found := running(children() - self._children):
            if time.monotonic() > deadline:
                end(found)
                return [f"a running process ({process.pid})" for process in found][:_NAMED]
            time.sleep(GRACE_SECONDS / 10)
        return []

    def _import_begins(self) -> tuple[Values, set[str], set[threading.Thread]]:
        return _read(fixed=False), set(self.patches.changed()), _threads()

    def _import_ended(self, begun: tuple[Values, set[str], set[threading.Thread]]) -> None:
        """What the import has changed is no change of the job's."""
        values, patched, threads = begun
        for name, after in _read(fixed=False).items():
            entry = values.get(name, after)
            self.before[name] = _credited(self.before.get(name, entry), entry, after)
        new = {name: value for name, value in _read(fixed=True).items() if name not in self.before}
        self.before |= new
        self.clean |= new
        self.patches.accept(name for name in self.patches.changed() if name not in patched)
        self._threads |= _threads() - threads


def _close_shared_pools() -> None:
    """End the processes that joblib keeps for its next call: it starts others then, if it is told of it."""
    for name in _SHARED_POOLS:
        pool = getattr(sys.modules.get(name), "_executor", None)
        if pool is not None:
            with suppress(Exception):
                pool.shutdown(wait=True, kill_workers=True)


def _threads() -> set[threading.Thread]:
    """The threads that code has started, without those that keep time for progress bars."""
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and type(thread).__module__ != "tqdm._monitor"  # noqa: SLF001
    }


_ASPECT = {aspect.name: aspect for aspect in ASPECTS}


def _read(*, fixed: bool | None = None) -> Values:
    """The values of all aspects whose library is imported, or of those that are fixed, or not."""
    found: Values = {}
    for aspect in ASPECTS:
        if aspect.library not in sys.modules or fixed not in (None, aspect.fixed):
            continue
        if fixed and aspect.of_job:
            continue
        try:
            found[aspect.name] = aspect.read()
        except Exception:  # noqa: BLE001 - libraries refuse to read some mixtures
            found[aspect.name] = _GONE
    return found


def _put_back(values: Values, now: Values) -> None:
    for name, value in values.items():
        if value is not _GONE and name in now and not _same(value, now[name]):
            with suppress(Exception):
                _ASPECT[name].write(value)


def _differences(before: Values, after: Values) -> list[str]:
    """Each aspect that differs, in words."""
    found: list[str] = []
    for name, value in before.items():
        now = after.get(name, value)
        if _same(value, now):
            continue
        aspect = _ASPECT[name]
        if isinstance(value, Mapping) and isinstance(now, Mapping):
            parts = [key for key in value if not _same(value[key], now.get(key, _GONE))]
            parts += [key for key in now if key not in value] if aspect.new else []
            found += [f"{name} {key}{_shown(aspect, value, now, key)}" for key in parts[:_NAMED]]
        else:
            found.append(f"{name} ({value} → {now})"[: 2 * _SHOWN] if aspect.shown else name)
    return found


def _shown(aspect: Aspect, before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> str:
    return f" ({before.get(key, 'unset')} → {after.get(key, 'unset')})" if aspect.shown else ""


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    try:
        return bool(type(one) is type(other) and one == other)
    except Exception:  # noqa: BLE001 - objects of foreign classes
        return False


def _credited(before: Any, entry: Any, after: Any) -> Any:
    """``before`` with what changed between ``entry`` and ``after``."""
    if isinstance(before, dict) and isinstance(entry, dict) and isinstance(after, dict):
        changed = {key: value for key, value in after.items() if not _same(entry.get(key, _GONE), value)}
        return {key: v for key, v in {**before, **changed}.items() if key in after or key not in entry}
    if _same(entry, after):
        return before
    if isinstance(before, tuple) and _same(before, entry):
        return after
    if isinstance(before, tuple):
        added = tuple(item for item in after if not any(item is other for other in entry))
        return (*added, *before)
    return after
