"""The unit rows of a run's trials, from files of their own or from packs, checked against their records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import RecordError
from harness.store.content import rows_hash, unit_ids_hash
from harness.store.packs import FOLDER, Packs
from harness.store.records import TrialRecord
from harness.store.units import RERUN, decode_rows, encode_rows, sha256

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


class TrialRows:
    """Reads rows in whatever form they are.

    Args:
        folder: The run's folder.

    Attributes:
        packs: The packs of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.packs = Packs(folder)
        self._found_whole: set[str] = set()

    def rows(self, record: TrialRecord, part: str) -> pa.Table:
        """The rows of one part as an Arrow table.

        Raises:
            RecordError: If there are none, or they are not as recorded.
        """
        return self._either(
            record,
            lambda: self._packed(record, part),
            lambda data: decode_rows(data, part, f"{self._folder.name}: {record.trial}"),
        )

    def units(self, record: TrialRecord) -> bytes:
        """All rows as the bytes of one parquet file.

        Raises:
            RecordError: As :meth:`rows`.
        """
        return self._either(
            record,
            lambda: encode_rows({part: self._packed(record, part) for part in record.parts}),
            lambda data: data,
        )

    def check(self, record: TrialRecord) -> None:
        """Read all rows and compare them with all hashes of them.

        Raises:
            RecordError: As :meth:`rows`.
        """
        if not record.rows_sha256:
            self.units(record)
        for part in record.rows_sha256:
            rows = self.rows(record, part)
            told = record.rows_sha256[part], record.unit_ids_sha256.get(part, "")
            if told != (rows_hash(rows), told[1] and unit_ids_hash(rows)):
                raise _changed(record, self._folder)

    def _either(self, record: TrialRecord, packed: Callable[[], T], loose: Callable[[bytes], T]) -> T:
        """From packs, if they have the rows; else, or if those are damaged, from the trial's own file."""
        if self.is_packed(record):
            try:
                return packed()
            except RecordError:
                if not self._path(record).is_file():
                    raise
        path = self._path(record)
        try:
            return loose(self._checked(record, path))
        except FileNotFoundError as error:
            self.packs.refresh()  # Another process may have packed them, or merged packs, since.
            if self.is_packed(record):
                return packed()
            what = f"The unit rows of trial '{record.trial}' are missing{self._why_missing()}"
            raise RecordError(what, where=str(path), fix=RERUN) from error

    def _path(self, record: TrialRecord) -> Path:
        return self._folder / "units" / record.units_file

    def is_packed(self, record: TrialRecord) -> bool:
        """Whether packs have the rows of a trial."""
        return bool(record.rows_sha256) and all(map(self.packs.has, record.rows_sha256.values()))

    def _checked(self, record: TrialRecord, path: Path) -> bytes:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            what = f"The unit rows of trial '{record.trial}' cannot be read: {error.strerror or error}"
            raise RecordError(what, where=str(path), fix=RERUN) from error
        if sha256(data) != record.units_sha256:
            raise _changed(record, path)
        return data

    def _packed(self, record: TrialRecord, part: str) -> pa.Table:
        digest = record.rows_sha256.get(part, "")
        if not digest:
            what = f"There are no unit rows of part '{part}'"
            raise RecordError(what, where=f"{self._folder.name}: {record.trial}", fix=RERUN)
        try:
            rows = self.packs.rows(digest)
        except RecordError:
            self.packs.refresh()  # It may have been merged into another.
            rows = self.packs.rows(digest)
        if rows is None or (digest not in self._found_whole and rows_hash(rows) != digest):
            raise _changed(record, self._folder / FOLDER)
        self._found_whole.add(digest)
        return rows

    def _why_missing(self) -> str:
        first = next(iter(self.packs.damaged.items()), None)
        return f"; {first[0].name}: {first[1]}" if first else ""


def _changed(record: TrialRecord, path: Path) -> RecordError:
    what = f"The unit rows of trial '{record.trial}' are not those that were recorded"
    return RecordError(what, where=str(path), fix=RERUN)
