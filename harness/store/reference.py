"""Committed results: a whole run in a folder small enough for a repository.

Unit rows of all trials lie in one parquet file, which compresses far better than one a trial, and
the trials' lines are compressed too. What does not fit is left out and listed: first what no claim
reads, then the highest seeds.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RecordError
from harness.store.reader import TRIALS_FILE, RunReader
from harness.store.records import Record, TrialRecord
from harness.store.units import part_columns, write_durably

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

UNITS_FILE = "units.parquet"
OMITTED_FILE = "omitted.json"
Wanted = Callable[[TrialRecord, str], bool]
TRIAL_COLUMN = "__trial__"
LIMIT_MB = 1.0


def write_reference(
    reader: RunReader, folder: Path, limit_mb: float = LIMIT_MB, wanted: Wanted = lambda _record, _part: True
) -> list[str]:
    """Write a judged run as committed results.

    Args:
        reader: The run.
        folder: ``suites/<paper>/reference/<profile>``; emptied first.
        limit_mb: Largest size of the folder in MB (10⁶ bytes).
        wanted: Whether a part of a trial is to be kept before others: claims read it.

    Returns:
        The evaluation sets that were left out, as ``trial:part``.

    Raises:
        RecordError: If the run has not been judged, or is too large even without unit rows.
    """
    if reader.verdicts is None:
        raise RecordError("The run has no verdicts yet", where=str(reader.folder), fix="Judge it first.")
    lines = "".join(record.model_dump_json() + "\n" for record in reader.trials.values())
    files = {
        "run.json": _pretty(reader.record),
        TRIALS_FILE: gzip.compress(lines.encode(), mtime=0),
        "verdicts.json": _pretty(reader.verdicts),
    }
    left = int(limit_mb * 1e6) - sum(map(len, files.values()))
    units, omitted = _fitting(_parts(reader, wanted), left)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        write_durably(folder / name, data)
    if units:
        write_durably(folder / UNITS_FILE, units)
    if omitted:
        write_durably(folder / OMITTED_FILE, _listing(omitted))
    return omitted


def _pretty(record: Record) -> bytes:
    return record.model_dump_json(indent=1).encode() + b"\n"


Part = tuple[str, str, "pa.Table"]


def _parts(reader: RunReader, wanted: Wanted) -> list[Part]:
    """Trial, part and rows of everything that the run measured, the most useful first.

    What claims read comes before what they do not; within each, earlier seeds come first, so that
    all methods keep the same seeds and stay paired.
    """
    found: list[tuple[tuple[bool, int, str], Part]] = []
    for name, record in reader.trials.items():
        for part in record.parts if record.units_file else []:
            rows = _arrow(name, part, reader.table(name, part))
            found.append(((not wanted(record, part), record.seed, name), (name, part, rows)))
    return [part for _, part in sorted(found, key=lambda item: item[0])]


def _arrow(trial: str, part: str, table: Mapping[str, np.ndarray]) -> pa.Table:
    import pyarrow as pa

    rows = part_columns(part, table)
    named = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), pa.array([trial]))
    return rows.append_column(TRIAL_COLUMN, named)


def _fitting(parts: list[Part], left: int) -> tuple[bytes, list[str]]:
    """The encoded rows of as many parts as fit, from the front, and the names of the others."""
    if left < 0:
        raise RecordError("The run is too large to commit even without unit rows", fix="Raise the limit.")
    names = [f"{trial}:{part}" for trial, part, _ in parts]

    def fits(count: int) -> bool:
        listing = len(_listing(names[count:])) if count < len(parts) else 0
        return len(_encoded(parts[:count], level=3)) + listing <= left

    # Bisection over how many parts are kept; the final encoding is smaller than the trial ones.
    low, high = 0, len(parts)
    if not fits(high):
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        high = low
    return (_encoded(parts[:high], level=19) if high else b""), sorted(names[high:])


def _listing(omitted: list[str]) -> bytes:
    return json.dumps(omitted, indent=0).encode()


def _encoded(parts: list[Part], level: int) -> bytes:
    if not parts:
        return b""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    whole = pa.concat_tables([rows for _, _, rows in parts], promote_options="permissive")
    pq.write_table(whole.unify_dictionaries(), sink, compression="zstd", compression_level=level)
    return sink.getvalue()


class ReferenceReader(RunReader):
    """Committed results, as :class:`harness.store.view.RunView`."""

    _whole: Any = None

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one part of a trial.

        Raises:
            RecordError: If they were left out for their size.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        if self._whole is None:
            self._whole = pq.read_table(self.folder / UNITS_FILE)
        rows = self._whole.filter(pc.equal(self._whole[TRIAL_COLUMN].cast(pa.string()), trial))
        prefix = f"{part}/"
        own = [name for name in rows.column_names if name.startswith(prefix)]
        rows = rows.select(own).filter(pc.is_valid(rows[f"{prefix}unit_id"])) if own else rows.slice(0, 0)
        if rows.num_rows == 0:
            raise RecordError(
                f"The unit rows of '{trial}', part '{part}', are not among the committed results",
                where=str(self.folder),
                fix=f"{OMITTED_FILE} lists what was left out for its size.",
            )
        return {name.removeprefix(prefix): rows[name].to_numpy() for name in own}

    def is_whole(self, trial: str) -> bool:
        """Whether the trial finished."""
        record = self.trials.get(trial)
        return record is not None and record.status == "ok"
