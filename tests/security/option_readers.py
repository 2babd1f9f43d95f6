"""Values of options, and whole command lines, as a user or a script may give them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from enum import Enum
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Literal

from harness.cli import main as cli
from harness.cli.options import coerce, parse_bindings, parse_parameters, parse_seeds, profile_named
from harness.cli.suites import method_class
from harness.cli.until_settled import parse_budget
from harness.store import find_run
from tests.harness.toy import Shrunk, toy_suite
from tests.security.mutations import Make, odd_text
from tests.security.readers import Reader


class Colour(Enum):
    """A type of parameters."""

    RED = "red"
    BLUE = 2


_HINTS: tuple[Any, ...] = (
    int,
    float,
    bool,
    str,
    Path,
    Any,
    None,
    Colour,
    Literal["a", 1],
    int | None,
    float | str,
    tuple[int, ...],
    tuple[int, float],
    list[tuple[int, ...]],
    list[float] | None,
    dict[str, int],
)
_ODD_WORDS = (
    *(
        "1" * 5000,
        "٣",
        "²",
        "1_0",
        "0x1",
        "inf",
        "~",
        "~nobody",
        "a=b",
        "numbers=.",
        "red",
        "MIT AND X",
        "100-104",
    ),
    *("8", "100,103", "1h30m", "toy-small", "os:path", "(1, 2.5)", "[1,2]", "none", "true", "--", "-1"),
)
_PARTS = "0123456789,-.hms=:_() \u0663"
_TOKENS = (
    *(
        *cli.COMMANDS,
        "--profile",
        "small",
        "--seeds",
        "--set",
        "--bind",
        "--method",
        "--runs",
        "--memory",
        "toy",
    ),
    *(
        "--out",
        "--json",
        "--limit-gb=nan",
        "--minutes=x",
        "--workers",
        "-h",
        "--",
        "-",
        "--version",
        "--claim",
    ),
)


def _word(rng: Random) -> str:
    """A value as it may be given; the system ends arguments at their first null character."""
    kind = rng.random()
    if kind < 0.4:
        return "".join(rng.choice(_PARTS) for _ in range(rng.randrange(12)))
    return (rng.choice(_ODD_WORDS) if kind < 0.7 else odd_text(rng)).replace("\0", "")


def _after(start: str) -> Make:
    """A value after a name that is known, or any word."""
    return lambda rng: start * (rng.random() < 0.7) + _word(rng)


def _typed(rng: Random) -> tuple[str, Any]:
    return _word(rng), rng.choice(_HINTS)


def _tokens(rng: Random) -> list[str]:
    words = (rng.choice(_TOKENS) if rng.random() < 0.8 else _word(rng) for _ in range(rng.randrange(6)))
    return list(words)


def _hinted(given: tuple[str, Any], folder: Path) -> None:
    with suppress(ValueError):  # Callers make an error of ours of it.
        coerce(*given)


def _command_line(tokens: list[str], folder: Path) -> None:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as told:
        code = 0
        try:
            cli._chosen(tokens)
        except SystemExit as end:  # Help, or an option that the parser does not know.
            code = int(end.code or 0)
    assert code == 0 or (code == 2 and "error:" in told.getvalue())


OPTION_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "--seeds": Reader(_word, lambda text, folder: parse_seeds(text)),
        "--budget": Reader(_word, lambda text, folder: parse_budget(text)),
        "--profile": Reader(_word, lambda text, folder: profile_named(text)),
        "--bind": Reader(
            _after("numbers="), lambda text, folder: parse_bindings([text], toy_suite(folder), ["numbers"])
        ),
        "--set": Reader(_after("factor="), lambda text, folder: parse_parameters([text], Shrunk)),
        "--method": Reader(_word, lambda text, folder: method_class(text)),
        "value of a parameter": Reader(_typed, _hinted),
        "name of a run": Reader(_word, find_run),
        "command line": Reader(_tokens, _command_line),
    }
)
