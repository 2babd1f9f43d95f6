"""However foreign code ends when it is imported or made, it is an error that names it: never 0 or 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ExitCode
from tests.reliability.toys_cli import Shell, demo_shell, install_demo

METHOD = """
from dataclasses import dataclass, field
from typing import ClassVar
from tests.harness.cli.demo import Mean, Samples
from harness.method import param

def ended():
    {way}

@dataclass(frozen=True)
class Own(Mean):
    '''A method of a user's.'''
    {fields}
    def __post_init__(self):
        {made}
"""
WAYS = {
    "exit-0": "raise SystemExit(0)",
    "exit-none": "raise SystemExit",
    "exit-1": "raise SystemExit(1)",
    "exit-text": "raise SystemExit('no licence')",
    "os-exit-0": "import os; os._exit(0)",
    "error": "raise RuntimeError('boom')",
    "base": "raise BaseException('boom')",
    "generator": "raise GeneratorExit",
    "memory": "raise MemoryError",
    "deep": "f = lambda: f(); f()",
}
COMMANDS = {
    "check-method": ("check-method",),
    "run": ("run", "demo", "--profile", "smoke", "--engine", "inline", "--method"),
    "plan": ("plan", "demo", "--profile", "smoke", "--method"),
}


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    return demo_shell(capsys, monkeypatch, tmp_path)


def assert_named_as_theirs(shell: Shell, file: str, line: int) -> None:
    assert shell.code == ExitCode.USAGE, shell.err
    assert f"{file}:{line}" in shell.err
    assert "fault of corroborate" not in shell.err
    assert "Traceback" not in shell.err
    assert not Path("runs").exists()


def survivable(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call of ``os._exit`` that gets through end the test, and not the process of all tests."""
    if way.startswith("os-exit"):

        def exited(status: int) -> None:
            pytest.fail(f"the process was ended with {status}")

        monkeypatch.setattr("os._exit", exited)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_the_end_of_a_module_is_its_own(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    survivable(way, monkeypatch)
    name = f"module_{way.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(f"import json\n{WAYS[way]}\n")
    shell("check-method", f"{name}:Own")
    assert_named_as_theirs(shell, f"{name}.py", 2)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_that_takes_a_method_says_so(shell: Shell, tmp_path: Path, command: str) -> None:
    name = f"ends_for_{command.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text("\nraise SystemExit(0)\n")
    shell(*COMMANDS[command], f"{name}:Own")
    assert_named_as_theirs(shell, f"{name}.py", 2)


def test_a_syntax_error_is_shown_with_its_line(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "no_syntax.py").write_text("x = 1\ndef f(:\n")
    shell("check-method", "no_syntax:Own")
    assert_named_as_theirs(shell, "no_syntax.py", 2)
    assert "SyntaxError" in shell.err
    assert "def f(:" in shell.err


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("way", ["exit-0", "exit-1", "error"])
def test_the_end_of_a_constructor_is_its_own(shell: Shell, tmp_path: Path, command: str, way: str) -> None:
    name = f"made_{command.replace('-', '_')}_{way.replace('-', '_')}"
    text = METHOD.format(way=WAYS[way], fields="", made="ended()")
    (tmp_path / f"{name}.py").write_text(text)
    shell(*COMMANDS[command], f"{name}:Own")
    assert_named_as_theirs(shell, f"{name}.py", text.splitlines().index(f"    {WAYS[way]}") + 1)


def test_the_end_of_a_default_factory_is_its_own(shell: Shell, tmp_path: Path) -> None:
    fields = "items: tuple = field(default_factory=ended)"
    text = METHOD.format(way="raise SystemExit(0)", fields=fields, made="pass")
    (tmp_path / "ends_in_default.py").write_text(text)
    shell("check-method", "ends_in_default:Own")
    assert_named_as_theirs(shell, "ends_in_default.py", 8)


def test_a_constructor_that_refuses_a_value_is_named(shell: Shell, tmp_path: Path) -> None:
    text = METHOD.format(
        way="raise SystemExit(0)",
        fields="share: float = param(0.5, source='ours')",
        made="self.share < 1 or ended()",
    )
    (tmp_path / "refuses_value.py").write_text(text)
    shell("check-method", "refuses_value:Own", "--set", "share=2")
    assert_named_as_theirs(shell, "refuses_value.py", 8)
    assert "share=2" in shell.err


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_class_that_says_nothing_of_its_problem_is_named(
    shell: Shell, tmp_path: Path, command: str
) -> None:
    text = "from harness.method import Method\nclass Own(Method):\n    def run(self, problem, ctx): pass\n"
    (tmp_path / f"no_problem_{len(command)}.py").write_text(text)
    assert shell(*COMMANDS[command], f"no_problem_{len(command)}:Own") == ExitCode.USAGE
    assert "problem_type" in shell.err
    assert "Traceback" not in shell.err


def test_annotations_that_cannot_be_read_are_the_methods(shell: Shell, tmp_path: Path) -> None:
    text = METHOD.format(way="pass", fields="share: 'Absent' = param(0.5, source='ours')", made="pass")
    (tmp_path / "no_such_type.py").write_text(text)
    shell("check-method", "no_such_type:Own", "--set", "share=2")
    assert shell.code == ExitCode.USAGE
    assert "'Absent'" in shell.err
    assert "fault of corroborate" not in shell.err


SUITE = """
from dataclasses import replace
from tests.harness.cli.demo import SUITE as DEMO
from harness.suite import Experiment

def experiments(scale):
    {body}

SUITE = replace(DEMO, experiments=experiments)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "demo"),
        ("plan", "demo"),
        ("run", "demo", "--engine", "inline"),
        ("doctor", "--online", "demo"),
    ],
)
@pytest.mark.parametrize("way", ["exit-0", "error"])
def test_the_end_of_a_declaration_is_the_suites(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], way: str
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.delenv("HF_DATASETS_OFFLINE")
    name = f"declares_{arguments[0]}_{way.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(SUITE.format(body=WAYS[way]))
    install_demo(monkeypatch, f"{name}:SUITE")
    shell(*arguments)
    assert_named_as_theirs(shell, f"{name}.py", 7)


def test_declarations_that_are_no_experiments_are_the_suites(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "declares_numbers.py").write_text(SUITE.format(body="return [1]"))
    install_demo(monkeypatch, "declares_numbers:SUITE")
    assert shell("plan", "demo") == ExitCode.USAGE
    assert "declares_numbers:SUITE" in shell.err
    assert "Experiment" in shell.err


def test_a_suite_that_ends_the_program_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "suite_that_exits.py").write_text("import sys\nsys.exit(0)\n")
    install_demo(monkeypatch, "suite_that_exits:SUITE")
    shell("run", "demo", "--profile", "smoke")
    assert_named_as_theirs(shell, "suite_that_exits.py", 2)


def test_what_ends_a_command_from_inside_is_no_result(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(args: object) -> int:
        raise SystemExit(0)

    monkeypatch.setattr("harness.cli.list.main", ended)
    assert shell("list") == ExitCode.INFRASTRUCTURE


def test_the_parser_still_ends_the_program(shell: Shell) -> None:
    assert shell("list", "--no-such-option") == ExitCode.USAGE
    assert shell("list", "--help") == ExitCode.OK


def test_a_provider_that_ends_the_program_is_a_missing_resource(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(folder: Path) -> None:
        raise SystemExit(0)

    monkeypatch.setattr("tests.harness.cli.demo.provide_numbers", ends)
    shell("run", "demo", "--profile", "small", "--engine", "inline", "--no-report")
    assert "sys.exit(0)" in shell.err
    assert "provide_numbers" in shell.err
    assert "not run: heavy" in shell.out
