"""``verify``: what is stored is derived again, and tampering with any file is noticed."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import ExitCode
from harness.store.units import sha256
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.reliability.committed import as_before, committed, finished, own_suite_folder

shell = conftest.shell

AGAIN = ("--rerun", "2", "--seed", "3", "--engine", "inline")


@pytest.fixture
def stored(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """A run with its report, and committed results of it."""
    own_suite_folder(monkeypatch, tmp_path / "suite")
    run = finished(shell)
    reference = committed(shell, run, tmp_path / "suite" / "reference" / "small")
    assert shell("report", str(run)) == ExitCode.OK, shell.err
    return {"run": run, "reference": reference}


def test_what_is_stored_is_derived_again(shell: Shell, stored: dict[str, Path]) -> None:
    for what, least in (("run", 4), ("reference", 5)):
        assert shell("verify", str(stored[what]), "--json") == ExitCode.OK, shell.out
        told = json.loads(shell.out)
        assert told["proved"]
        counts = {check["kind"]: check["equal"] for check in told["checks"]}
        assert counts["verdicts"] == 2
        assert counts["printed numbers"] > 10
        assert counts["files"] >= least
    assert counts["values by replicate"] == 10
    assert shell("verify", "demo", "--reference") == ExitCode.OK
    assert "proved" in shell.out.splitlines()[-1]


def _text(change: Callable[[str], str]) -> Callable[[Path], None]:
    def tamper(path: Path) -> None:
        packed = path.suffix == ".gz"
        before = gzip.decompress(path.read_bytes()).decode() if packed else path.read_text()
        after = change(before)
        assert after != before
        path.write_bytes(gzip.compress(after.encode()) if packed else after.encode())

    return tamper


def _rows(path: Path) -> None:
    """One number of one row, a little larger."""
    table = pq.read_table(path)
    at = next(n for n, item in enumerate(table.schema) if pa.types.is_floating(item.type))
    values = table.column(at).to_pylist()
    values[0] = (values[0] or 0.0) + 0.01
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values)), path)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


TAMPERED: dict[str, tuple[dict[str, str], Callable[[Path], None]]] = {
    "what was asked for": (
        {"run": "run.json", "reference": "run.json"},
        _text(lambda text: text.replace('"created": "2', '"created": "1')),
    ),
    "a trial": (
        {"run": "trials.jsonl", "reference": "trials.jsonl.gz"},
        _text(lambda text: text.replace('"wall_s":0', '"wall_s":9', 1)),
    ),
    "a row": ({"run": "rows/*.parquet", "reference": "units.parquet"}, _rows),
    "a kept value": ({"reference": "cells.parquet"}, _rows),
    "a verdict": (
        {"run": "verdicts.json", "reference": "verdicts.json"},
        _text(lambda text: text.replace('"p_plus": ', '"p_plus": 0', 1)),
    ),
    "a printed number": (
        {"run": "report/csv/numbers.csv", "reference": "numbers.json.gz"},
        _text(lambda text: re.sub(r",0\.\d", ",7.1", text, count=1)),
    ),
    "the hashes": (
        {"run": "manifest.json", "reference": "manifest.json"},
        _text(lambda text: text.replace('": "', '": "0', 1)),
    ),
    "the rest of the rows": ({"run": "rows/*.parquet", "reference": "units.parquet"}, _cut),
    "the rest of the verdicts": ({"run": "verdicts.json", "reference": "verdicts.json"}, _cut),
    "the rest of the trials": ({"run": "trials.jsonl", "reference": "trials.jsonl.gz"}, _cut),
    "the rest of the record": ({"run": "run.json", "reference": "run.json"}, _cut),
    "the rest of the hashes": ({"run": "manifest.json", "reference": "manifest.json"}, _cut),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_is_noticed(shell: Shell, stored: dict[str, Path], what: str) -> None:
    names, tamper = TAMPERED[what]
    for kind, name in names.items():
        tamper(next(stored[kind].glob(name)))
        assert shell("verify", str(stored[kind])) == ExitCode.UNPROVED, (kind, shell.out, shell.err)
        assert "not proved" in shell.out


def test_what_is_missing_or_added_is_noticed(shell: Shell, stored: dict[str, Path], tmp_path: Path) -> None:
    for kind, folder in stored.items():
        listed = [*json.loads((folder / "manifest.json").read_text())["sha256"], "manifest.json"]
        # One file of rows stands for all of them.
        for name in [name for name in listed if not name.startswith("rows/")] + [
            name for name in listed if name.startswith("rows/")
        ][:1]:
            copy = Path(shutil.copytree(folder, tmp_path / "copy"))
            (copy / name).unlink()
            assert shell("verify", str(copy)) != ExitCode.OK, (kind, name, shell.out)
            shutil.rmtree(copy)
        copy = Path(shutil.copytree(folder, tmp_path / "copy"))
        more = copy / ("rows/more.parquet" if kind == "run" else "more.json")
        more.write_bytes(b"1")
        assert shell("verify", str(copy)) == ExitCode.UNPROVED
        assert "is not listed" in shell.out
        shutil.rmtree(copy)


def test_a_hash_that_was_changed_with_its_file_does_not_hide_it(
    shell: Shell, stored: dict[str, Path]
) -> None:
    folder = stored["reference"]
    verdicts = folder / "verdicts.json"
    _text(lambda text: text.replace('"verdict": "reproduced"', '"verdict": "not reproduced"'))(verdicts)
    listed = json.loads((folder / "manifest.json").read_text())
    listed["sha256"]["verdicts.json"] = sha256(verdicts.read_bytes())
    (folder / "manifest.json").write_text(json.dumps(listed))
    assert shell("verify", str(folder)) == ExitCode.UNPROVED
    assert "C1: verdict is stored as 'not reproduced', the records give 'reproduced'" in shell.out


def test_older_results_say_what_cannot_be_derived(shell: Shell, stored: dict[str, Path]) -> None:
    as_before(stored["reference"])
    assert shell("verify", str(stored["reference"])) == ExitCode.UNPROVED
    assert "there is no manifest.json" in shell.out
    assert "cannot be derived: C1: Rows left out for their size" in shell.out


def test_trials_are_run_again_and_compared(shell: Shell, stored: dict[str, Path]) -> None:
    for folder in stored.values():
        assert shell("verify", str(folder), *AGAIN) == ExitCode.OK, shell.out
        assert "trials run again: 2 checked, 2 equal" in shell.out
        assert "--seed 3" in shell.out
    assert shell("verify", str(folder), "--rerun", "-1") == ExitCode.USAGE


def test_a_planted_row_does_not_come_back(shell: Shell, stored: dict[str, Path]) -> None:
    assert shell("verify", str(stored["run"]), *AGAIN) == ExitCode.OK
    units = pq.read_table(stored["reference"] / "units.parquet")
    drawn = shell.out.partition("--seed 3: ")[2].split(",")[0].strip()
    at = units["__trial__"].to_pylist().index(drawn)
    errors = units["main/error"].to_pylist()
    errors[at] += 1e-6
    place = units.schema.get_field_index("main/error")
    planted = units.set_column(place, units.schema.field(place), pa.array(errors))
    pq.write_table(planted, stored["reference"] / "units.parquet")
    assert shell("verify", str(stored["reference"]), *AGAIN) == ExitCode.UNPROVED
    assert f"{drawn}: main.error differs in 1 of 30 rows, by 1e-06 at most" in shell.out
