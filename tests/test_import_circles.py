"""No module needs itself, however late it imports: a circle of imports is one module in several files."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("harness", "methods", "reports", "suites")

ALLOWED = {
    ("harness.claims.labels", "harness.claims.quantity"): "types only: quantities name their labels",
    ("harness.foreign", "harness.method.contract"): "types only: foreign code makes methods",
    ("harness.method.references", "harness.method.contract"): "types only: artifacts are built in a context, "
    "which loads artifacts",
    ("harness.plan.canonical", "harness.plan.closed"): "one recursion: functions hold values, and values may "
    "be functions",
    ("harness.suite.paper", "harness.suite.paper_file"): "Paper.read is where suites begin, and pydantic is "
    "slow to import",
}
"""One import of each circle that stays, and why it does."""


def modules(root: Path) -> dict[str, Path]:
    """The modules of the source tree by name; templates of files are none."""
    found = {}
    for path in (path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def needed(name: str, tree: ast.AST, known: dict[str, Path], *, package: bool) -> Iterator[str]:
    """The modules that a module imports: on top, in functions, and for types."""
    inside = name if package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            parts = inside.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                target = f"{base}.{alias.name}"
                yield from (one for one in (target if target in known else base,) if one in known)


def imports(known: dict[str, Path]) -> dict[str, set[str]]:
    """What each module imports of the others."""
    return {
        name: set(needed(name, ast.parse(path.read_bytes()), known, package=path.name == "__init__.py"))
        - {name}
        for name, path in known.items()
    }


@cache
def own_imports() -> dict[str, set[str]]:
    """The imports of this source tree."""
    return imports(modules(ROOT))


def without(edges: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The imports of this source tree but for some."""
    left_out = set(edges)
    return {
        name: {one for one in found if (name, one) not in left_out} for name, found in own_imports().items()
    }


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle, each module importing the next; empty without any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_imports_go_round() -> None:
    assert len(own_imports()) > 500
    assert circle(without(ALLOWED)) == []


@pytest.mark.parametrize("allowed", ALLOWED)
def test_what_is_allowed_is_still_needed(allowed: tuple[str, str]) -> None:
    assert set(allowed) <= set(circle(without(set(ALLOWED) - {allowed})))


@pytest.mark.parametrize(
    "late",
    ["from harness import a", "def f():\n    from . import a", "if TYPE_CHECKING:\n    import harness.a"],
)
def test_a_late_import_makes_a_circle(late: str, tmp_path: Path) -> None:
    (tmp_path / "harness").mkdir()
    for name, text in (("__init__", ""), ("a", "from harness.b import x"), ("b", late)):
        (tmp_path / "harness" / f"{name}.py").write_text(text, encoding="utf-8")
    assert set(circle(imports(modules(tmp_path)))) == {"harness.a", "harness.b"}
