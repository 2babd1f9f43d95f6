"""A run as tables, for SQL, pandas and polars."""

from harness.query.tables import RunTables, open_tables

__all__ = ["RunTables", "open_tables"]
