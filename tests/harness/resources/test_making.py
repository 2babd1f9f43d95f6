"""What the cache holds is what today's code would write: editing a provider invalidates its entry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.method import HubSource, MirrorSource, PackageSource, Resource
from harness.plan import closure
from harness.plan.fingerprint import Fingerprinter
from harness.resources import hub_tables, making
from harness.resources.making import code_of_sources
from tests.harness.resources.conftest import MakeResolver, packaged


@dataclass(frozen=True)
class Reads:
    """Something that a trial holds."""

    data: Resource


PROVIDER = """
def provide(folder):
    from own_provider.limits import LIMIT

    (folder / "letters.txt").write_text("abcdef"[:LIMIT])
"""


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose provider needs a constant of another of its modules."""
    folder = tmp_path / "own_provider"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "unpacking.py").write_text(PROVIDER)
    (folder / "limits.py").write_text("LIMIT = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    _forget()


def _forget() -> None:
    """As a new process would start: nothing of the package is imported."""
    for name in [name for name in sys.modules if name.startswith("own_provider")]:
        del sys.modules[name]
    for cached in (closure._file, closure._installed):
        cached.cache_clear()


def letters() -> Resource:
    source = PackageSource("numpy", version("numpy"), "own_provider.unpacking:provide")
    return packaged(sources=(source,), sha256=())


def test_a_changed_helper_of_a_provider_fills_the_cache_again(make: MakeResolver, provider: Path) -> None:
    """Assert that new limits give new content: the old entry would answer the new question."""
    before = make().path(letters())
    assert (before / "letters.txt").read_text() == "abc"
    (provider / "limits.py").write_text("LIMIT = 5  # Longer.\n")
    _forget()
    assert make().status(letters()).state == "fetchable"
    after = make().path(letters())
    assert (after / "letters.txt").read_text() == "abcde"
    assert (before / "letters.txt").read_text() == "abc"


def test_a_comment_in_a_provider_keeps_the_entry(make: MakeResolver, provider: Path) -> None:
    folder = make().path(letters())
    (provider / "limits.py").write_text("# Three letters are enough.\nLIMIT = 3\n")
    _forget()
    assert make().path(letters()) == folder


def test_another_version_of_a_library_fills_the_cache_again(
    make: MakeResolver, provider: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (provider / "limits.py").write_text("import numpy\nLIMIT = 3\n")
    _forget()
    folder = make().path(letters())
    monkeypatch.setattr(making, "versions_of", lambda names: dict.fromkeys(names, "99.0"))
    assert make().path(letters()) != folder


def test_a_resource_that_a_trial_reads_brings_its_makers_code_into_the_fingerprint(
    make: MakeResolver, provider: Path
) -> None:
    """Assert that neither the provider nor the loader need be named by the task's own modules."""

    def code() -> dict[str, str]:
        _forget()
        resource = packaged(sources=letters().sources, sha256=(), loader="own_provider.limits:load")
        fingerprinter = Fingerprinter(make(), "cpu", "float32")
        return {**fingerprinter.code_of(Reads(resource)).fields}

    before = code()
    assert {"code own_provider.unpacking", "code own_provider.limits"} <= {*before}
    (provider / "limits.py").write_text("LIMIT = 5\n")
    after = code()
    assert [name for name in after if before[name] != after[name]] == ["code own_provider.limits"]


def test_tables_of_the_hub_are_as_old_as_the_code_that_reads_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model, rows = HubSource("someone/model"), HubSource("someone/rows", repo_type="dataset")
    before = {source: code_of_sources([source]) for source in (model, rows)}
    edited = tmp_path / "hub_tables.py"
    edited.write_text(Path(hub_tables.__file__).read_text() + "\nOTHER = 1\n")
    monkeypatch.setattr(hub_tables, "__file__", str(edited))
    making._table_code.cache_clear()
    try:
        changed = {source for source in before if code_of_sources([source]) != before[source]}
    finally:
        making._table_code.cache_clear()
    assert changed == {rows}


def test_a_mirror_is_read_where_it_is(provider: Path) -> None:
    assert code_of_sources([MirrorSource("letters")]) == code_of_sources([MirrorSource("numbers")])
