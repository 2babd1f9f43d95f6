"""The command line with ``demo`` as its only suite."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.cli import main as cli
from harness.cli import suites


class Shell:
    """Runs commands and keeps what they print."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str) -> int:
        self.code = cli.main(arguments)
        captured = self._capture.readouterr()
        self.out, self.err = captured.out, captured.err
        return self.code


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """A shell in an empty folder, with ``demo`` installed and a second suite that is broken."""
    points = {
        suites.SUITE_GROUP: {
            "demo": EntryPoint("demo", "tests.harness.cli.demo:SUITE", suites.SUITE_GROUP),
        },
        suites.METHOD_GROUP: {
            "guest": EntryPoint("guest", "tests.harness.cli.demo:Trimmed", suites.METHOD_GROUP)
        },
    }
    monkeypatch.setattr(suites, "_points", points.__getitem__)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)
