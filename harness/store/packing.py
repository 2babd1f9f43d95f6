"""Unit rows in few bytes: of all trials in one file, of each only the columns that something reads."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.store.kept import KeptCell
from harness.store.units import part_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from harness.store.reader import RunReader

TRIAL_COLUMN = "__trial__"
STRUCTURE = frozenset({"unit_id", "arm", "block", "step"})
"""Columns that say what a row is of; they are kept with any other."""

EvaluationSet = tuple[str, str]
"""A trial and one of its parts."""

Columns = Mapping[EvaluationSet, frozenset[str]]


@dataclass(frozen=True)
class Reading:
    """What verdicts and reports read of a run.

    Attributes:
        cells: What every cell gave, by key.
        needed: Columns that are read row by row: without them something cannot be derived.
        useful: Columns that only the values by replicate come from.
    """

    cells: Mapping[str, KeptCell] = field(default_factory=dict)
    needed: Columns = field(default_factory=dict)
    useful: Columns = field(default_factory=dict)


@dataclass(frozen=True)
class Packed:
    """Encoded rows.

    Attributes:
        data: A parquet file; empty if there are no rows.
        without: The evaluation sets of which useful rows did not fit.
    """

    data: bytes
    without: tuple[EvaluationSet, ...]


def pack_rows(reader: RunReader, reading: Reading, room: int) -> Packed:
    """The rows that are needed, and as many of the useful ones as there is room for.

    Earlier seeds come before later ones, and all methods of an experiment keep the same seeds.

    Args:
        reader: The run.
        reading: What is read of it.
        room: Bytes; the needed rows are kept even if they take more.
    """
    chosen = {place: set(columns) for place, columns in reading.needed.items()}
    left = room - len(_encoded(reader, reading.needed, level=19))
    without: list[EvaluationSet] = []
    for group in _groups(reader, reading):
        # Encoded alone, a group is larger than as a part of the whole.
        size = len(_encoded(reader, group, level=3))
        if size > left:
            without += group
            continue
        left -= size
        for place, columns in group.items():
            chosen.setdefault(place, set()).update(columns)
    kept = {place: frozenset(columns) for place, columns in chosen.items()}
    return Packed(_encoded(reader, kept, level=19), tuple(sorted(without)))


def _groups(reader: RunReader, reading: Reading) -> Iterator[Columns]:
    """Useful columns that are not kept already, those of one seed of an experiment together."""
    groups: dict[tuple[int, str], dict[EvaluationSet, frozenset[str]]] = {}
    for place, columns in sorted(reading.useful.items()):
        record = reader.trials[place[0]]
        if more := columns - reading.needed.get(place, frozenset()):
            groups.setdefault((record.seed, record.experiment), {})[place] = more
    return (groups[key] for key in sorted(groups))


def _encoded(reader: RunReader, columns: Columns, level: int) -> bytes:
    if not columns:
        return b""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [(part, _arrow(reader, trial, part, names)) for (trial, part), names in sorted(columns.items())]
    whole = pa.concat_tables(_stackable(tables), promote_options="permissive").unify_dictionaries()
    split = [name for name in whole.column_names if _is_diverse(whole[name])]
    sink = io.BytesIO()
    pq.write_table(
        whole,
        sink,
        compression="zstd",
        compression_level=level,
        use_dictionary=[name for name in whole.column_names if name not in split],
        use_byte_stream_split=split,
    )
    return sink.getvalue()


def _is_diverse(column: pa.ChunkedArray) -> bool:
    """Whether a column is of numbers that hardly repeat, whose bytes pack better side by side."""
    import pyarrow as pa

    if not pa.types.is_floating(column.type):
        return False
    return bool(2 * len(column.unique()) > len(column) - column.null_count)


def _arrow(reader: RunReader, trial: str, part: str, names: frozenset[str]) -> pa.Table:
    import pyarrow as pa

    table = reader.table(trial, part)
    rows = part_columns(part, {name: table[name] for name in table if name in names | STRUCTURE})
    named = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), pa.array([trial]))
    return rows.append_column(TRIAL_COLUMN, named)


def _stackable(tables: list[tuple[str, pa.Table]]) -> list[pa.Table]:
    """The tables with the columns of a part renamed (``part#1/…``) where its types are others than before."""
    import pyarrow as pa

    merged: dict[str, list[pa.Schema]] = {}
    found = []
    for part, rows in tables:
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
