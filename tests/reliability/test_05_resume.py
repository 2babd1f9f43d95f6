"""A run is one configuration from its start to its end, and its record says who went on with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine import run as engine
from harness.engine.run import execute_one
from harness.errors import UsageError
from harness.plan import Selection
from harness.plan.limits import Limits
from harness.provenance import collect
from harness.store import list_runs, open_run
from harness.store.records import Provenance, RehearsalRecord
from tests.harness.cli.conftest import Shell, shell
from tests.harness.running import Recorder, request, run
from tests.harness.toy import MeanTask, Noisy, Offset, Shrunk, toy_suite
from tests.reliability.toys_planning import imported_from, method, run_demo

__all__ = ["shell"]


def interrupt(folder: Path) -> bytes:
    """As if the run had been killed before its last trial."""
    path = folder / "trials.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    return path.read_bytes()


def mirror(folder: Path, numbers: int) -> str:
    from harness.resources import write_split

    folder.mkdir()
    write_split(folder, "test", [{"n": n} for n in range(numbers)])
    return str(folder)


def test_another_binding_is_refused(shell: Shell) -> None:
    options = ("--engine", "inline", "--no-report", "--seeds", "2")
    assert shell("run", "demo", *options, "--bind", f"figures={mirror(Path('one'), 3)}") == 0
    (folder,) = list_runs(Path("runs"))
    kept = interrupt(folder)
    assert shell("run", "demo", *options, "--resume", "--bind", f"figures={mirror(Path('two'), 4)}") == 2
    assert "bindings" in shell.err
    assert str(Path("one").absolute()) in shell.err
    assert str(Path("two").absolute()) in shell.err
    assert (folder / "trials.jsonl").read_bytes() == kept
    assert shell("run", "demo", *options, "--resume", "--bind", "figures=one") == 0


def test_methods_that_are_added_later_are_refused(shell: Shell) -> None:
    Path("mine.py").write_text(method("return 1.0"))
    folder = run_demo(shell).folder
    kept = interrupt(folder)
    run_demo(shell, "--resume", "--method", "mine:Mine", code=2)
    assert "mine:Mine" in shell.err
    assert (folder / "trials.jsonl").read_bytes() == kept
    reader = run_demo(shell, "--method", "mine:Mine")
    assert json.loads((reader.folder / "run.json").read_text())["added"] == {"mine": "mine:Mine"}


def test_all_that_differs_is_named_at_once(shell: Shell) -> None:
    Path("mine.py").write_text(method("return 1.0"))
    run_demo(shell)
    with imported_from(Path.cwd()):
        changed = ("--method", "mine:Mine", "--set", "trimmed.share=0.1", "--seeds", "1")
        assert shell("run", "demo", "--profile", "smoke", "--engine", "inline", "--resume", *changed) == 2
    for name in ("settings", "selection", "added"):
        assert name in shell.err


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"dtype": "bfloat16"}, "dtype"),
        ({"selection": Selection(added={"noisy": Noisy()})}, "added"),
        ({"rehearsal": RehearsalRecord(dtype="float32")}, "rehearsal"),
        ({"looks": (1.0, 1.6, 2.4, 4.0)}, "number of looks"),
    ],
)
def test_what_decides_results_is_compared(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    finished, _, _ = run(toy_suite(), tmp_path)
    kept = interrupt(finished.folder)
    with pytest.raises(UsageError, match=named):
        run(toy_suite(), tmp_path, resume=finished.folder, **change)
    assert (finished.folder / "trials.jsonl").read_bytes() == kept


def test_a_run_keeps_the_number_of_its_looks(tmp_path: Path) -> None:
    finished, reader, _ = run(toy_suite(), tmp_path, looks=(1.0, 1.6))
    assert reader.record.looks == [1.0, 1.6]
    interrupt(finished.folder)
    for others in ((), (1.0, 1.6, 2.4)):
        with pytest.raises(UsageError, match="number of looks"):
            run(toy_suite(), tmp_path, resume=finished.folder, looks=others)
    again, reader, _ = run(toy_suite(), tmp_path, resume=finished.folder, looks=(1.0, 1.6))
    assert (again.summary.executed, reader.record.looks) == (1, [1.0, 1.6])


def test_other_claims_are_refused(tmp_path: Path) -> None:
    suite = toy_suite()
    finished, _, _ = run(suite, tmp_path)
    interrupt(finished.folder)
    (claim,) = suite.claims
    with pytest.raises(UsageError, match="claims"):
        run(replace(suite, claims=(replace(claim, id="C2"),)), tmp_path, resume=finished.folder)


def test_finished_trials_of_other_code_are_not_continued(shell: Shell) -> None:
    Path("mine.py").write_text(method("return 1.0"))
    folder = run_demo(shell, "--method", "mine:Mine").folder
    kept = interrupt(folder)
    Path("mine.py").write_text(method("return 50.0"))
    run_demo(shell, "--method", "mine:Mine", "--resume", code=2)
    assert "method code mine" in shell.err
    assert (folder / "trials.jsonl").read_bytes() == kept
    assert len(run_demo(shell, "--method", "mine:Mine").trials) > 4, "a new run takes what is the same"


def test_finished_trials_of_other_data_are_not_continued(tmp_path: Path) -> None:
    def suite(value: float) -> Any:
        return toy_suite(task=MeanTask(offset=Offset(value=value)))

    finished, _, _ = run(suite(1.0), tmp_path)
    interrupt(finished.folder)
    with pytest.raises(UsageError, match="finished trials"):
        run(suite(2.0), tmp_path, resume=finished.folder)


def test_a_method_that_failed_may_be_mended(shell: Shell) -> None:
    Path("mine.py").write_text(method("raise RuntimeError('not yet')"))
    folder = run_demo(shell, "--method", "mine:Mine", code=4).folder
    Path("mine.py").write_text(method("return 1.0"))
    reader = run_demo(shell, "--method", "mine:Mine", "--resume")
    assert reader.folder == folder
    assert {trial.status for trial in reader.trials.values()} == {"ok"}


def test_longer_limits_are_no_other_configuration(tmp_path: Path) -> None:
    finished, _, _ = run(toy_suite(), tmp_path)
    interrupt(finished.folder)
    again, _, _ = run(toy_suite(), tmp_path, resume=finished.folder, limits=Limits(minutes=5.0))
    assert (again.summary.executed, again.summary.reused) == (1, 9)


def at_commit(commit: str) -> Callable[..., Provenance]:
    def made(argv: Any) -> Provenance:
        return collect(argv).model_copy(update={"commit": commit, "dirty": False})

    return made


def test_the_record_names_every_commit_that_computed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "collect", at_commit("a" * 40))
    folder = run_demo(shell).folder
    interrupt(folder)
    monkeypatch.setattr(engine, "collect", at_commit("b" * 40))
    run_demo(shell, "--resume")
    text = (folder / "run.json").read_text()
    assert "a" * 40 in text
    assert "b" * 40 in text
    assert shell("report", folder.name, "--format", "markdown") == 0
    report = next((folder / "report").glob("*.md")).read_text()
    assert "a" * 12 in report
    assert "b" * 12 in report


def test_a_trial_by_itself_keeps_the_record_of_who_computed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = toy_suite(methods={"mean": Shrunk(), "half": Shrunk(factor=0.5)}, seeds=(100,))

    def once(commit: str) -> Path:
        monkeypatch.setattr(engine, "collect", at_commit(commit))
        return execute_one(request(suite, tmp_path), "e/t/mean/100", Recorder()).folder

    folder = once("a" * 40)
    record = open_run(folder).record
    assert once("b" * 40) == folder
    assert open_run(folder).record == record, "nothing was computed"
    (folder / "trials.jsonl").unlink()
    once("c" * 40)
    text = (folder / "run.json").read_text()
    assert "a" * 40 in text
    assert "c" * 40 in text


def test_records_without_the_new_fields_are_read_and_continued(tmp_path: Path) -> None:
    finished, _, _ = run(toy_suite(), tmp_path)
    path = finished.folder / "run.json"
    older = json.loads(path.read_text())
    for name in ("added", "dtype", "continued", "device", "looks"):
        older.pop(name, None)
    path.write_text(json.dumps(older))
    interrupt(finished.folder)
    again, reader, _ = run(toy_suite(), tmp_path, resume=finished.folder)
    assert again.summary.executed == 1
    assert reader.record.device == "cpu"


def test_parts_of_fingerprints_that_are_damaged_hide_no_difference(tmp_path: Path) -> None:
    suite = toy_suite(seeds=(100,))
    finished, _, _ = run(suite, tmp_path)
    interrupt(finished.folder)
    path = finished.folder / "trials.jsonl"
    first = json.loads(path.read_bytes().splitlines()[0])
    path.write_text(json.dumps({**first, "fingerprint": "another"}) + "\n")
    (finished.folder / "fingerprints.json").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="fingerprint"):
        run(suite, tmp_path, resume=finished.folder)
