"""``corroborate query``: SQL over the tables of a run."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_runs
from harness.cli.runs import OpenedRun, add_reference, chosen, judged, tell
from harness.errors import ExitCode
from harness.text import plural, visible

if TYPE_CHECKING:
    import pyarrow as pa

    from harness.store.records import VerdictsRecord

EPILOG = """\
Tables: run, trials, parameters, evaluation_sets, verdicts, tests, cells, controls, reported, and units_PART
for each evaluation set; docs/records.md says what their columns mean. "show tables" lists them, "describe
trials" the columns of one. The query sees these tables and nothing else: no files, no network.
"""
SHOWN = 200
"""Rows that a table on the screen has at most; csv and json have all."""
_WIDEST = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "sql", metavar="SQL", help='one statement: "select status, count(*) from trials group by 1"'
    )
    parser.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help="what is printed (default: table)"
    )
    add_reference(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Ask and print."""
    from harness.query.sql import run_query
    from harness.query.tables import RunTables

    run = chosen(args.run, args)
    tables = RunTables(run.reader, _verdicts(run, args.sql), run.suite)
    answer = run_query(tables, args.sql)
    {"table": _print_table, "csv": _print_csv, "json": _print_json}[args.format](answer)
    if tables.units.omitted:
        tell([f"committed results leave out the rows of {plural(tables.units.omitted, 'evaluation set')}"])
    tell(run.reader.damaged)
    return ExitCode.OK


def _verdicts(run: OpenedRun, sql: str) -> VerdictsRecord | None:
    """The stored verdicts if they are of these trials, else judged now, where the query can mean them."""
    from harness.store.view import trials_sha256

    if not any(name in sql.lower() for name in ("verdicts", "tests", "cells", "controls")):
        return None
    stored = run.reader.verdicts
    if stored is not None and (run.reader.is_committed or stored.trials_sha256 == trials_sha256(run.reader)):
        return stored
    return judged(run)


def _lines(answer: pa.Table, most: int | None = None) -> list[list[Any]]:
    columns = [column.to_pylist() for column in answer.slice(0, most).columns]
    return [list(line) for line in zip(*columns, strict=True)]


def _print_table(answer: pa.Table) -> None:
    """Columns side by side, as wide as their widest value."""
    lines = [[_cell(value) for value in line] for line in _lines(answer, SHOWN)]
    names = [visible(name) for name in answer.column_names]
    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    for line in (names, ["-" * width for width in widths], *lines):
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    if answer.num_rows > SHOWN:
        tell([f"{answer.num_rows - SHOWN} more rows: --format csv or json prints all"])


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else visible(str(value))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _print_csv(answer: pa.Table) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.column_names)
    writer.writerows(_lines(answer))


def _print_json(answer: pa.Table) -> None:
    from harness.query.sql import plain_value

    found = [dict(zip(answer.column_names, map(plain_value, line), strict=True)) for line in _lines(answer)]
    print(json.dumps(found, indent=1, ensure_ascii=False, default=str))
