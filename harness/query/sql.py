"""SQL over the tables of a run, by DuckDB, in memory.

The query may come from anywhere: nothing but the tables can be read, and nothing can be written. Files, the
network, extensions and Python's own variables are closed to it, and the configuration is locked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.query.declared import TABLES
from harness.store.packs import TRIAL

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from harness.query.tables import RunTables

_CLOSED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",  # What does not fit into memory would be written beside the user's files.
}


def run_query(tables: RunTables, text: str) -> pa.Table:
    """The answer to one query.

    Args:
        tables: The tables of a run.
        text: One statement that reads: ``select``, ``describe``, ``show tables``.

    Raises:
        UsageError: If DuckDB is not installed, or refuses the query.
        RecordError: If records that it needs are damaged.
    """
    try:
        import duckdb
    except ImportError as error:
        raise UsageError(
            "Queries need DuckDB, which is not installed",
            where="corroborate query",
            fix="pip install 'corroborate[query]'; without it, harness.query.open_tables gives the same "
            "tables to pandas and polars (docs/records.md).",
        ) from error
    with duckdb.connect(":memory:", config=_CLOSED) as connection:  # type: ignore[arg-type]
        try:
            _refuse_others(connection, text)
            _register(connection, tables, text)
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            return connection.sql(text).to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(
                f"The query was refused: {str(error).strip()}",
                where="corroborate query",
                fix=f"Tables: {', '.join(tables.names)}; docs/records.md has their columns.",
            ) from error


def _refuse_others(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Stop unless there is one statement, and it reads."""
    import duckdb

    statements = connection.extract_statements(text)
    reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in reading:
        raise UsageError(
            "A query is one statement that reads",
            where=text.strip()[:80] or "an empty query",
            fix='For example: "select method, avg(wall_s) from trials group by method".',
        )


def _register(connection: duckdb.DuckDBPyConnection, tables: RunTables, text: str) -> None:
    for name in _asked(tables, text):
        if name in TABLES:
            connection.register(name, tables[name])
            continue
        parts = []
        for number, source in enumerate(tables.units.sources(name)):
            hidden = f"_{name}_{number}"
            connection.register(hidden, source)
            parts.append(f"from {_quoted(hidden)}")
        union = " union all by name ".join(parts)
        renamed = f"select * rename ({_quoted(TRIAL)} as trial) from ({union})"  # noqa: S608 - names are quoted
        connection.execute(f"create view {_quoted(name)} as {renamed}")


def _asked(tables: RunTables, text: str) -> list[str]:
    """The tables that a query can mean: those that it names, or all where it asks what there is."""
    known = tables.names
    if re.search(r"\b(show|information_schema|duckdb_\w+)\b", text, re.IGNORECASE):
        return known
    return [name for name in known if name in text.lower()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def plain_value(value: Any) -> Any:
    """A value as JSON can hold it: what is no finite number becomes none."""
    if isinstance(value, float) and value - value != 0:
        return None
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)
