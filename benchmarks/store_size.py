"""A run of a given size: CPU time, wall time and peak memory of the commands that read it, and of compaction.

Run with ``python -m benchmarks.store_size --trials 100000 --rows 500 --folder FOLDER``. Two runs are made
from the committed results of IBWS: their experiments, tasks, methods, parameters and costs are the real
ones, with as many seeds as give the number of trials; only the rows are drawn. Methods of one seed answer
the same units, each seed draws its own from its task's, and a method's error is its own. Each command runs
in a process of its own, whose peak memory is what the kernel says. ``--loose`` leaves one file a trial, as a
run that goes on has; ``--loose --only compact`` measures how the first of them is packed, once. ``query`` and
``columns`` are answers to one question, of SQL and of pandas over the packs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from harness.claims import Profile
from harness.cli.suites import load_suite
from harness.plan.selection import cells_of
from harness.store import open_run
from harness.store.content import rows_hash, unit_ids_hash
from harness.store.packs import Packable, write_pack
from harness.store.records import TrialRecord
from harness.store.units import encode_rows, sha256, units_name
from harness.suite import Scale

SUITE = "ibws"
POOL = 5000
"""Units of a task, of which each seed draws some."""

Columns = Mapping[tuple[str, str], tuple[str, ...]]


def columns_read() -> Columns:
    """The columns that claims read, by experiment and part."""
    suite, found = load_suite(SUITE), dict[tuple[str, str], set[str]]()
    for claim in suite.claims:
        form = claim.forms.get(Profile.SMALL)
        for asked in form.watched() if form else ():
            for cell in cells_of(asked.theta):
                found.setdefault((cell.experiment, cell.part), set()).update(cell.metric.columns)
    return {place: tuple(sorted(names)) for place, names in found.items()}


@dataclass(frozen=True)
class Drawing:
    """The rows of main trials, the same each time they are asked for.

    Attributes:
        rows: Of a trial, on average.
        columns: The columns that claims read, by experiment and part.
        effects: The standard deviation of each method's error.
    """

    rows: int
    columns: Columns
    effects: Mapping[str, float]

    def table(self, trial: TrialRecord, part: str) -> pa.Table:
        """The rows of one part of a trial, its ids being those of its task and seed."""
        task = sum(map(ord, f"{trial.experiment}/{trial.task}"))
        picked, gold = _units(task, trial.seed, self.rows)
        own = np.random.default_rng((task, trial.seed, sum(map(ord, trial.method)), len(part)))
        names = self.columns.get((trial.experiment, part), ("error",))
        noise = own.standard_normal((len(names), len(picked)), dtype=np.float32)
        values = dict(zip(names, gold + np.float32(self.effects[trial.method]) * noise, strict=True))
        values |= {"gold": gold} if "gold" in names else {}
        return pa.table({"unit_id": _ids(trial.task).take(pa.array(picked)), **values})


@lru_cache(maxsize=64)
def _ids(task: str) -> pa.Array:
    return pa.array([f"{task}-{number:05d}" for number in range(POOL)])


@lru_cache(maxsize=2048)
def _units(task: int, seed: int, rows: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Positions of a seed's units in its task's pool, and their golds."""
    units = np.random.default_rng((task, seed))
    size = int(units.integers(rows // 2, rows + rows // 2))
    picked = np.sort(units.choice(POOL, size=min(size, POOL), replace=False))
    return picked, units.standard_normal(len(picked), dtype=np.float32)


def records(trials: int) -> Iterator[TrialRecord]:
    """Main trials of the committed results, each method with as many seeds as are asked for."""
    reader = open_run(load_suite(SUITE).folder / "reference" / "small")
    places = {
        (record.experiment, record.task, record.method): record
        for record in reader.trials.values()
        if record.kind == "trial" and record.stage == "main"
    }
    for seed in range(100, 100 + max(1, round(trials / len(places)))):
        for place, record in places.items():
            name = "/".join((*place, str(seed)))
            yield record.model_copy(update={"trial": name, "seed": seed, "units_file": units_name(name)})


def make_run(folder: Path, trials: int, rows: int, *, noise: float, loose: bool) -> None:
    """Write a run as its writer leaves it."""
    suite = load_suite(SUITE)
    methods = {name for item in suite.experiments(Scale(profile=Profile.SMALL)) for name in item.methods}
    effects = {name: noise * (0.5 + at / len(methods)) for at, name in enumerate(sorted(methods))}
    drawing = Drawing(rows, columns_read(), effects)
    (folder / "units").mkdir(parents=True)
    made, total = [], 0
    with (folder / "trials.jsonl").open("w") as file:
        for record in records(trials):
            tables = {part: drawing.table(record, part) for part in record.parts}
            total += sum(table.num_rows for table in tables.values())
            digests = {part: rows_hash(table) for part, table in tables.items()}
            ids = {part: unit_ids_hash(table) for part, table in tables.items()}
            stored = {"units_sha256": "", "rows_sha256": digests, "unit_ids_sha256": ids}
            if loose:
                data = encode_rows(tables)
                (folder / "units" / record.units_file).write_bytes(data)
                stored["units_sha256"] = sha256(data)
            made.append(record.model_copy(update=stored))
            file.write(made[-1].as_json() + "\n")
    asked = open_run(suite.folder / "reference" / "small").record
    planned = [record.trial for record in made]
    asked = asked.model_copy(update={"run": folder.name, "planned": planned, "blocked": {}})
    (folder / "run.json").write_text(asked.as_json(indent=1))
    if not loose:
        pack(folder, made, drawing)
    print(f"{folder.name}: {len(planned)} trials, {total} rows")


def pack(folder: Path, made: Sequence[TrialRecord], drawing: Drawing) -> None:
    """Write the packs that compaction would make, without a file a trial before."""
    kinds: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in made:
        for part in record.parts:
            kinds.setdefault((record.experiment, part), []).append(record)
    for (experiment, part), found in kinds.items():
        found.sort(key=lambda record: (record.task, record.method, record.seed))
        items = [
            Packable(record.trial, record.rows_sha256[part], partial(drawing.table, record, part))
            for record in found
        ]
        write_pack(folder, experiment, part, items)


COMPACT = """
import sys; from pathlib import Path
from harness.store import open_run; from harness.store.compaction import compact
folder = Path(sys.argv[1]); compact(folder, open_run(folder).trials)
"""
COLUMNS = """
import sys; from pathlib import Path; import pandas
packs = Path(sys.argv[1], "rows").glob("quality.main-*.parquet")
units = pandas.concat(pandas.read_parquet(pack, columns=["unit_id", "estimate", "gold"]) for pack in packs)
(units.estimate - units.gold).abs().groupby(units.unit_id).mean()
"""
QUERY = "select unit_id, avg(abs(estimate - gold)) from units_main where estimate is not null group by 1"
CORROBORATE = ("-m", "harness.cli.main")


def commands(folder: Path, sides: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """Arguments of the interpreter, by the name of what is measured."""
    left = str(sides[0])
    return {
        "verdicts": (*CORROBORATE, "verdicts", left),
        "report": (*CORROBORATE, "report", left, "--out", str(folder / "report")),
        "compare": (*CORROBORATE, "compare", *map(str, sides)),
        "verify": (*CORROBORATE, "verify", left),
        "query": (*CORROBORATE, "query", left, QUERY),
        "columns": ("-c", COLUMNS, left),
        "compact": ("-c", COMPACT, left),
    }


def measured(*arguments: str) -> dict[str, float | int]:
    """Wall and CPU seconds, peak MiB and exit code of a process of this interpreter."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": round(used.ru_maxrss / 1024),
        "exit": os.waitstatus_to_exitcode(status),
    }


def main() -> None:
    """Make the runs where they are not there, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=500, help="of a trial, on average")
    parser.add_argument("--folder", type=Path, required=True, help="where the runs are made, or were made")
    parser.add_argument("--loose", action="store_true", help="leave one file a trial")
    parser.add_argument("--only", nargs="*", default=["verdicts", "report", "compare"])
    args = parser.parse_args()
    sides = [args.folder / f"ibws-small-{name}" for name in ("a", "b")]
    for side, noise in zip(sides, (1.0, 1.1), strict=True):
        if not side.exists():
            make_run(side, args.trials, args.rows, noise=noise, loose=args.loose)
    known = commands(args.folder, sides)
    for name in args.only:
        print(json.dumps({"command": name, "trials": args.trials, **measured(*known[name])}), flush=True)


if __name__ == "__main__":
    main()
