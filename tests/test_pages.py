"""Pages about methods on one's own material name what there is: modules, names, commands, options."""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from harness.cli.main import _parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "methods").glob("*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def imports() -> list[tuple[str, str, str]]:
    found = []
    for page in PAGES:
        for code in blocks(page, "python"):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom):
                    found += [(page.name, node.module or "", alias.name) for alias in node.names]
    return found


@pytest.mark.parametrize(("page", "module", "name"), imports())
def test_what_pages_import_is_there(page: str, module: str, name: str) -> None:
    assert hasattr(import_module(module), name), page


def commands() -> list[tuple[str, str]]:
    return [
        (page.name, line[2:])
        for page in PAGES
        for text in blocks(page, "console")
        for line in text.splitlines()
        if line.startswith("$ corroborate ")
    ]


@pytest.mark.parametrize(("page", "command"), commands())
def test_commands_of_pages_are_understood(page: str, command: str) -> None:
    arguments = shlex.split(command)[1:]
    assert vars(_parser(arguments[0]).parse_args(arguments)), page


def test_the_readme_links_each_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"docs/methods/{page.name}" not in readme] == []
