"""Answers kept on disk, so that no question is paid for twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.method import ResourceError
from methods.common.language_model.calls import Question
from methods.common.language_model.interface import LanguageModel
from methods.common.language_model.known import LookupModel

_CHUNK = 500
"""Keys a query: fewer than SQLite's limit of variables."""


@dataclass
class CachedModel(LookupModel):
    """A model whose answers are kept in an SQLite file that several processes may share.

    Attributes:
        inner: The model.
        path: The file; made if missing.

    Raises:
        ResourceError: If the file cannot be used.
    """

    inner: LanguageModel
    path: Path

    def __post_init__(self) -> None:
        """Make the table."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database, database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)"
            )

    def find(self, questions: Sequence[Question]) -> dict[str, str]:
        """See :class:`LookupModel`."""
        keys = list({question.key for question in questions})
        known: dict[str, str] = {}
        with self._open() as database:
            for start in range(0, len(keys), _CHUNK):
                part = keys[start : start + _CHUNK]
                # Only question marks are formatted in; the keys are bound.
                query = f"SELECT key, answer FROM answers WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
                known.update(database.execute(query, part).fetchall())
        return known

    @property
    def together(self) -> int:
        """As the inner model."""
        return self.inner.together

    @property
    def tells_probabilities(self) -> bool:
        """As the inner model."""
        return self.inner.tells_probabilities

    def described(self) -> dict[str, Any]:
        """As the inner model."""
        return self.inner.described()

    def ask(self) -> LanguageModel:
        """The inner model."""
        return self.inner

    def keep(self, answers: Sequence[tuple[Question, str]]) -> None:
        """Write the new answers in one transaction."""
        rows = [(question.key, answer) for question, answer in answers]
        with self._open() as database, database:
            database.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)

    def _open(self) -> closing[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self.path, timeout=60)
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            raise ResourceError(
                f"The cache of answers cannot be used: {error}",
                where=str(self.path),
                fix="Delete the file, or make its folder writable.",
            ) from error
        return closing(database)


def cached(inner: LanguageModel, path: Path) -> CachedModel:
    """Wrap ``inner``; name, identity and kind stay."""
    return CachedModel(inner.name, inner.identity, inner, path, surrogate=inner.surrogate, usage=inner.usage)
