"""Answers of servers kept in a folder, one by one as they come, so that nothing is paid for twice.

Each process writes a file of its own, so that several may use one folder, on several machines too; all
read what is there when they begin. Only answers are kept, never failures.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SUFFIX = ".answers.jsonl"


class Answers:
    """What a folder holds.

    A line that is damaged, or that a killed process did not finish, is told and passed over; its
    question is asked again.

    Args:
        folder: Where the files are; made with the first answer.
        give_up: Called with the reason when an answer cannot be written; work goes on without keeping.
        on_kept: Called after each answer that was written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        give_up: Callable[[str], None] | None = None,
        on_kept: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.damaged = 0
        self._give_up = give_up or self._tell
        self._on_kept = on_kept
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
            self._read(path)
        if self._known:
            print(f"{len(self._known)} answers of servers were kept before.")  # noqa: T201 - the log

    def find(self, key: str) -> Any:
        """What was kept for a question, as plain JSON; None if nothing."""
        with self._lock:
            return self._known.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keep an answer: it is on the disk, as far as the system tells, when this returns."""
        line = f"{json.dumps([key, _sum(value), value])}\n".encode()
        with self._lock:
            self._known[key] = value
            if self._closed:
                return
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with self._path.open("ab") as file:
                    file.write(line)
            except OSError as error:
                self._closed = True
                self._give_up(str(error))
                return
            self._on_kept()

    def _read(self, path: Path) -> None:
        damaged = 0
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            print(f"{path.name} cannot be read: {error}; its questions are asked again.")  # noqa: T201 - the log
            return
        for line in lines:
            if not line:
                continue
            try:
                key, check, value = json.loads(line)
                whole = check == _sum(value)
            except (ValueError, TypeError, RecursionError):
                whole = False
            if whole:
                self._known[key] = value
            damaged += not whole
        if damaged:
            self.damaged += damaged
            print(f"{path.name}: {damaged} damaged answers are passed over and asked for again.")  # noqa: T201

    def _tell(self, reason: str) -> None:
        print(f"Answers of servers cannot be kept in {self.folder}: {reason}")  # noqa: T201 - the log


def request_key(*parts: Any) -> str:
    """The name of a question: a hash of everything that its answer depends on."""
    content = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _sum(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()
