"""File systems of a test's own, small or read-only, and what commands do on them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reliability.toys_cli import ROOT, WITH_DEMO

_WAYS = (["unshare", "-Urm"], ["unshare", "-m"])
"""To a mount namespace: any user's where user namespaces are allowed, else root's."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def way_to_mount() -> list[str]:
    """The command before a program that may mount file systems; skips where there is none."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    for way in _WAYS:
        if shutil.which("unshare") is None:
            break
        if subprocess.run([*way, *mount], capture_output=True, check=False).returncode == 0:
            return way
    pytest.skip("neither this user nor a namespace of its own may mount a file system")


def corroborate(*arguments: str) -> str:
    """A command with ``demo`` as its only suite, as a line of a shell."""
    return shlex.join([sys.executable, "-c", WITH_DEMO, *arguments])


def on_disk(folder: Path, size: str, *lines: str) -> list[Done]:
    """Run lines of a shell in ``folder``, where ``disk`` is a file system of its own; each line's end.

    What is on it goes with it: lines copy away what a test wants to see.
    """
    (folder / "disk").mkdir()
    (folder / "said").mkdir()
    script = [f"mount -t tmpfs -o size={size} tmpfs disk || exit 1"]
    for n, line in enumerate(lines):
        script.append(f"{{ {line}\n}} > said/{n}.out 2> said/{n}.err; echo $? > said/{n}.code")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CORROBORATE_HOME": str(folder / "home")}
    command = [*way_to_mount(), "sh", "-c", "\n".join(script)]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return [_done(folder / "said", n) for n in range(len(lines))]


def _done(said: Path, number: int) -> Done:
    code, out, err = ((said / f"{number}.{end}").read_text() for end in ("code", "out", "err"))
    return Done(int(code), out, err)
