"""The sessions, without running what they start."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import nox.registry
import pytest

ROOT = Path(__file__).parents[1]


class FakeSession:
    """Records the commands of a session."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = list(posargs)
        self.ran: list[tuple[str, ...]] = []
        self.installed: list[tuple[str, ...]] = []

    def run(self, *command: str, **options: Any) -> None:
        self.ran.append(command)

    def run_install(self, *command: str, **options: Any) -> None:
        self.installed.append(command)

    def error(self, message: str) -> None:
        raise RuntimeError(message)

    def log(self, message: str) -> None:
        """Say nothing."""


@pytest.fixture
def noxfile(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The noxfile as a module, its sessions in an empty registry."""
    monkeypatch.setattr(nox.registry, "_REGISTRY", type(nox.registry._REGISTRY)())
    spec = importlib.util.spec_from_file_location("noxfile_under_test", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(noxfile: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The noxfile with a shared environment that pretends to be made."""
    folder = tmp_path / ".nox" / "corroborate"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    monkeypatch.setattr(noxfile, "ENVIRONMENT", folder)
    monkeypatch.setattr(noxfile, "PYTHON", str(folder / "bin" / "python"))
    monkeypatch.setattr(noxfile, "STAMP", folder / "installed.json")
    return noxfile


def test_every_suite_has_a_session_with_its_papers_title() -> None:
    command = [sys.executable, "-m", "nox", "--list", "--noxfile", str(ROOT / "noxfile.py")]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for suite, target in project["entry-points"]["corroborate.suites"].items():
        record = ROOT.joinpath(*target.partition(":")[0].split("."), "paper.toml")
        title = tomllib.loads(record.read_text(encoding="utf-8"))["title"]
        assert f"reproduce-{suite} [reproduce] -> {title}" in listing


@pytest.mark.usefixtures("noxfile")
def test_the_sessions_that_others_rely_on_exist() -> None:
    """Assert that no session was renamed: CI jobs and papers name them."""
    expected = {"tests", "tests-slow", "tests-portable", "lint", "typecheck", "smoke", "smoke-gpu"}
    expected |= {"rehearse", "reliability", "report", "regress", "bench", "lock", "audit", "docs"}
    assert {name for name in nox.registry.get() if not name.startswith("reproduce-")} == expected


def test_arguments_reach_the_command_line(noxfile: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noxfile, "environment", lambda *_: None)
    session = FakeSession("--profile", "gpu", "--seeds", "5")
    nox.registry.get()["reproduce-spectr"](session)
    assert session.ran == [
        (noxfile.PYTHON, "-m", "harness.cli.main", "run", "spectr", "--profile", "gpu", "--seeds", "5")
    ]


def test_smoke_runs_every_suite(noxfile: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noxfile, "environment", lambda *_: None)
    session = FakeSession()
    nox.registry.get()["smoke"](session)
    assert [command[3:] for command in session.ran] == [("run", "--all", "--profile", "smoke")]


def test_rehearse_takes_every_suite(noxfile: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noxfile, "environment", lambda *_: None)
    session = FakeSession("--profile", "gpu")
    nox.registry.get()["rehearse"](session)
    assert [command[3:] for command in session.ran] == [("rehearse", "--all", "--profile", "gpu")]


def test_a_third_of_the_rehearsals_is_due_on_a_day(
    noxfile: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Assert that three days cover all suites once, and that a change brings its own suite in."""
    days = [noxfile.suites_due(date(2026, 3, day), []) for day in (1, 2, 3)]
    assert sorted(name for due in days for name in due) == sorted(noxfile.SUITES)
    assert {len(due) for due in days} == {3, 4}
    changed = ["methods/rest_react/world.py", "suites/il_bench/large.py", "methods/common/lora.py"]
    assert all({"rest-react", "il-bench"} <= {*noxfile.suites_due(date(2026, 3, d), changed)} for d in (1, 2))
    monkeypatch.setattr(noxfile, "environment", lambda *_: None)
    monkeypatch.setattr(noxfile, "changed_files", lambda: changed)
    session = FakeSession("--third", "--dtype", "float32")
    nox.registry.get()["rehearse"](session)
    (command,) = session.ran
    assert command[3] == "rehearse"
    assert "--third" not in command
    assert {"rest-react", "il-bench", "--dtype"} <= {*command}


def test_reliability_runs_in_orders_that_differ_and_can_be_given_again(
    noxfile: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noxfile, "environment", lambda *_: None)
    session = FakeSession("-x")
    nox.registry.get()["reliability"](session)
    seeds = {word for command in session.ran for word in command if word.startswith("--random-order-seed=")}
    assert len(session.ran) == len(seeds) == 3
    assert all({"-x", "--random-order", "tests/reliability"} <= {*command} for command in session.ran)
    once = FakeSession("--orders", "1", "-x")
    nox.registry.get()["reliability"](once)
    assert len(once.ran) == 1
    assert "-x" in once.ran[0]
    assert "--orders" not in once.ran[0]


def test_bench_runs_the_named_benchmark(noxfile: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noxfile, "environment", lambda *_: None)
    session = FakeSession("engine_overhead")
    nox.registry.get()["bench"](session)
    assert session.ran == [(noxfile.PYTHON, "-m", "benchmarks.engine_overhead")]
    with pytest.raises(RuntimeError, match=r"(?s)overhaed.*engine_overhead"):
        nox.registry.get()["bench"](FakeSession("overhaed"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "gave no answer"),
        ("", "gave no answer"),
        ('{"dependencies": []}', "0 of 0 packages"),
        ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', "1 of 1 packages, a among them"),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1"}]}]}', "a 1: X-1"),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', ""),
    ],
)
def test_an_audit_that_asked_nobody_is_not_passed(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str | None, said: str
) -> None:
    class Session(FakeSession):
        def install(self, *words: str) -> None:
            self.installed.append(words)

        def run(self, *command: str, **options: Any) -> None:
            super().run(*command, **options)
            if command[0] == "pip-audit" and answer is not None:
                Path(command[-1]).write_text(answer)

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "environment", lambda session, *groups: None)
    (tmp_path / ".nox" / "audit.json").write_text('{"dependencies": "of an earlier audit"}')
    session = Session("own.json")
    if said:
        with pytest.raises(RuntimeError, match=said):
            environment.audit(session)
    else:
        environment.audit(session)
    listing, asking = session.ran
    assert {"own.json", environment.PYTHON} <= {*listing}
    assert {"--requirement", "constraints.txt"} <= {*asking}


def test_the_site_is_built_strictly_from_fresh_reports(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Session(FakeSession):
        def install(self, *words: str) -> None:
            self.installed.append(words)

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "environment", lambda session, *groups: None)
    stale = [
        tmp_path / "build" / "docs" / "gone.html",
        tmp_path / environment.DOCS_WORK / "extra/reports/old.md",
    ]
    for path in stale:
        path.parent.mkdir(parents=True)
        path.touch()
    kept, fresh = Session("--keep-reports"), Session()
    environment.docs(kept)
    assert [path.exists() for path in stale] == [False, True]
    environment.docs(fresh)
    assert not stale[1].exists()
    written = [command[3:5] for command in fresh.ran if command[2] == "harness.cli.main"]
    assert written == [*(("report", suite) for suite in sorted(environment.SUITES)), ("report", "--index")]
    assert fresh.ran[len(written) :] == kept.ran
    gather, build, check = kept.ran
    assert gather[1].endswith("gather.py")
    assert "--fail-on-warning" in build
    assert check[1:] == ("docs/site/check.py", build[-1])
    assert {"--constraint", "constraints.txt", *environment.group("docs")} <= {*kept.installed[0]}
    with pytest.raises(RuntimeError, match="--keep"):
        environment.docs(Session("--kep"))


def test_the_environment_is_made_once(environment: ModuleType) -> None:
    first, second = FakeSession(), FakeSession()
    environment.environment(first)
    environment.environment(second)
    assert ["virtualenv" in first.installed[0], "--editable" in first.installed[1]] == [True, True]
    assert second.installed == []


def test_groups_add_up(environment: ModuleType) -> None:
    asked: list[tuple[str, ...]] = [("test",), (), ("typecheck",), ("test",)]
    installs = []
    for groups in asked:
        session = FakeSession()
        environment.environment(session, *groups)
        installs.append(any("--editable" in command for command in session.installed))
    assert installs == [True, False, True, False]
    assert json.loads(environment.STAMP.read_text())["groups"] == ["test", "typecheck"]


def test_new_pins_refresh_the_environment_without_making_it_anew(
    environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.environment(FakeSession())
    pins = tmp_path / "constraints.txt"
    pins.write_text("numpy==2.0.0\n")
    monkeypatch.setattr(environment, "CONSTRAINTS", str(pins))
    session = FakeSession()
    environment.environment(session)
    assert [("virtualenv" in command) for command in session.installed] == [False]


def test_a_failed_installation_is_not_taken_for_a_finished_one(environment: ModuleType) -> None:
    class Fails(FakeSession):
        def run_install(self, *command: str, **options: Any) -> None:
            if "pip" in command:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        environment.environment(Fails())
    session = FakeSession()
    environment.environment(session)
    assert len(session.installed) == 2


@pytest.mark.parametrize(("capability", "skipped"), [("AVX512", 0), ("AVX2", 1), ("DEFAULT", 2)])
def test_portable_tests_run_under_every_setting_that_the_cpu_has(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capability: str, skipped: int
) -> None:
    given: list[dict[str, str]] = []

    class Session(FakeSession):
        def run(self, *command: str, **options: Any) -> Any:
            if "pytest" not in command:
                return f"{capability}\n"
            given.append(options["env"])
            if "ATEN_CPU_CAPABILITY" not in options["env"]:
                return True
            raise environment.nox.command.CommandFailed

    monkeypatch.setattr(environment, "environment", lambda session, *groups: None)
    with pytest.raises(RuntimeError, match="aten-default"):
        environment.tests_portable(Session())
    assert len(given) == len(environment.PORTABLE) - skipped
    assert {len(set(env.items()) - set(environment.THREADS.items())) > 0 for env in given} == {True}
    with pytest.raises(RuntimeError, match="Unknown: sse"):
        environment.tests_portable(Session("sse"))
