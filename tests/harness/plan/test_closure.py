"""A change in a helper changes the fingerprint; a comment does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.plan import closure
from harness.plan.closure import closure_of


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package ``mypkg`` in which ``method`` needs ``helper`` and names ``loader`` as text."""
    folder = tmp_path / "mypkg"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "method.py").write_text(
        "import numpy\nLOADER = 'mypkg.loader:load'\ndef run():\n    from .helper import f\n    return f()\n"
    )
    (folder / "helper.py").write_text("def f():\n    return 1\n")
    (folder / "loader.py").write_text("def load():\n    return 2\n")
    (folder / "apart.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("mypkg")]:
        del sys.modules[name]


def hashes(module: str = "mypkg.method") -> dict[str, str]:
    for cached in (closure._file, closure._installed):
        cached.cache_clear()
    return closure_of(module).code


def test_the_closure_holds_what_is_imported_anywhere_or_named_as_text(package: Path) -> None:
    assert set(hashes()) == {"mypkg", "mypkg.method", "mypkg.helper", "mypkg.loader"}


def test_hashing_imports_nothing(package: Path) -> None:
    (package / "__init__.py").write_text("raise RuntimeError\n")
    assert "mypkg.helper" in hashes()
    assert "mypkg" not in sys.modules


@pytest.mark.parametrize("name", ["method", "helper", "loader"])
def test_a_change_of_code_changes_one_hash(name: str, package: Path) -> None:
    before = hashes()
    path = package / f"{name}.py"
    path.write_text(path.read_text() + "\ny = 3\n")
    after = hashes()
    assert [module for module in before if before[module] != after[module]] == [f"mypkg.{name}"]


@pytest.mark.parametrize(
    "text",
    [
        "# A comment.\ndef f():\n    return 1\n",
        '"""A docstring."""\ndef f():\n    """Another."""\n\n    return (1)\n',
    ],
)
def test_comments_docstrings_and_layout_change_nothing(text: str, package: Path) -> None:
    before = hashes()
    (package / "helper.py").write_text(text)
    assert hashes() == before


def test_a_module_outside_the_closure_changes_nothing(package: Path) -> None:
    before = hashes()
    (package / "apart.py").write_text("x = 2\n")
    assert hashes() == before
