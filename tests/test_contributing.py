"""The worked example of CONTRIBUTING.md, taken from the page and run as a newcomer would."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness import claims
from harness import suite as declared
from harness.claims.forms import FORMS
from harness.method import mean_of
from harness.scaffold import LISTS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE, flags=re.DOTALL))
AT_LEAST = "tests/harness/evidence/at_least.py"
COMMANDS = [shlex.split(line)[1:] for line in re.findall(r"^\$ corroborate .*$", PAGE, flags=re.MULTILINE)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree with the suite that the page makes, and the method from outside."""
    folder = tmp_path_factory.mktemp("checkout")
    leave = shutil.ignore_patterns("__pycache__", "reference")
    for name in ("harness", "methods", "suites", "reports"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    for name in ("pyproject.toml", *LISTS):
        shutil.copy(ROOT / name, folder)
    made = corroborate(folder, *COMMANDS[0][1:])
    assert made.returncode == 0, made.stderr
    (folder / "median.py").write_text(FILES["median.py"], encoding="utf-8")
    _register(folder)
    return folder


def _register(folder: Path) -> None:
    """Do what installing the changed ``pyproject.toml`` would do."""
    changed = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    installed = folder / "robust-0.1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: robust\nVersion: 0.1\n")
    target = changed["project"]["entry-points"]["corroborate.suites"]["robust"]
    (installed / "entry_points.txt").write_text(f"[corroborate.suites]\nrobust = {target}\n")


def corroborate(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "CORROBORATE_HOME": str(checkout / "home")}
    return subprocess.run(
        [sys.executable, "-m", "harness.cli.main", *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def latest(checkout: Path) -> Path:
    return max((path.parent for path in (checkout / "runs").glob("*/run.json")), key=lambda path: path.name)


def test_the_page_has_its_files_and_commands() -> None:
    assert {Path(name).name for name in FILES} >= {"method.py", "__init__.py", "paper.toml", "median.py"}
    names = ["new-suite", "plan", "run", "verdicts", "controls", "check-method", "run"]
    assert [command[1] for command in COMMANDS] == names


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("methods/", "suites/"))])
def test_the_page_shows_the_files_as_they_are_written(checkout: Path, name: str) -> None:
    assert FILES[name] == (checkout / name).read_text(encoding="utf-8")


def test_the_page_shows_the_form_that_is_tested() -> None:
    assert {name for name in FILES if name.startswith("tests/")} == {AT_LEAST}
    assert FILES[AT_LEAST] == (ROOT / AT_LEAST).read_text(encoding="utf-8")


def test_a_form_that_is_written_as_the_page_says_stands_the_battery(tmp_path: Path) -> None:
    """Its module, two lines in the registry and its case: no other code is touched, or has to be."""
    for name in ("harness", "reports", "tests/harness/evidence"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/__init__.py", "tests/harness/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    form, case = FILES[AT_LEAST].split("\n\nAT_LEAST = ")
    forms, cases = "harness/claims/forms", "tests/harness/evidence/form_cases.py"
    own = re.sub(r"^from tests\..*\n", "", form, flags=re.MULTILINE)
    (tmp_path / forms / "at_least.py").write_text(own, encoding="utf-8")
    _insert(
        tmp_path / forms / "__init__.py",
        {
            "from harness.claims.forms.base import": "from harness.claims.forms.at_least import AtLeast\n",
            f'    "{min(FORMS)}",': '    "AtLeast",\n',
        },
    )
    _insert(
        tmp_path / cases, {"    Control,": "    AtLeast,\n", '    "NotRun": FormCase': f'"AtLeast": {case},'}
    )
    battery = "every_form or import_every_form"
    commands = [["pytest", "-p", "no:cacheprovider", "-k", battery, "tests/harness/evidence/test_forms.py"]]
    if importlib.util.find_spec("ruff"):  # It is of the lint environment.
        commands.append(["ruff", "check", "--no-cache", forms])
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert command[0] == "ruff" or f"{6 * (len(FORMS) + 1) + 2} passed" in done.stdout


def _insert(path: Path, lines: dict[str, str]) -> None:
    """Put lines before those that begin so."""
    text = path.read_text(encoding="utf-8")
    for before, line in lines.items():
        assert text.count(f"\n{before}") == 1, before
        text = text.replace(f"\n{before}", f"\n{line}{before}")
    path.write_text(text, encoding="utf-8")


def test_every_form_is_shown_as_it_is_declared() -> None:
    shown = re.findall(r"^\| .* \| `([A-Z]\w+\(.*?\))`(?:,| \|)", PAGE, flags=re.MULTILINE)
    known = {name: getattr(claims, name) for name in claims.__all__}
    cells = {name: claims.Cell("e", name, mean_of("error", better="lower")) for name in "abcd"}
    made = [eval(text, {**known, **cells}) for text in shown]  # noqa: S307 - the page is ours
    assert {type(form).__name__ for form in made} == set(FORMS)
    assert [fault for form in made for fault in (*form.faults(), *form.cautions())] == []
    [precondition] = re.findall(r"`(Precondition\(.*?\))`", PAGE)
    assert eval(precondition, {**known, **cells}).name == "headroom"  # noqa: S307 - as above


def test_the_figure_that_is_shown_can_be_declared() -> None:
    [code] = re.findall(r"```python\n(FIGURES = .*?)```", PAGE, flags=re.DOTALL)
    place = claims.Place("tails", "n10", metric=mean_of("error", better="lower"))
    found: dict[str, Any] = {**vars(declared), "ARMS": declared.arms({"mean": "mean"}), "TAILS": place}
    exec(code, found)  # noqa: S102 - as above
    [figure] = found["FIGURES"]
    assert [(x, y.task) for line in figure.series for x, y in line.points] == [
        (10.0, "n10"),
        (30.0, "n30"),
        (100.0, "n100"),
    ]


def test_the_example_works_as_written(checkout: Path) -> None:
    """Assert that every command succeeds, and that the claim, its control and the guest are judged."""
    for _, *arguments in COMMANDS[1:]:
        done = corroborate(checkout, *arguments)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    run = latest(checkout)
    judged = json.loads((run / "verdicts.json").read_text(encoding="utf-8"))
    assert [(claim["claim"], claim["verdict"]) for claim in judged["verdicts"]] == [("C1", "reproduced")]
    assert [(cell["control"], cell["outcome"]) for cell in judged["controls"]] == [("no-trimming", "kill")]
    trials = [json.loads(line) for line in (run / "trials.jsonl").read_text(encoding="utf-8").splitlines()]
    guests = {trial["method"] for trial in trials} - {"mean", "trimmed", "untrimmed"}
    assert len(guests) == 1
    assert all(trial["status"] == "ok" for trial in trials)
