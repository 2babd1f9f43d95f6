"""Whatever text comes from outside, a run is read again; and a damaged run is in nobody else's way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from harness.cli.display import last_line
from harness.errors import ExitCode, RecordError
from harness.method import Context, Method, Scores, param
from harness.resources import read_split, write_split
from harness.store import RunReader, open_run
from reports import write_report
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.harness.running import run as run_toy
from tests.harness.toy import MeanTask, Numbers, Shrunk, toy_suite
from tests.reliability.committed import finished
from tests.reports import demo as report_demo

shell = conftest.shell

ODD = {
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "next line": "a\x85b",
    "vertical tab": "a\x0bb\x0cc\x1cd",
    "lone surrogate": "a\ud800b\udcff",
    "control characters": "a\x00\x1b[31mb",
    "right to left": "a\u202eb\u05d0",
}
odd = pytest.mark.parametrize("text", list(ODD.values()), ids=list(ODD))


@dataclass(frozen=True, kw_only=True)
class Saying(Method[Numbers, float]):
    """Prints, and fails with, what its parameter says."""

    problem_type: ClassVar[type] = Numbers
    text: str = param("", source="ours")
    fails: bool = param(default=True, source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        print(self.text)  # noqa: T201 - logs are kept
        if self.fails:
            raise RuntimeError(self.text)
        return 3.0


@dataclass(frozen=True, kw_only=True)
class Naming(MeanTask):
    """Names its units with odd text."""

    text: str = ""
    as_array: bool = False

    def evaluate(self, result: float, ctx: Context) -> Scores:
        units: Any = [f"{self.text}{n}" for n in range(5)]
        if self.as_array:
            units = np.array(units)
        return Scores({"main": {"unit_id": units, "error": np.abs(np.arange(5) - result)}})


@odd
def test_odd_text_in_errors_parameters_and_logs_loses_no_run(text: str, tmp_path: Path) -> None:
    methods = {"odd": Saying(text=text), "mean": Shrunk()}
    done, reader, _ = run_toy(toy_suite(methods=methods, seeds=(100, 101)), tmp_path)
    assert list(reader.trials) == [f"e/t/{name}/{seed}" for name in methods for seed in (100, 101)]
    said = text.encode("utf-8", "backslashreplace").decode()
    assert said in reader.trials["e/t/odd/100"].error
    assert reader.trials["e/t/odd/100"].params["text"] == said
    assert reader.trials["e/t/mean/101"].status == "ok"
    assert reader.damaged == []
    assert any(said in log.read_bytes().decode() for log in (done.folder / "logs").iterdir())
    _, again, _ = run_toy(toy_suite(methods=methods, seeds=(100, 101)), tmp_path)
    assert again.trials["e/t/mean/101"].reused_from == done.folder.name


@odd
def test_odd_text_in_an_error_is_shown_whole_and_in_one_line(text: str) -> None:
    shown = last_line(f"Traceback:\n  File 'x'\nValueError: {text}\n")
    assert shown.isprintable()
    assert shown.startswith("ValueError: a")
    assert all(letter in shown for letter in text if letter.isprintable())


@odd
@pytest.mark.parametrize("as_array", [False, True])
def test_odd_text_in_rows_loses_no_trial(text: str, as_array: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    suite = toy_suite(task=Naming(text=text, as_array=as_array), seeds=(100,))
    _, reader, _ = run_toy(suite, tmp_path)
    assert [record.status for record in reader.trials.values()] == ["ok", "ok"]
    said = text.encode("utf-8", "backslashreplace").decode()
    assert list(reader.table("e/t/mean/100", "main")["unit_id"]) == [f"{said}{n}" for n in range(5)]


@odd
def test_odd_text_in_data_sets_is_read_as_it_was(text: str, tmp_path: Path) -> None:
    write_split(tmp_path, "test", [{text: text}, {"n": 1}])
    assert read_split(tmp_path, "test") == [{text: text}, {"n": 1}]
    with gzip.open(tmp_path / "test.jsonl.gz", "rb") as stream:
        assert len(stream.read().split(b"\n")) == 3


@odd
def test_odd_text_in_records_ends_no_report(text: str, tmp_path: Path) -> None:
    view = report_demo.run()
    made = view.record.provenance.model_copy(update={"cpu": text, "command": ["corroborate", text]})
    blocked = {**view.record.blocked, text: text}
    view.record = view.record.model_copy(
        update={"provenance": made, "blocked": blocked, "bindings": {text: text}, "settings": {text: text}}
    )
    verdicts = report_demo.verdicts(view)
    told = [verdict.model_copy(update={"reason": text, "scope": text}) for verdict in verdicts.verdicts]
    verdicts = verdicts.model_copy(update={"verdicts": told})
    formats = ("html", "latex", "markdown", "csv", "junit")
    paths = write_report(report_demo.SUITE, report_demo.SCALE, view, verdicts, tmp_path, formats=formats)
    assert {path.suffix for path in paths} >= {".html", ".tex", ".md", ".csv", ".xml"}


DAMAGE: Mapping[str, tuple[str, bytes]] = {
    "bytes that are no text": ("trials.jsonl", b'{"trial": "\xff\xfe"}\n{}\n'),
    "another version": ("trials.jsonl", b'{"schema_version": 99}\n{"schema_version": 99}\n'),
    "a record of something else": ("trials.jsonl", b"[1, 2]\n[3]\n"),
    "a head that is no text": ("run.json", b"\xff\xfe\x00"),
    "an empty head": ("run.json", b""),
    "verdicts that are no text": ("verdicts.json", b"\xff"),
    "fields that are no text": ("fingerprints.json", b"\xff"),
}


@pytest.mark.parametrize(("name", "content"), DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_run_is_passed_over_by_commands_about_others(
    shell: Shell, tmp_path: Path, name: str, content: bytes
) -> None:
    damaged, good = finished(shell), finished(shell)
    (damaged / name).write_bytes(content)
    for arguments in (
        ["why", "heavy/t2/mean/100"],
        ["why", "heavy/t2/mean/100", "--run", str(good)],
        ["cache", "prune", "--unused"],
        ["report", "--index"],
        ["verdicts", "demo"],
        ["plan", "demo"],
        ["run", "demo", "--engine", "inline"],
        ["compare", good.name, "demo"],
    ):
        assert shell(*arguments) == ExitCode.OK, (arguments, shell.err)
        if name == "trials.jsonl" and arguments[0] in ("why", "cache", "plan", "run"):
            assert f"{damaged.name} is passed over" in shell.err, arguments
    assert shell("verdicts", damaged.name) in (ExitCode.OK, ExitCode.INFRASTRUCTURE)
    assert "fault of corroborate" not in shell.err


@pytest.mark.parametrize("name", ["run.json", "trials.jsonl", "verdicts.json"])
def test_a_damaged_file_is_an_error_that_names_it(shell: Shell, name: str) -> None:
    folder = finished(shell)
    (folder / name).write_bytes(b'\xff\xfe"\n{}\n')
    with pytest.raises(RecordError, match=name):
        _ = open_run(folder).trials, RunReader(folder).verdicts


def test_why_tells_of_other_libraries_where_the_list_of_them_is_damaged(shell: Shell) -> None:
    before, now = finished(shell), finished(shell, "--fresh")
    path = before / "trials.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "libraries": "others"}) + "\n" for line in lines))
    (before / "fingerprints.json").write_bytes(b"\xff")
    assert shell("why", "heavy/t2/mean/100", "--run", str(now)) == ExitCode.OK
    assert "'others' became" in shell.out
