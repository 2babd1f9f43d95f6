"""Values by replicate: what committed results keep of cells beside, or in the place of, their unit rows.

A cell (a metric of one method) has a value in each seed, or in each block of timed trials. Where seeds are
the replicates, verdicts and tables need no rows: only from how many units each value comes, whether two
cells have the same ones, and how much of the evaluation set was answered.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import RecordError
from harness.store.units import parquet_table

if TYPE_CHECKING:
    import pyarrow as pa

    from harness.store.answers import Coverage


@dataclass(frozen=True)
class KeptValue:
    """A cell in one replicate.

    Attributes:
        key: The replicate: a seed, or ``seed/block``.
        value: The metric; ``None`` if it was never asked for, or could not be computed.
        fault: Why it could not be computed, or empty.
        size: Units that it comes from.
        unit_set: A digest of their ids.
        covered: What its trial answered of the evaluation set.
    """

    key: str
    value: float | None
    fault: str
    size: int
    unit_set: str
    covered: Coverage

    @property
    def seed(self) -> int:
        """The seed of its trial."""
        return int(self.key.partition("/")[0])


@dataclass(frozen=True)
class KeptCell:
    """A cell over its replicates, or why the run could not give it.

    Attributes:
        values: One a replicate.
        fault: Why there are none, or empty.
        kind: The kind of the fault, as of :class:`~harness.claims.findings.NotMeasuredError`.
        trials: The trials at fault.
    """

    values: tuple[KeptValue, ...] = ()
    fault: str = ""
    kind: str = ""
    trials: tuple[str, ...] = ()


_COVERED = ("answered", "units", "repeated", "foreign")


def encode_kept(cells: Mapping[str, KeptCell]) -> bytes:
    """The cells, by key, as the bytes of a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    rows = list(_lines(cells))
    arrays = [pa.array([row.get(item.name) for row in rows], item.type) for item in schema]
    sink = io.BytesIO()
    # Of the columns without a dictionary, values alone are many: their bytes pack better side by side.
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        sink,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in schema.names if name != "value"],
        use_byte_stream_split=["value"],
    )
    return sink.getvalue()


def _schema() -> pa.Schema:
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            *((name, text) for name in ("cell", "key", "fault", "kind")),
            ("trials", pa.list_(pa.string())),
            ("value", pa.float64()),
            ("size", pa.int32()),
            ("unit_set", text),
            *((name, pa.int32()) for name in _COVERED),
        ]
    )


def _lines(cells: Mapping[str, KeptCell]) -> Iterator[dict[str, Any]]:
    for name, cell in sorted(cells.items()):
        if cell.fault:
            yield {"cell": name, "fault": cell.fault, "kind": cell.kind, "trials": list(cell.trials)}
        for item in cell.values:
            fields = {"key": item.key, "value": item.value, "fault": item.fault, "size": item.size}
            yield {"cell": name, **fields, "unit_set": item.unit_set, **asdict(item.covered)}


def decode_kept(data: bytes, where: str) -> dict[str, KeptCell]:
    """The cells by key.

    Raises:
        RecordError: If the bytes are no such file.
    """
    import pyarrow as pa

    try:
        table = parquet_table(data)
        # Whatever the file says its columns are, they become what is computed with.
        rows = table.select(_schema().names).cast(_plain(_schema())).to_pylist()
        found: dict[str, KeptCell] = {}
        for row in rows:
            found[row["cell"]] = _with_line(found.get(row["cell"], KeptCell()), row)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"The kept values are damaged: {error}", where=where) from error
    return found


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema without dictionaries."""
    import pyarrow as pa

    types = [one.type.value_type if pa.types.is_dictionary(one.type) else one.type for one in schema]
    return pa.schema(list(zip(schema.names, types, strict=True)))


def _with_line(cell: KeptCell, row: Mapping[str, Any]) -> KeptCell:
    from harness.store.answers import Coverage

    if row["key"] is None:
        if not isinstance(row["cell"], str) or not row["fault"] or row["kind"] is None:
            raise ValueError("a cell with neither a value nor a fault")
        return KeptCell((), row["fault"], row["kind"], tuple(row["trials"]))
    if lacking := [name for name in ("cell", "size", "unit_set", *_COVERED) if row[name] is None]:
        raise ValueError(f"a value without {', '.join(lacking)}")
    int(row["key"].partition("/")[0])  # A seed.
    covered = Coverage(*(row[name] for name in _COVERED))
    item = KeptValue(row["key"], row["value"], row["fault"] or "", row["size"], row["unit_set"], covered)
    return KeptCell((*cell.values, item))
