from __future__ import annotations

import pytest

from harness.errors import ExitCode
from tests.harness.cli.conftest import Shell


@pytest.mark.parametrize("name", ["guest", "tests.harness.cli.demo:Mean"])
def test_an_honest_method_passes(shell: Shell, name: str) -> None:
    assert shell("check-method", name, "--suite", "demo") == ExitCode.OK
    assert "demo/heavy/t2" in shell.out
    assert "0 failed" in shell.out


def test_another_parameter_may_suit_the_problem(shell: Shell) -> None:
    assert shell("check-method", "tests.harness.cli.demo:Picky", "--set", "limit=30") == ExitCode.OK
    assert "0 failed" in shell.out


def test_a_broken_method_fails_with_the_reason(shell: Shell) -> None:
    assert shell("check-method", "tests.harness.cli.demo:Sorting") == ExitCode.LOST
    assert "the problem was changed" in shell.out
    assert "1 failed" in shell.out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["tests.harness.cli.demo:Stranger"], "Samples"),
        (["tests.harness.cli.demo:Absent"], "cannot be imported"),
        (["tests.harness.cli.demo:Picky"], "More than 10 sets are too many"),
        (["tests.harness.cli.demo:Picky", "--set", "limt=9"], "Did you mean limit"),
        (["tests.harness.cli.demo:Picky", "--set", "limit=many"], "int"),
        (["guset"], "Did you mean guest"),
        (["guest", "--suite", "dem"], "Did you mean demo"),
    ],
)
def test_wrong_names_are_usage_errors(shell: Shell, arguments: list[str], part: str) -> None:
    assert shell("check-method", *arguments) == ExitCode.USAGE
    assert part in shell.err
