"""One source file: the hash of its code, and the names of the modules that it imports."""

from __future__ import annotations

import ast
from pathlib import Path

from harness.plan.canonical import digest

_IMPORTERS = frozenset({"import_module", "__import__"})


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


def imported_names(module: str, path: Path) -> tuple[str, ...]:
    """Names of the modules that a module imports anywhere, and of those it names as text.

    Args:
        module: Its own name, which relative imports start from.
        path: Its source.
    """
    names: set[str] = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(_from_targets(node, package))
        elif isinstance(node, ast.Call):
            names.update(_called_targets(node, package))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.update(_named_module(node.value))
    parents = {name.rpartition(".")[0] for name in names if "." in name}
    return tuple(sorted(name for name in names | parents if name))


def imports_by_variable(path: Path) -> bool:
    """Whether a source imports modules whose names are known only when it runs."""
    calls = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))
    return any(_called(node) in _IMPORTERS and _constant_name(node) is None for node in calls)


def _from_targets(node: ast.ImportFrom, package: str) -> list[str]:
    base = _absolute("." * node.level + (node.module or ""), package)
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _absolute(name: str, package: str) -> str:
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = package.split(".")
    return ".".join(filter(None, [*parts[: len(parts) - level + 1], name[level:]]))


def _called_targets(node: ast.Call, package: str) -> list[str]:
    """The module of ``importlib.import_module("name")``, where the name is a constant."""
    name = _constant_name(node) if _called(node) in _IMPORTERS else None
    return [] if name is None else [_absolute(name, package)]


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _constant_name(node: ast.Call) -> str | None:
    first = node.args[0] if node.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _named_module(text: str) -> list[str]:
    """The module of a function named as text, ``"methods.common.ratings:load"``."""
    module, colon, function = text.partition(":")
    is_name = colon and function.isidentifier() and all(p.isidentifier() for p in module.split("."))
    return [module] if is_name else []
