"""The command line with a toy suite: in this process, and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.cli import main as cli
from harness.cli import suites

ROOT = Path(__file__).resolve().parents[2]
WITH_DEMO = """
import sys
from importlib.metadata import EntryPoint
from harness.cli import main, suites
demo = EntryPoint("demo", "tests.harness.cli.demo:SUITE", suites.SUITE_GROUP)
suites._points = {suites.SUITE_GROUP: {"demo": demo}, suites.METHOD_GROUP: {}}.__getitem__
sys.exit(main.main(sys.argv[1:]))
"""
"""A program: the command line with ``demo`` as its only suite."""
RUN = ("run", "demo", "--profile", "smoke", "--engine", "inline", "--no-report")


class Shell:
    """Runs commands in this process and keeps what they print and how they end."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str) -> int:
        try:
            self.code = cli.main(arguments)
        except SystemExit as ended:  # What the shell would see of it.
            self.code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        captured = self._capture.readouterr()
        self.out, self.err = captured.out, captured.err
        return self.code


def demo_shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Shell:
    """A shell in ``folder``, with ``demo`` installed; modules there are found, and forgotten afterwards."""
    points: dict[str, dict[str, EntryPoint]] = {
        suites.SUITE_GROUP: {"demo": EntryPoint("demo", "tests.harness.cli.demo:SUITE", suites.SUITE_GROUP)},
        suites.METHOD_GROUP: {},
    }
    monkeypatch.setattr(suites, "_points", points.__getitem__)
    monkeypatch.setattr("sys.path", [*sys.path, str(folder)])
    monkeypatch.chdir(folder)
    return Shell(capsys)


def install_demo(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """Let another object be the suite ``demo``."""
    point = EntryPoint("demo", target, suites.SUITE_GROUP)
    monkeypatch.setattr(suites, "_points", lambda group: {"demo": point} if "suites" in group else {})


def process(
    folder: Path,
    *arguments: str,
    program: tuple[str, ...] = ("-m", "harness.cli.main"),
    path: tuple[Path, ...] = (),
    redirect: str = "",
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program with the shell's redirections, and this repository and ``path`` on the Python path."""
    places = os.pathsep.join(map(str, (*path, ROOT)))
    command = ["sh", "-c", f'exec "$0" "$@" {redirect}', sys.executable, *program, *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places, **(environment or {})},
        check=False,
        preexec_fn=before,
    )


def package(folder: Path, name: str, points: str, modules: Mapping[str, str]) -> Path:
    """Install a package into a folder: its entry points, and its modules by file name."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(points)
    for file, text in modules.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder
