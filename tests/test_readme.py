"""Assert that what README.md tells users to type exists."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from harness.cli import main as cli
from harness.scaffold import Facts

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
RUNNING = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\$ corroborate (.*)$", TEXT, flags=re.MULTILINE)
PAGES = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
TOLD = re.findall(r"^ *(?:\$|- run:) corroborate (.*)$", PAGES, flags=re.MULTILINE)
INLINE = re.findall(r"`corroborate ([a-z][^`\n]* [^`\n]+)`", TEXT + RUNNING)
SESSIONS = re.findall(r"nox -s ([a-z-]+)", TEXT)


@pytest.mark.parametrize("line", [*LINES, *INLINE, *TOLD])
def test_the_command_line_accepts(line: str) -> None:
    words = shlex.split(line, comments=True)
    words = ["gemma" if word == "KEY" else word for word in words]
    args = cli._parser(words[0]).parse_args(words)
    assert vars(args) != {}


def test_commands_were_found() -> None:
    assert {line.split()[0] for line in LINES} >= {"run", "why", "compare", "report", "table", "cache"}
    assert {line.split()[0] for line in INLINE} >= {"regress", "mirror"}
    assert {line.split()[0] for line in TOLD} >= {"run", "reference", "regress", "report", "bundle", "noise"}


@pytest.mark.parametrize("session", sorted(set(SESSIONS)))
def test_the_session_exists(session: str) -> None:
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    suites = {f"reproduce-{path.parent.name.replace('_', '-')}" for path in ROOT.glob("suites/*/paper.toml")}
    assert session in suites or f"def {session.replace('-', '_')}(" in noxfile


@pytest.mark.parametrize(
    "record", sorted(ROOT.glob("suites/*/paper.toml")), ids=lambda path: path.parent.name
)
def test_the_suite_has_a_row(record: Path) -> None:
    paper = tomllib.loads(record.read_text(encoding="utf-8"))
    assert f"| `{paper['slug']}` | [" in TEXT
    assert f"https://arxiv.org/abs/{paper['arxiv']}" in TEXT
    assert f"| {Facts('').runs} |" not in TEXT
