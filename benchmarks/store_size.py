"""Reading a run of a given size: wall time and peak memory of ``verdicts``, ``report`` and ``compare``.

Run with ``python -m benchmarks.store_size --trials 100000 --rows 500 --folder FOLDER``. Two runs are made
from the committed results of IBWS: their experiments, tasks, methods, parameters and costs are the real
ones, with as many seeds as give the number of trials; only the rows are drawn. Methods of one seed answer
the same units, each seed draws its own from its task's, and a method's error is its own. Each command runs
in a process of its own, whose peak memory is what the kernel says. ``--loose`` leaves one file a trial, as a
run that goes on has.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.claims import Profile
from harness.cli.suites import load_suite
from harness.plan.selection import cells_of
from harness.store import open_run
from harness.store.compaction import compact
from harness.store.content import content_of
from harness.store.records import TrialRecord
from harness.store.units import encode, sha256, units_name
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


def drawn(
    trial: TrialRecord, rows: int, columns: Columns, effects: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """The rows of a main trial, one table a part."""
    task = sum(map(ord, f"{trial.experiment}/{trial.task}"))
    units = np.random.default_rng((task, trial.seed))
    size = int(units.integers(rows // 2, rows + rows // 2))
    picked = np.sort(units.choice(POOL, size=min(size, POOL), replace=False))
    gold = units.normal(size=len(picked)).astype(np.float32)
    own = np.random.default_rng((task, trial.seed, sum(map(ord, trial.method))))
    ids = [f"{trial.task}-{number:05d}" for number in picked]
    tables = {}
    for part in trial.parts:
        names = columns.get((trial.experiment, part), ("error",))
        noise = effects[trial.method] * own.normal(size=(len(names), len(picked)))
        values = {name: gold + row.astype(np.float32) for name, row in zip(names, noise, strict=True)}
        tables[part] = {"unit_id": ids, **values, **({"gold": gold} if "gold" in names else {})}
    return tables


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
    suite, columns = load_suite(SUITE), columns_read()
    (folder / "units").mkdir(parents=True)
    methods = {name for item in suite.experiments(Scale(profile=Profile.SMALL)) for name in item.methods}
    effects = {name: noise * (0.5 + at / len(methods)) for at, name in enumerate(sorted(methods))}
    planned, total = [], 0
    with (folder / "trials.jsonl").open("w") as file:
        for record in records(trials):
            tables = drawn(record, rows, columns, effects)
            data = encode(tables)
            (folder / "units" / record.units_file).write_bytes(data)
            stored = {"units_sha256": sha256(data), **content_of(data, record.parts, "")}
            file.write(record.model_copy(update=stored).as_json() + "\n")
            planned.append(record.trial)
            total += sum(len(table["unit_id"]) for table in tables.values())
    asked = open_run(suite.folder / "reference" / "small").record
    asked = asked.model_copy(update={"run": folder.name, "planned": planned, "blocked": {}})
    (folder / "run.json").write_text(asked.as_json(indent=1))
    print(f"{folder.name}: {len(planned)} trials, {total} rows")
    if not loose:
        began = time.perf_counter()
        compact(folder, open_run(folder).trials)
        print(f"compacted in {time.perf_counter() - began:.1f} s")


def measured(*command: str) -> dict[str, float | int]:
    """Wall and CPU seconds, peak MiB and exit code of a command of corroborate."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.cli.main", *command], stdout=subprocess.DEVNULL, env=environment
    )
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
    commands = {
        "verdicts": ("verdicts", str(sides[0])),
        "report": ("report", str(sides[0]), "--out", str(args.folder / "report")),
        "compare": ("compare", *map(str, sides)),
        "verify": ("verify", str(sides[0])),
    }
    for name in args.only:
        print(json.dumps({"command": name, "trials": args.trials, **measured(*commands[name])}))


if __name__ == "__main__":
    main()
