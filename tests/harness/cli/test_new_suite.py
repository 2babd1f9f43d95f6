"""``corroborate new-suite``: what it writes is whole and green, and it writes over nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.scaffold import LISTS, registered

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
    for name in LISTS:
        shutil.copy(ROOT / name, checkout)
    return checkout


def test_in_a_repository_it_is_listed_where_suites_are(tmp_path: Path) -> None:
    """In each list by what is known of the paper, with nothing else in it changed."""
    checkout = repository(tmp_path)
    done = made(checkout, "kraft", "--title", TITLE, "--arxiv", "2401.00123", "--year", "2025",
                "--author", "No, Ada M.", "--author", "Grace van Hopper", "--runs", "toy models")  # fmt: skip
    assert done.returncode == 0, done.stderr
    new = {name: (checkout / name).read_text(encoding="utf-8") for name in ("pyproject.toml", *LISTS)}
    old = {name: (ROOT / name).read_text(encoding="utf-8") for name in LISTS}
    assert new["pyproject.toml"] == PYPROJECT.replace("lite =", 'kraft = "suites.kraft:SUITE"\nlite =')
    row = f"| `kraft` | [{TITLE}](https://arxiv.org/abs/2401.00123) | toy models |\n"
    assert new["README.md"] == old["README.md"].replace("| `lite` |", f"{row}| `lite` |", 1)
    assert new["CHANGELOG.md"].replace(f"- A new suite, `kraft`: {TITLE}.\n", "") == old["CHANGELOG.md"]
    yaml = pytest.importorskip("yaml")
    before, after = (yaml.safe_load(text["CITATION.cff"]) for text in (old, new))
    place = [one["scope"] for one in after["references"]].index("Suite kraft")
    assert after["references"][place + 1]["scope"] == "Suite lite"
    added = after["references"].pop(place)
    assert after == before
    assert (added["title"], added["year"], added["identifiers"][0]["value"]) == (
        TITLE,
        2025,
        "arXiv:2401.00123",
    )
    people = [
        {"family-names": "No", "given-names": "Ada M."},
        {"family-names": "Hopper", "given-names": "Grace van"},
    ]
    assert added["authors"] == people
    record = tomllib.loads((checkout / "suites" / "kraft" / "paper.toml").read_text(encoding="utf-8"))
    assert (record["arxiv"], record["year"]) == ("2401.00123", 2025)
    assert record["authors"] == ["Ada M. No", "Grace van Hopper"]
    assert "author={No, Ada M. and Hopper, Grace van}" in record["bibtex"]
    assert (checkout / "docs" / "papers" / "kraft.md").exists()


def test_the_last_suite_in_alphabetical_order_is_listed_last(tmp_path: Path) -> None:
    checkout = repository(tmp_path)
    assert made(checkout, "zz").returncode == 0
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert readme.index("| `spectr` | [") < readme.index("| `zz` | [")
    assert (checkout / "CITATION.cff").read_text(encoding="utf-8").endswith("scope: Suite zz\n")


@pytest.mark.parametrize(
    "option",
    [
        ("--arxiv", "24.1"),
        ("--year", "last"),
        ("--author", "A {brace"),
        ("--author", ", Ada"),
        ("--runs", "a | b"),
    ],
)
def test_what_would_spoil_a_list_is_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    checkout = repository(tmp_path)
    done = made(checkout, "my-paper", *option)
    assert done.returncode == 2, done.stderr
    assert option[0] in done.stderr
    assert (checkout / "README.md").read_text(encoding="utf-8") == (ROOT / "README.md").read_text(
        encoding="utf-8"
    )


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
    assert "--title has" in done.stderr
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
