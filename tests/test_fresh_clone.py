"""README's commands in a fresh clone, with nothing installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a git checkout"),
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh") / "a clone with spaces"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    shell(folder, "python3 -m venv .venv && .venv/bin/pip install --quiet nox", python=sys.base_prefix)
    return folder


def shell(folder: Path, line: str, python: str = "") -> str:
    """Run a line of README as a user would, without anything of this environment."""
    own = ("VIRTUAL", "PYTHON", "NOX", "PYTEST")
    keep = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    path = f"{python}/bin:{os.environ['PATH']}" if python else os.environ["PATH"]
    environment = {**keep, "PATH": path, "CORROBORATE_HOME": str(folder / "home")}
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout + done.stderr


def test_listing_needs_nothing_but_nox(clone: Path) -> None:
    assert "reproduce-ibws [reproduce] -> " in shell(clone, ".venv/bin/nox -l")
    assert not (clone / ".nox" / "corroborate").exists()


def test_a_paper_is_reproduced_and_the_second_time_nothing_is_installed(clone: Path) -> None:
    command = ".venv/bin/nox -s reproduce-ibws -- --profile smoke"
    assert "pip install" in shell(clone, command)
    assert list((clone / "runs").glob("*/report/*.html"))
    assert "pip install" not in shell(clone, command)


def test_the_tests_need_no_more_than_their_session_installs(clone: Path) -> None:
    """Neither what only other sessions install (linters, Ray) nor a folder for the user's cache."""
    ours = ("noxfile", "repository", "contributing")
    assert "passed" in shell(
        clone, f".venv/bin/nox -s tests -- {' '.join(f'tests/test_{n}.py' for n in ours)}"
    )


def test_the_wheel_holds_the_command_and_the_four_packages_with_their_data(clone: Path) -> None:
    shell(clone, ".venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir wheels .")
    (wheel,) = (clone / "wheels").glob("corroborate-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    listing = shell(clone, "git ls-files harness methods suites reports").splitlines()
    assert packed == {name.replace("harness/command/", "corroborate_command/") for name in listing}
