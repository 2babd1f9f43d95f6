"""Commands that installed packages add: the methods of a paper on data of one's own.

An entry point of the group ``corroborate.commands`` names a module with ``add_arguments(parser)`` and
``main(args)``. What ``main`` returns is not looked at: it raises an error of :mod:`harness.method`, or all is
fine. The first line of the module's docstring is the line of help, and is read without importing the module.
"""

from __future__ import annotations

import argparse
import ast
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

from harness.errors import ExitCode, UsageError
from harness.foreign import foreign
from harness.installed import broken_points, found_points, location

COMMAND_GROUP = "corroborate.commands"


def extension_names() -> list[str]:
    """Names of the commands that installed packages add."""
    return list(found_points(COMMAND_GROUP))


def extension_help(name: str) -> str:
    """The line of help of an added command; nothing of it is imported."""
    path = location(found_points(COMMAND_GROUP)[name])
    try:
        text = ast.get_docstring(ast.parse(path.read_bytes())) if path else None
    except (OSError, SyntaxError, ValueError):
        text = None
    first, _, _ = (text or "").partition("\n")
    # "``corroborate bws``: what it does." as modules of commands begin.
    return (first.rpartition("``: ")[2] or "a command of an installed package").rstrip(".").replace("``", "")


@dataclass(frozen=True)
class Extension:
    """An added command; has what the modules of our own commands have."""

    point: EntryPoint
    module: Any

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its options."""
        with foreign("The command's options cannot be declared", where=self.point.value):
            self.module.add_arguments(parser)

    def main(self, args: argparse.Namespace) -> ExitCode:
        """Carry it out."""
        self.module.main(args)
        return ExitCode.OK


def extension(name: str) -> Extension:
    """The added command called ``name``.

    Raises:
        UsageError: If it cannot be found or imported, or is no module of a command.
    """
    if why := broken_points(COMMAND_GROUP).get(name):
        raise UsageError(f"The command '{name}' cannot be used: {why}", where="an installed package")
    point = found_points(COMMAND_GROUP)[name]
    with foreign("The command cannot be imported", where=f"{name}, {point.value}"):
        module = point.load()
    if not (callable(getattr(module, "add_arguments", None)) and callable(getattr(module, "main", None))):
        raise UsageError("A command's module needs add_arguments(parser) and main(args)", where=point.value)
    return Extension(point, module)
