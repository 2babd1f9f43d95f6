"""``corroborate new-suite``: what it writes is whole and green, and it writes over nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.scaffold import registered

ROOT = Path(__file__).parents[3]
WRITTEN = ("methods", "suites", "my_paper", "tests")
TITLE = "A Title: with a Colon, Longer than a Line of Code, as the Titles of Papers about Language Models Are"
PYPROJECT = """\
[project]
name = "toy"
version = "0.1"

[project.entry-points."corroborate.suites"]
ibws = "suites.ibws:SUITE"
lite = "suites.lite:SUITE"

[project.entry-points."corroborate.methods"]
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A module's command in a folder whose packages can be imported."""
    return start(folder, [str(folder), str(ROOT)], *command)


def made(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as it is installed: what lies in the folder hides nothing of it."""
    return start(folder, [str(ROOT)], "harness.cli.main", "new-suite", *arguments)


def start(folder: Path, search: list[str], *command: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(search)
    environment = {**os.environ, "PYTHONPATH": paths, "CORROBORATE_HOME": str(folder / "home")}
    return subprocess.run(
        [sys.executable, "-P", "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def install(folder: Path, entry: str) -> None:
    """What installing the package would do."""
    (folder / "toy.dist-info").mkdir()
    (folder / "toy.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 0.1\n")
    (folder / "toy.dist-info" / "entry_points.txt").write_text(f"[corroborate.suites]\n{entry}\n")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    done = made(folder, "my-paper", "--title", TITLE, "--package", str(folder / "made"))
    assert done.returncode == 0, done.stderr
    declared = tomllib.loads((folder / "made" / "pyproject.toml").read_text(encoding="utf-8"))
    entries = declared["project"]["entry-points"]["corroborate.suites"]
    install(folder / "made", *(f"{name} = {target}" for name, target in entries.items()))
    return folder / "made"


def test_a_package_runs_by_its_entry_point_and_passes_its_tests(package: Path) -> None:
    done = run(package, "harness.cli.main", "run", "my-paper", "--profile", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 trials executed" in done.stdout
    tests = run(package, "pytest", "-q", "-p", "no:cacheprovider")
    assert tests.returncode == 0, tests.stdout
    assert "10 passed" in tests.stdout


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is of the lint environment")
def test_what_is_written_is_linted_and_formatted(package: Path, tmp_path: Path) -> None:
    checkout, rules = repository(tmp_path), ("--no-cache", "--config", str(ROOT / "pyproject.toml"))
    assert made(checkout, "my-paper").returncode == 0
    for folder in (package, checkout):
        for command in (("check",), ("format", "--check")):
            done = run(folder, "ruff", *command, *rules, *(n for n in WRITTEN if (folder / n).is_dir()))
            assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is of the typecheck environment")
def test_what_is_written_is_typed(package: Path) -> None:
    config = ("--config-file", str(ROOT / "pyproject.toml"))
    done = run(package, "mypy", *config, "--cache-dir", os.devnull, "my_paper", "tests")
    assert done.returncode == 0, done.stdout


def repository(folder: Path) -> Path:
    """As much of a checkout as the command looks at."""
    checkout = folder / "checkout"
    for name in ("methods", "suites"):
        (checkout / name).mkdir(parents=True)
        (checkout / name / "__init__.py").write_text(f'"""The {name}."""\n')
    # Ruff sorts the house's imports as first-party only where it finds their modules.
    (checkout / "harness").symlink_to(ROOT / "harness")
    (checkout / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    return checkout


def test_in_a_repository_the_entry_point_is_added(tmp_path: Path) -> None:
    checkout = repository(tmp_path)
    done = made(checkout, "ir-paper")
    assert done.returncode == 0, done.stderr
    row, reference = done.stdout.split("\n\n")[-2:]
    assert row.splitlines()[-1].startswith("| `ir-paper` | [")
    (entry,) = pytest.importorskip("yaml").safe_load(reference)
    assert (entry["scope"], entry["identifiers"][0]["value"]) == ("Suite ir-paper", "arXiv:0000.00000")
    changed = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    assert changed == PYPROJECT.replace("lite =", 'ir-paper = "suites.ir_paper:SUITE"\nlite =')
    assert (checkout / "docs" / "papers" / "ir-paper.md").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    checkout = repository(tmp_path)
    taken = checkout / "methods" / "my_paper" / "method.py"
    taken.parent.mkdir()
    taken.write_text("mine")
    done = made(checkout, "my-paper")
    assert done.returncode == 2
    assert "methods/my_paper/method.py exists already" in done.stderr
    assert taken.read_text() == "mine"
    assert not (checkout / "suites" / "my_paper").exists()
    assert (checkout / "pyproject.toml").read_text(encoding="utf-8") == PYPROJECT


@pytest.mark.parametrize("name", ["My-Paper", "1st", "a--b", "a_b", "-a", "ä", "../a", "class"])
def test_a_name_that_would_be_no_module_is_refused(tmp_path: Path, name: str) -> None:
    done = made(repository(tmp_path), *(["--", name] if name.startswith("-") else [name]))
    assert done.returncode == 2
    assert "no name for a suite" in done.stderr


@pytest.mark.parametrize("title", ['A "quote"', "a {brace", "a brace}", "back\\slash", "two\nlines"])
def test_a_title_that_would_spoil_the_record_is_refused(tmp_path: Path, title: str) -> None:
    done = made(tmp_path, "my-paper", "--title", title, "--package", str(tmp_path / "made"))
    assert done.returncode == 2
    assert "The title has" in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["json", "numpy", "harness"])
def test_a_package_that_would_hide_another_is_refused(tmp_path: Path, name: str) -> None:
    done = made(tmp_path, name, "--package", str(tmp_path / "made"))
    assert done.returncode == 2
    assert f"a module called '{name}' already" in done.stderr
    assert not (tmp_path / "made").exists()


def test_elsewhere_it_says_where_to_go(tmp_path: Path) -> None:
    done = made(tmp_path, "my-paper")
    assert done.returncode == 2
    assert "--package FOLDER" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_taken_name_and_a_table_that_is_missing_are_told() -> None:
    with pytest.raises(UsageError, match="'lite' already"):
        registered(PYPROJECT, "lite", "suites.lite")
    with pytest.raises(UsageError, match="no table of suites"):
        registered("[project]\n", "a", "suites.a")
    assert registered(PYPROJECT, "zz", "suites.zz").index("zz =") > PYPROJECT.index("lite =")
