"""Commands of installed packages: found, helped and told apart from our own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness import installed
from harness.cli import extensions
from harness.errors import ExitCode
from tests.harness.cli.conftest import Shell

MODULE = '''"""``corroborate greet``: says what it is told. More."""


def add_arguments(parser):
    parser.add_argument("word")


def main(args):
    from harness.method import ProblemError

    if args.word == "bad":
        raise ProblemError("Not this word", where="word")
    if args.word == "leave":
        raise SystemExit(0)
    print("hello", args.word)
'''


@pytest.fixture
def greet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that is as good as installed."""
    path = tmp_path / "greeting.py"
    path.write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("greet", "greeting", extensions.COMMAND_GROUP)
    monkeypatch.setattr(installed, "_read", lambda group: ({"greet": point}, {}))
    yield path
    # Its file is gone after the test; what is loaded counts among the inputs of other tests' runs.
    sys.modules.pop("greeting", None)


def test_an_added_command_runs(greet: Path, shell: Shell) -> None:
    assert shell("greet", "you") == ExitCode.OK
    assert shell.out == "hello you\n"


def test_help_names_it_without_importing_it(greet: Path, shell: Shell) -> None:
    with pytest.raises(SystemExit):
        shell("--help")
    assert "greeting" not in sys.modules
    assert shell() == ExitCode.USAGE
    assert "greet" in shell.out
    assert "says what it is told" in shell.out
    assert "greeting" not in sys.modules


def test_its_errors_are_errors_of_use(greet: Path, shell: Shell) -> None:
    assert shell("greet", "bad") == ExitCode.USAGE
    assert "Not this word (word)" in shell.err


def test_it_cannot_end_the_program_as_if_all_were_well(greet: Path, shell: Shell) -> None:
    assert shell("greet", "leave") == ExitCode.INFRASTRUCTURE


def test_a_near_name_is_proposed(greet: Path, shell: Shell) -> None:
    assert shell("gret") == ExitCode.USAGE
    assert "greet" in shell.err


@pytest.mark.parametrize(
    ("text", "told"),
    [("x = 1\n", "needs add_arguments"), ("import nothing_like_it\n", "cannot be imported")],
)
def test_a_broken_one_is_told_as_its_own(greet: Path, shell: Shell, text: str, told: str) -> None:
    greet.write_text(text, encoding="utf-8")
    assert shell("greet", "you") == ExitCode.USAGE
    assert told in shell.err


def test_our_own_commands_do_not_look_for_others(
    greet: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(group: str) -> None:
        raise AssertionError(group)

    monkeypatch.setattr(extensions, "found_points", never)
    with pytest.raises(SystemExit) as ended:
        shell("cache", "--help")
    assert ended.value.code == 0
