"""The tables of a run, filled from its records as Arrow tables. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import unknown_name
from harness.query.declared import TABLES
from harness.query.units import UnitTables
from harness.store.reference import open_run
from harness.text import expanded

if TYPE_CHECKING:
    import pyarrow as pa

    from harness.store.reader import RunReader
    from harness.store.records import Interval, VerdictRecord, VerdictsRecord
    from harness.suite import Suite

Line = Mapping[str, Any]


def open_tables(folder: str | Path) -> RunTables:
    """The tables of the run, or of the committed results, in a folder.

    Raises:
        RecordError: If there is none, or it was written by another schema version.
    """
    return RunTables(open_run(expanded(folder)))


class RunTables:
    """The tables of a run by name, as ``docs/records.md`` documents them.

    Args:
        reader: The run.
        verdicts: Its verdicts; those that are stored with it by default.
        suite: Its suite, which has the paper's numbers; without it the table ``reported`` is empty.
    """

    def __init__(
        self, reader: RunReader, verdicts: VerdictsRecord | None = None, suite: Suite | None = None
    ) -> None:
        self._reader = reader
        self._verdicts = verdicts or reader.verdicts
        self._suite = suite
        self._made: dict[str, pa.Table] = {}

    @cached_property
    def units(self) -> UnitTables:
        """The tables of unit rows."""
        return UnitTables(self._reader)

    @property
    def names(self) -> list[str]:
        """The names of all tables."""
        return [*TABLES, *self.units.parts]

    def __getitem__(self, name: str) -> pa.Table:
        """A table by name, in memory.

        Raises:
            UsageError: If there is no such table.
            RecordError: If its records are damaged.
        """
        if name not in self._made:
            if name in TABLES:
                self._made[name] = self._filled(name)
            elif name in self.units.parts:
                self._made[name] = self.units.table(name)
            else:
                raise unknown_name("table", name, self.names, where=str(self._reader.folder))
        return self._made[name]

    def _filled(self, name: str) -> pa.Table:
        import pyarrow as pa

        schema = TABLES[name].schema()
        lines = list(self._lines(name))
        arrays = [pa.array([line[item.name] for line in lines], item.type) for item in schema]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _lines(self, name: str) -> Iterable[Line]:
        made: dict[str, Callable[[], Iterable[Line]]] = {
            "run": self._run,
            "trials": self._trials,
            "models": self._models,
            "parameters": self._parameters,
            "evaluation_sets": self._evaluation_sets,
            "verdicts": self._verdict_lines,
            "tests": self._tests,
            "cells": self._cells,
            "controls": self._controls,
            "reported": self._reported,
        }
        return made[name]()

    def _run(self) -> Iterator[Line]:
        record = self._reader.record
        made = record.provenance.model_dump()
        yield {**made, **record.model_dump(exclude={"provenance"}), "planned": len(record.planned)}

    def _trials(self) -> Iterator[Line]:
        planned = frozenset(self._reader.record.planned)
        for name, record in self._reader.trials.items():
            cost = record.cost.__dict__
            yield {**record.__dict__, **cost, "planned": name in planned, "traceback": record.error}

    def _models(self) -> Iterator[Line]:
        for trial, record in self._reader.trials.items():
            for model in record.models:
                yield {**model.__dict__, **model.usage.__dict__, "trial": trial, "model": model.name}

    def _parameters(self) -> Iterator[Line]:
        for trial, record in self._reader.trials.items():
            for name, value in record.params.items():
                number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
                yield {
                    "trial": trial,
                    "name": name,
                    "value": json.dumps(value, ensure_ascii=False),
                    "number": number,
                    "tuned": name in record.tuned,
                }

    def _evaluation_sets(self) -> Iterator[Line]:
        tables = {part: name for name, part in self.units.parts.items()}
        for trial, record in self._reader.trials.items():
            for part in record.parts:
                digest = record.rows_sha256.get(part, "")
                yield {"trial": trial, "part": part, "units": tables[part], "rows_sha256": digest}

    @property
    def _judged(self) -> list[tuple[VerdictRecord, bool]]:
        if self._verdicts is None:
            return []
        wholes = {id(whole) for whole in self._verdicts.wholes}
        return [(verdict, id(verdict) in wholes) for verdict in self._verdicts.in_order()]

    def _verdict_lines(self) -> Iterator[Line]:
        for verdict, whole in self._judged:
            yield {**verdict.__dict__, "whole": whole}

    def _tests(self) -> Iterator[Line]:
        for verdict, _ in self._judged:
            for number, test in enumerate(verdict.tests, 1):
                ends = _interval(test.effect)
                yield {**test.__dict__, **ends, "claim": verdict.claim, "test": number, "method": test.test}

    def _cells(self) -> Iterator[Line]:
        for verdict, _ in self._judged:
            for number, test in enumerate(verdict.tests, 1):
                for at, (label, cell) in enumerate(zip(test.cell_labels, test.cells, strict=False), 1):
                    place = {"claim": verdict.claim, "test": number, "cell": at, "label": label}
                    yield {**place, **_interval(cell)}

    def _controls(self) -> Iterable[Line]:
        return [control.__dict__ for control in self._verdicts.controls] if self._verdicts else []

    def _reported(self) -> Iterator[Line]:
        for item in self._suite.paper.reported.values() if self._suite else ():
            yield {**item.__dict__, "place": item.where, "standing": str(item.standing.value)}


def _interval(item: Interval) -> Line:
    return {"value": item.value, "low": item.low, "high": item.high}
