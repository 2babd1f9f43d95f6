"""Committed results: a whole run in a folder small enough for a repository.

Unit rows of all trials lie in one parquet file, which compresses far better than one a trial.
What does not fit is left out, the largest evaluation sets first, and listed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RecordError
from harness.store.reader import RunReader
from harness.store.units import part_columns, write_durably

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

UNITS_FILE = "units.parquet"
OMITTED_FILE = "omitted.json"
TRIAL_COLUMN = "__trial__"
LIMIT_MB = 1.0


def write_reference(reader: RunReader, folder: Path, limit_mb: float = LIMIT_MB) -> list[str]:
    """Write a judged run as committed results.

    Args:
        reader: The run.
        folder: ``suites/<paper>/reference/<profile>``; emptied first.
        limit_mb: Largest size of the folder in MB (10⁶ bytes).

    Returns:
        The evaluation sets that were left out, as ``trial:part``.

    Raises:
        RecordError: If the run has not been judged, or is too large even without unit rows.
    """
    if reader.verdicts is None:
        raise RecordError("The run has no verdicts yet", where=str(reader.folder), fix="Judge it first.")
    files = {
        "run.json": reader.record.model_dump_json(indent=1) + "\n",
        "trials.jsonl": "".join(record.model_dump_json() + "\n" for record in reader.trials.values()),
        "verdicts.json": reader.verdicts.model_dump_json(indent=1) + "\n",
    }
    left = int(limit_mb * 1e6) - sum(len(text.encode()) for text in files.values())
    units, omitted = _fitting(_parts(reader), left)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, text in files.items():
        write_durably(folder / name, text.encode())
    if units:
        write_durably(folder / UNITS_FILE, units)
    if omitted:
        write_durably(folder / OMITTED_FILE, json.dumps(omitted, indent=1).encode())
    return omitted


Part = tuple[str, str, "pa.Table"]


def _parts(reader: RunReader) -> list[Part]:
    """Trial, part and rows of everything that the run measured."""
    found: list[Part] = []
    for name, record in reader.trials.items():
        if record.units_file:
            found += [(name, part, _arrow(name, part, reader.table(name, part))) for part in record.parts]
    return found


def _arrow(trial: str, part: str, table: Mapping[str, np.ndarray]) -> pa.Table:
    import pyarrow as pa

    rows = part_columns(part, table)
    named = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), pa.array([trial]))
    return rows.append_column(TRIAL_COLUMN, named)


def _fitting(parts: list[Part], left: int) -> tuple[bytes, list[str]]:
    """The encoded rows without the largest parts that do not fit, and the names of those."""
    if left < 0:
        raise RecordError("The run is too large to commit even without unit rows", fix="Raise the limit.")
    kept = sorted(parts, key=lambda item: item[2].nbytes)
    omitted: list[str] = []
    while kept:
        data = _encoded(table for _, _, table in kept)
        if len(data) + 200 * len(omitted) <= left:
            return data, sorted(omitted)
        # Sizes shrink in compression by a similar factor, so this lands close to the limit.
        surplus = 1.0 - left / len(data)
        total, dropped = sum(table.nbytes for _, _, table in kept), 0
        while kept and dropped < max(surplus * total, 1):
            trial, part, table = kept.pop()
            dropped += table.nbytes
            omitted.append(f"{trial}:{part}")
    return b"", sorted(omitted)


def _encoded(tables: Iterable[pa.Table]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    whole = pa.concat_tables(list(tables), promote_options="permissive").unify_dictionaries()
    pq.write_table(whole, sink, compression="zstd", compression_level=19)
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
