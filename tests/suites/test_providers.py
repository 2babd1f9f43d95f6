"""Editing the code that makes a resource's files, or anything it imports, makes them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.claims import Profile
from harness.cli.needs import resources_of_all
from harness.cli.suites import load_suite, suite_names
from harness.method import IndexSource, PackageSource, Resource
from harness.plan import closure
from harness.plan.closure import closure_of
from harness.plan.references import modules_of
from harness.resources import Resolver

PROVIDED = [
    (resource, source.provide.partition(":")[0])
    for resource in resources_of_all(map(load_suite, suite_names()), Profile).values()
    for source in resource.sources
    if isinstance(source, PackageSource | IndexSource)
]


def test_providers_are_found() -> None:
    assert len(PROVIDED) > 5


@pytest.mark.parametrize("item", PROVIDED, ids=lambda item: item[0].name)
def test_every_edit_of_a_provider_is_another_entry(
    item: tuple[Resource, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource, module = item
    resolver = Resolver({}, frozenset(), tmp_path, None)
    before = resolver._cache.entry(resource)
    assert module in modules_of(resource)
    real, needs = closure._hash, closure_of(module)
    assert module in needs.code
    for edited in needs.files:

        def other(path: Path, stamp: closure.Stamp, edited: str = edited) -> str:
            return "edited" if str(path) == edited else real(path, stamp)

        monkeypatch.setattr(closure, "_hash", other)
        assert resolver._cache.entry(resource) != before, edited
        monkeypatch.setattr(closure, "_hash", real)
    assert resolver._cache.entry(resource) == before
