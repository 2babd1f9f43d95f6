"""What holds of the repository as a whole."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.scaffold import Facts
from harness.suite import Paper

ROOT = Path(__file__).parents[1]
PACKAGES = ("harness", "methods", "suites", "reports")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY_POINTS: dict[str, str] = PROJECT["project"]["entry-points"]["corroborate.suites"]
SUITES = sorted(target.partition(":")[0] for target in ENTRY_POINTS.values())
BINARY = {".png", ".pdf", ".parquet", ".gz"}
HEAVY = ("torch", "transformers", "datasets", "scipy", "pandas", "sklearn", "statsmodels", "matplotlib")


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control, or (in an archive) all that look like it."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    names = listing.stdout.split("\0")[:-1] if listing.returncode == 0 else []
    paths = [ROOT / name for name in names] or [*ROOT.glob("*.*"), *ROOT.glob("[a-z]*/**/*.*")]
    return tuple(path for path in paths if path.is_file())


def modules() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def test_the_import_rules_hold() -> None:
    # In a process of its own: it configures logging anew, which closes all handlers, and that of absl (which
    # rouge-score imports) closes the stream that was standard error then: pytest's.
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_suite_imports_no_other_papers_methods() -> None:
    graph = grimp.build_graph("suites", "methods", cache_dir=None)
    strangers = [
        (module, imported)
        for module in graph.modules
        if module.count(".") and module.startswith("suites.")
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.startswith("methods.") and imported.split(".")[1] not in (module.split(".")[1], "common")
    ]
    assert strangers == []


def light_modules() -> list[str]:
    declared = [path.relative_to(ROOT) for path in sorted((ROOT / "suites").rglob("*.py"))]
    solved = [path.relative_to(ROOT) for path in sorted((ROOT / "methods").glob("*/method.py"))]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in declared + solved]
    return [*names, "harness.cli.main", "harness.claims", "harness.suite"]


def test_declarations_import_nothing_heavy() -> None:
    """Assert that suites, method declarations and the command line start without heavy libraries."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[2].split(','):\n"
        "    importlib.import_module(name)\n"
        "    heavy = [module for module in sys.argv[1].split(',') if module in sys.modules]\n"
        "    assert not heavy, f'{name} imports {heavy}'\n"
    )
    command = [sys.executable, "-c", code, ",".join(HEAVY), ",".join(light_modules())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suite", sorted(ENTRY_POINTS))
def test_planning_imports_nothing_heavy(suite: str, tmp_path: Path) -> None:
    """Without stored results: the spread of those takes the statistics to measure."""
    code = (
        "import sys\n"
        "from harness.cli import runs\n"
        "from harness.cli.main import main\n"
        "runs.committed_folders = lambda suite, scale: []\n"
        "assert main(['plan', sys.argv[2]]) == 0\n"
        "heavy = [module for module in sys.argv[1].split(',') if module in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    command = [sys.executable, "-c", code, ",".join(HEAVY), suite]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


def test_what_a_plan_could_show_takes_statistics_and_no_learning_library(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from harness.cli.main import main\n"
        "assert main(['plan', 'spectr']) == 0\n"
        "assert 'scipy' in sys.modules\n"
        "heavy = [module for module in sys.argv[1].split(',') if module in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    command = [sys.executable, "-c", code, ",".join(sorted({*HEAVY} - {"scipy", "pandas"}))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", SUITES)
def test_the_papers_record_is_complete(module: str) -> None:
    paper = Paper.read(ROOT.joinpath(*module.split("."), "paper.toml"))
    assert paper.slug.replace("-", "_") == module.rpartition(".")[2]
    assert paper.title
    assert paper.authors
    assert re.fullmatch(r"\d{4}\.\d{4,5}", paper.arxiv)
    # What new-suite writes where it was not told.
    assert paper.arxiv != Facts("").arxiv
    assert list(paper.authors) != Facts("").names
    assert paper.bibtex.lstrip().startswith("@")
    assert len(paper.summary.split()) > 15
    assert paper.arxiv in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", SUITES)
def test_a_suites_entry_point_leads_to_the_suite_of_that_paper(module: str) -> None:
    suite = importlib.import_module(module).SUITE
    assert suite.folder == ROOT.joinpath(*module.split("."))
    assert suite.slug in ENTRY_POINTS


def requirements() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = PROJECT["dependency-groups"].values()
    return sorted({*PROJECT["project"]["dependencies"], *chain(*extras), *chain(*groups)})


@pytest.mark.parametrize("line", requirements())
def test_every_requirement_is_pinned_within_its_range(line: str) -> None:
    requirement = Requirement(line)
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(entry.split("==") for entry in lines if not entry.startswith("#"))
    versions = {canonicalize_name(name): version for name, version in pins.items()}
    assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


def test_no_file_names_a_place_of_its_authors() -> None:
    private = re.compile(r"(?<![\w.])/(?:home|work|root|Users|tmp)/\w|C:\\\\Users")
    found = []
    for path in tracked():
        if path.suffix not in BINARY:
            text = path.read_text(encoding="utf-8")
            found += [(path.relative_to(ROOT).as_posix(), match[0]) for match in private.finditer(text)]
    assert [hit for hit in found if hit[0] != "tests/test_repository.py"] == []


def test_modules_and_functions_stay_small() -> None:
    """Assert what the style asks for: modules under 400 lines, functions at most 60."""
    long = []
    for path in modules():
        source = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT).as_posix()
        long += [(name, lines)] if (lines := source.count("\n")) >= 400 else []
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                long += [(f"{name}:{node.name}", lines)] if lines > 60 else []
    assert long == []


LATER = {"annotationlib"}
"""Modules of Python's own that newer versions have."""


def imported(path: Path) -> set[str]:
    """Top-level names that a module imports absolutely."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - LATER - {*PACKAGES, "__future__"}


def test_everything_imported_is_declared() -> None:
    """Assert that no package is used that only happens to be installed through another one."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    declared = [Requirement(line).name for line in (*PROJECT["project"]["dependencies"], *chain(*extras))]
    known = {canonicalize_name(name) for name in declared}
    owners = packages_distributions()
    undeclared = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in modules()
        for name in imported(path)
        # Extras may not be installed, and are known then by the name that they are imported by.
        if not known & {canonicalize_name(owner) for owner in owners.get(name, [name])}
    }
    assert undeclared == set()
