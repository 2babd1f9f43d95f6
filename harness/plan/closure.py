"""Hashes of code: the normalised syntax tree of a module and of all it imports.

A change in a helper function must invalidate a result; a comment or a docstring must not. So
each module is hashed by its syntax tree without docstrings and positions, and a method by the
hashes of all modules of the same project that its module imports, directly or not. The closure
stops at ``harness``, which states its own contract version, and at installed libraries, whose
versions are in the environment key.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

from harness.plan.canonical import digest

STOP = frozenset({"harness", "reports"})
PROJECT = frozenset({"methods", "suites"})


def code_closure(module: str) -> dict[str, str]:
    """Hash of every project module that ``module`` needs, itself included, by name."""
    roots = PROJECT | {module.partition(".")[0]}
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] in STOP:
            continue
        path = _source(name)
        if path is None:
            continue
        found[name] = module_hash(path)
        waiting += [target for target in _imports(name, path) if target.partition(".")[0] in roots]
    return dict(sorted(found.items()))


@cache
def _source(module: str) -> Path | None:
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


@cache
def _spec(module: str) -> ModuleSpec | None:
    """Where a module is, found without importing its packages as ``find_spec`` would."""
    parent = module.rpartition(".")[0]
    try:
        if not parent:
            return find_spec(module)
        package = _spec(parent)
        if package is None or package.submodule_search_locations is None:
            return None
        return PathFinder.find_spec(module, package.submodule_search_locations)
    except (ImportError, ValueError, AttributeError):
        return None


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


@cache
def module_hash(path: Path) -> str:
    """Hash of a source file's syntax tree, without docstrings, comments and positions."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = _without_docstring(node.body)
    return digest(ast.dump(tree, annotate_fields=False, include_attributes=False))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    # Text under a field documents it, as a docstring does.
    kept = [node for node in body if not _is_text(node)]
    return kept or [ast.Pass()]


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@cache
def _imports(module: str, path: Path) -> tuple[str, ...]:
    """Names of the modules that a module imports anywhere, and of those it names as text."""
    names: set[str] = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(_from_targets(node, package))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.update(_named_module(node.value))
    parents = {name.rpartition(".")[0] for name in names if "." in name}
    return tuple(sorted(name for name in names | parents if name))


def _from_targets(node: ast.ImportFrom, package: str) -> list[str]:
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _named_module(text: str) -> list[str]:
    """The module of a function named as text, ``"methods.common.ratings:load"``."""
    module, colon, function = text.partition(":")
    is_name = colon and function.isidentifier() and all(p.isidentifier() for p in module.split("."))
    return [module] if is_name and "." in module else []
