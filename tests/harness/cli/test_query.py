"""``corroborate query``: SQL over the tables of a run, and nothing else."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.store import list_runs, open_run
from tests.harness.cli.conftest import Shell


@pytest.fixture
def run(shell: Shell, tmp_path: Path) -> Path:
    """A finished run of the demo suite."""
    arguments = ["--profile", "small", "--engine", "inline", "--no-report"]
    assert shell("run", "demo", *arguments) == ExitCode.OK, shell.err
    (folder,) = list_runs(tmp_path / "runs")
    return folder


def asked(shell: Shell, run: Path, sql: str) -> list[dict[str, object]]:
    assert shell("query", str(run), sql, "--format", "json") == ExitCode.OK, shell.err
    found = json.loads(shell.out)
    assert isinstance(found, list)
    return found


def test_trials_and_their_rows(shell: Shell, run: Path) -> None:
    reader = open_run(run)
    sql = (
        "select t.method, t.seed, avg(u.error) as error, count(*) as n from units_main u "
        "join trials t using (trial) where t.planned group by all order by all"
    )
    found = asked(shell, run, sql)
    assert len(found) == len(reader.record.planned)
    for line in found:
        (trial,) = (t for t in reader.trials.values() if (t.method, t.seed) == (line["method"], line["seed"]))
        rows = reader.table(trial.trial, "main")["error"]
        assert line["n"] == len(rows)
        assert line["error"] == pytest.approx(rows.mean())


def test_verdicts_are_the_stored_ones(shell: Shell, run: Path) -> None:
    stored = open_run(run).verdicts
    assert stored is not None
    found = asked(shell, run, "select claim, verdict from verdicts")
    assert found == [{"claim": v.claim, "verdict": v.verdict} for v in stored.in_order()]
    (run / "verdicts.json").unlink()
    assert asked(shell, run, "select claim, verdict from verdicts") == found
    assert not (run / "verdicts.json").exists()


def test_the_papers_numbers(shell: Shell, run: Path) -> None:
    assert asked(shell, run, "select count(*) as n from reported where value is not null")[0]["n"]


def test_tables_and_csv(shell: Shell, run: Path) -> None:
    assert shell("query", str(run), "select claim, null as none from verdicts order by 1") == ExitCode.OK
    assert shell.out.splitlines() == ["claim  none", "-----  ----", "C1", "C2"]
    assert shell("query", str(run), "select 'a,b' as x, 1 as y", "--format", "csv") == ExitCode.OK
    assert list(csv.reader(io.StringIO(shell.out))) == [["x", "y"], ["a,b", "1"]]
    assert shell("query", str(run), "select * from range(300)") == ExitCode.OK
    assert len(shell.out.splitlines()) == 202
    assert "100 more rows" in shell.err


def test_control_characters_do_not_reach_the_terminal(shell: Shell, run: Path) -> None:
    assert shell("query", str(run), "select chr(27) || '[2J' as x") == ExitCode.OK
    assert "\x1b" not in shell.out


def test_what_there_is_can_be_asked(shell: Shell, run: Path) -> None:
    names = {line["name"] for line in asked(shell, run, "show tables")}
    assert names >= {"run", "trials", "units_main", "verdicts"}
    columns = {line["column_name"] for line in asked(shell, run, "describe units_main")}
    assert columns == {"trial", "unit_id", "error"}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select * from trails", "trails"),
        ("selec 1", "syntax error"),
        ("select nothing from trials", "nothing"),
        ("", "one statement that reads"),
        ("select 1; select 2", "one statement that reads"),
        ("create table mine as select 1", "one statement that reads"),
        ("copy (select 1) to 'stolen.csv'", "one statement that reads"),
        ("attach 'other.db'", "one statement that reads"),
        ("install httpfs", "one statement that reads"),
        ("set enable_external_access = true", "one statement that reads"),
        ("select * from 'secret.csv'", "secret.csv"),
        ("select * from read_csv('secret.csv')", "disabled"),
        ("select * from read_text('secret.csv')", "disabled"),
        ("select * from glob('*')", "disabled"),
        ("select * from read_parquet('http://127.0.0.1:1/x.parquet')", "disabled"),
        ("select * from sqlite_scan('secret.csv', 'x')", "sqlite_scan"),
        ("select * from tables", "tables"),
    ],
)
def test_nothing_else_can_be_read_or_written(
    shell: Shell, run: Path, tmp_path: Path, sql: str, told: str
) -> None:
    (tmp_path / "secret.csv").write_text("word\nhidden\n")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert shell("query", str(run), sql) == ExitCode.USAGE
    assert told in shell.err
    assert "hidden" not in shell.out + shell.err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_without_duckdb_the_extra_is_named(shell: Shell, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert shell("query", str(run), "select 1") == ExitCode.USAGE
    assert "corroborate[query]" in shell.err


def test_an_interrupted_run_is_asked_too(shell: Shell, run: Path) -> None:
    with (run / "trials.jsonl").open("ab") as file:
        file.write(b'{"trial": "torn')
    assert asked(shell, run, "select count(*) as n from trials where status = 'ok'")[0]["n"]
    assert "cut off" in shell.err


def test_verify_notices_a_changed_pack(shell: Shell, run: Path) -> None:
    from harness.store.manifest import MANIFEST_FILE, run_manifest
    from tests.harness.store.test_compaction import add_one, rewritten

    assert shell("verify", str(run)) == ExitCode.OK, shell.out
    (pack,) = (run / "rows").iterdir()
    rewritten(pack, add_one)
    assert shell("verify", str(run)) == ExitCode.UNPROVED
    assert f"rows/{pack.name} is not as it was listed" in shell.out
    # Whoever also writes the list of files anew is found out by the hashes of rows.
    (run / MANIFEST_FILE).write_bytes(run_manifest(run))
    assert shell("verify", str(run)) == ExitCode.UNPROVED
    assert "unit rows of trials" in shell.out
    assert "are not those that were recorded" in shell.out


def test_a_compacted_run_is_bundled_and_opened(shell: Shell, run: Path, tmp_path: Path) -> None:
    assert shell("bundle", str(run), "--out", str(tmp_path / "run.zip")) == ExitCode.OK, shell.err
    opened = tmp_path / "opened"
    assert shell("bundle", "--open", str(tmp_path / "run.zip"), "--out", str(opened)) == ExitCode.OK, (
        shell.err
    )
    assert [path.name for path in (opened / "rows").iterdir()] == [p.name for p in (run / "rows").iterdir()]
    assert shell("verify", str(opened)) == ExitCode.OK, shell.out
    sql = "select trial, unit_id, error from units_main order by all"
    assert asked(shell, opened, sql) == asked(shell, run, sql)
