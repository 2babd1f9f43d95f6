"""Committed results: a whole run in a folder small enough for a repository.

Unit rows of all trials lie in one parquet file, which compresses far better than one a trial, and
the trials' lines are compressed too. What does not fit is left out and listed: first what no claim
reads, then the highest seeds.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import OmittedRowsError, RecordError, UsageError
from harness.store.reader import TRIALS_FILE, RunReader, is_committed, read_file
from harness.store.records import Record, RunRecord, TrialRecord, VerdictsRecord
from harness.store.replace import OMITTED_FILE, UNITS_FILE, refuse_foreign, replace_folder
from harness.store.units import part_columns

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Wanted = Callable[[TrialRecord, str], bool]
TRIAL_COLUMN = "__trial__"
LIMIT_MB = 1.0


def write_reference(
    reader: RunReader,
    folder: Path,
    limit_mb: float = LIMIT_MB,
    wanted: Wanted = lambda _record, _part: True,
    verdicts: VerdictsRecord | None = None,
) -> list[str]:
    """Write a judged run as committed results, in the place of earlier ones.

    Args:
        reader: The run.
        folder: ``suites/<paper>/reference/<profile>``; the results in it are replaced as a whole.
        limit_mb: Largest size of the folder in MB (10⁶ bytes).
        wanted: Whether a part of a trial is to be kept before others: claims read it.
        verdicts: The run's verdicts, if they are others than those stored with it.

    Returns:
        The evaluation sets that were left out, as ``trial:part``.

    Raises:
        UsageError: If the folder holds anything else than results of this suite, or the run is committed.
        RecordError: If the run has not been judged, is too large even without unit rows, or the folder
            cannot be written. What was in it is then still there.
    """
    if reader.is_committed:
        raise UsageError(
            "These are committed results already", where=str(reader.folder), fix="Name a run of your own."
        )
    verdicts = verdicts or reader.verdicts
    if verdicts is None:
        raise RecordError("The run has no verdicts yet", where=str(reader.folder), fix="Judge it first.")
    refuse_foreign(folder, reader.record.suite)
    lines = "".join(record.as_json() + "\n" for record in reader.trials.values())
    files = {
        "run.json": _pretty(_anywhere(reader.record)),
        TRIALS_FILE: gzip.compress(lines.encode(), mtime=0),
        "verdicts.json": _pretty(verdicts),
    }
    left = int(limit_mb * 1e6) - sum(map(len, files.values()))
    units, omitted = _fitting(_groups(reader, wanted), left)
    if units:
        files[UNITS_FILE] = units
    if omitted:
        files[OMITTED_FILE] = _listing(omitted)
    replace_folder(folder, files)
    return omitted


def _anywhere(record: RunRecord) -> RunRecord:
    """The record without the folders of this machine in its command line."""
    return record.without_folders()


def _pretty(record: Record) -> bytes:
    return record.as_json(indent=1).encode() + b"\n"


Part = tuple[str, str, "pa.Table"]
Group = list[Part]


def _groups(reader: RunReader, wanted: Wanted) -> list[Group]:
    """What is kept or left out together: trial, part and rows, the most useful group first.

    What claims read comes before what they do not, and earlier seeds come before later ones. All
    methods of an experiment keep the same seeds, so that they stay paired.
    """
    groups: dict[tuple[bool, int, str], Group] = {}
    for name, record in sorted(reader.trials.items()):
        for part in record.parts if record.units_file else []:
            key = (not wanted(record, part), record.seed, record.experiment)
            groups.setdefault(key, []).append((name, part, _arrow(name, part, reader.table(name, part))))
    return [groups[key] for key in sorted(groups)]


def _arrow(trial: str, part: str, table: Mapping[str, np.ndarray]) -> pa.Table:
    import pyarrow as pa

    rows = part_columns(part, table)
    named = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), pa.array([trial]))
    return rows.append_column(TRIAL_COLUMN, named)


def _fitting(groups: list[Group], left: int) -> tuple[bytes, list[str]]:
    """The encoded rows of the groups that fit, taken in order, and the names of the others."""
    if left < 0:
        raise RecordError("The run is too large to commit even without unit rows", fix="Raise the limit.")
    kept: list[Group] = []
    omitted: list[str] = []
    for group in groups:
        names = [f"{trial}:{part}" for trial, part, _ in group]
        # Encoded alone, a group is larger than as a part of the whole.
        size = len(_encoded([group], level=3))
        if size <= left:
            kept.append(group)
            left -= size
        else:
            omitted += names
            left -= len(_listing(names))
    return _encoded(kept, level=19), sorted(omitted)


def _listing(omitted: list[str]) -> bytes:
    return json.dumps(omitted, indent=0).encode()


def _encoded(groups: list[Group], level: int) -> bytes:
    if not groups:
        return b""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    whole = pa.concat_tables(_stackable(groups), promote_options="permissive")
    pq.write_table(whole.unify_dictionaries(), sink, compression="zstd", compression_level=level)
    return sink.getvalue()


def _stackable(groups: list[Group]) -> list[pa.Table]:
    """The tables with the columns of a part renamed (``part#1/…``) where its types are others than before."""
    import pyarrow as pa

    merged: dict[str, list[pa.Schema]] = {}
    found = []
    for part, rows in ((part, rows) for group in groups for _, part, rows in group):
        schemas = merged.setdefault(part, [])
        for place, schema in enumerate(schemas):
            try:
                schemas[place] = pa.unify_schemas([schema, rows.schema], promote_options="permissive")
                break
            except pa.ArrowTypeError:
                continue
        else:
            place = len(schemas)
            schemas.append(rows.schema)
        prefix, renamed = f"{part}/", f"{part}#{place}/" if place else f"{part}/"
        names = [
            renamed + name.removeprefix(prefix) if name.startswith(prefix) else name
            for name in rows.column_names
        ]
        found.append(rows.rename_columns(names))
    return found


class ReferenceReader(RunReader):
    """Committed results, as :class:`harness.store.view.RunView`."""

    @cached_property
    def omitted(self) -> frozenset[str]:
        """Trials of which an evaluation set was left out for its size."""
        return frozenset(name.rpartition(":")[0] for name in self.omitted_sets)

    @cached_property
    def omitted_sets(self) -> frozenset[str]:
        """The evaluation sets that were left out for their size, as ``trial:part``.

        Raises:
            RecordError: If the list of them is damaged.
        """
        path = self.folder / OMITTED_FILE
        try:
            return frozenset(map(str, json.loads(read_file(path)))) if path.is_file() else frozenset()
        except (TypeError, ValueError) as error:
            raise RecordError(f"The list of omitted rows is damaged: {error}", where=str(path)) from error

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one part of a trial.

        Raises:
            OmittedRowsError: If they were left out for their size.
            RecordError: If they are missing without being listed, or damaged.
        """
        import pyarrow.compute as pc

        if f"{trial}:{part}" in self.omitted_sets:
            raise OmittedRowsError(
                "Rows left out for their size",
                where=f"{self.folder}: {trial}, part '{part}'",
                fix=f"They are not among the committed results; {OMITTED_FILE} lists all that were left out.",
            )
        rows = self._units.filter(pc.equal(self._names, trial))
        prefixes = [
            name.removesuffix("unit_id")
            for name in rows.column_names
            if re.fullmatch(rf"{re.escape(part)}(#\d+)?/unit_id", name)
            and rows[name].null_count < rows.num_rows
        ]
        if not prefixes:
            raise RecordError(
                f"The unit rows of '{trial}', part '{part}', are not among the committed results",
                where=str(self.folder),
            )
        prefix = prefixes[0]
        own = [name for name in rows.column_names if name.startswith(prefix)]
        rows = rows.select(own).filter(pc.is_valid(rows[f"{prefix}unit_id"]))
        return {name.removeprefix(prefix): rows[name].to_numpy() for name in own}

    @cached_property
    def _units(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / UNITS_FILE
        try:
            return pq.read_table(path)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"The committed rows cannot be read: {error}", where=str(path)) from error

    @cached_property
    def _names(self) -> Any:
        """The trial of each row, as text."""
        import pyarrow as pa

        return self._units[TRIAL_COLUMN].cast(pa.string())

    def is_whole(self, trial: str) -> bool:
        """Whether the trial finished."""
        record = self.trials.get(trial)
        return record is not None and record.status == "ok"


def open_run(folder: Path) -> RunReader:
    """The run, or the committed results, in ``folder``.

    Raises:
        RecordError: If there is none, or it was written by another schema version.
    """
    reader = ReferenceReader(folder) if is_committed(folder) else RunReader(folder)
    _ = reader.record
    return reader
