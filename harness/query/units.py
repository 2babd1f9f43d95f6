"""The unit rows of a run as one table for each evaluation set.

Packs are not loaded: they are scanned by whoever asks, with no more columns and rows than are asked for,
and not checked; ``corroborate verify`` does that. Rows that lie in a file of their own trial, and those of
committed results, are read into memory. Trials whose columns have other types make a table of their own,
which SQL puts together by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.errors import OmittedRowsError
from harness.store.packs import TRIAL
from harness.store.units import arrow_table

if TYPE_CHECKING:
    import pyarrow as pa

    from harness.store.packs import Pack
    from harness.store.reader import RunReader

PREFIX = "units_"


class UnitTables:
    """The tables of unit rows of a run.

    Args:
        reader: The run.

    Attributes:
        omitted: Evaluation sets whose rows committed results leave out, of the tables that were read.
    """

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader
        self.omitted = 0

    @cached_property
    def parts(self) -> dict[str, str]:
        """The evaluation set of each table, by the table's name."""
        found: dict[str, str] = {}
        known = dict.fromkeys(part for record in self._reader.trials.values() for part in record.parts)
        for part in sorted(known):
            plain = PREFIX + re.sub(r"\W", "_", part.lower())
            # Two parts may differ in such characters only.
            taken = sum(name == plain or name.startswith(f"{plain}__") for name in found)
            found[f"{plain}__{taken + 1}" if taken else plain] = part
        return found

    def sources(self, name: str) -> list[Any]:
        """Arrow tables, and data sets over packs, that together have the rows of a table."""
        part = self.parts[name]
        packs = [pack for pack in self._reader.packs.all if pack.part == part and self._is_current(pack)]
        scanned = {entry.trial for pack in packs for entry in pack.entries}
        found = [*_datasets(packs), *self._in_memory(part, scanned)]
        return found or [_empty()]

    def table(self, name: str) -> pa.Table:
        """A table as a whole, in memory.

        Raises:
            RecordError: If rows are missing or damaged.
        """
        import pyarrow as pa

        found = [item if isinstance(item, pa.Table) else item.to_table() for item in self.sources(name)]
        whole = pa.concat_tables(_alike(found), promote_options="permissive")
        names = ["trial" if column == TRIAL else column for column in whole.column_names]
        return whole.rename_columns(names)

    def _is_current(self, pack: Pack) -> bool:
        """Whether a pack holds the rows of its trials as they were run last, and nothing besides."""
        trials = self._reader.trials
        return all(
            entry.trial in trials and trials[entry.trial].rows_sha256.get(pack.part) == entry.sha256
            for entry in pack.entries
        )

    def _in_memory(self, part: str, scanned: set[str]) -> Iterator[pa.Table]:
        """The rows of all other trials, those with the same columns together."""
        import pyarrow as pa

        groups: dict[Any, list[pa.Table]] = {}
        for trial, record in self._reader.trials.items():
            if record.status != "ok" or part not in record.parts or trial in scanned:
                continue
            try:
                rows = arrow_table(self._reader.table(trial, part))
            except OmittedRowsError:
                self.omitted += 1
                continue
            named = rows.add_column(0, TRIAL, pa.array([trial] * rows.num_rows, pa.string()))
            groups.setdefault(str(named.schema), []).append(named)
        yield from (pa.concat_tables(tables) for tables in groups.values())


def _alike(tables: list[pa.Table]) -> list[pa.Table]:
    """The tables with columns as text where they are text in one and something else in another, as in SQL."""
    import pyarrow as pa

    types: dict[str, set[pa.DataType]] = {}
    for item in (item for table in tables for item in table.schema):
        types.setdefault(item.name, set()).add(item.type)
    several = {name: found for name, found in types.items() if name != TRIAL and len(found) > 1}
    mixed = {name for name, found in several.items() if pa.string() in found}
    return [
        table.cast(pa.schema([(x.name, pa.string() if x.name in mixed else x.type) for x in table.schema]))
        for table in tables
    ]


def _datasets(packs: list[Pack]) -> Iterator[Any]:
    """Packs with the same columns as one data set each."""
    import pyarrow.dataset as ds

    groups: dict[str, list[str]] = {}
    for pack in packs:
        groups.setdefault(str(pack.schema), []).append(str(pack.path))
    yield from (ds.dataset(paths, format="parquet") for paths in groups.values())


def _empty() -> pa.Table:
    import pyarrow as pa

    return pa.table({TRIAL: pa.array([], pa.string()), "unit_id": pa.array([], pa.string())})
