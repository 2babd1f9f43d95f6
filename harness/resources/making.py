"""The code that makes a resource's files: what it writes is only as old as that code.

A provider unpacks or derives files, and the hub's tables are written as rows. Both decide what
trials read as much as the archive does, so the cache keeps an entry for each state of that code.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from harness.method.references import HubSource, IndexSource, PackageSource, Source
from harness.plan.canonical import canonical_text, digest
from harness.plan.closure import closure_of
from harness.plan.imports import module_hash
from harness.plan.libraries import versions_of
from harness.resources import hub_tables


def code_of_sources(sources: Iterable[Source]) -> str:
    """Changes with the code, and the libraries, that turn any of ``sources`` into files."""
    return digest(canonical_text([_code(source) for source in sources]))


def _code(source: Source) -> object:
    match source:
        case PackageSource(provide=provide) | IndexSource(provide=provide):
            needs = closure_of(provide.partition(":")[0])
            return (needs.code, versions_of(needs.libraries))
        case HubSource(repo_type="dataset"):
            return _table_code()
        case _:
            return ""


@cache
def _table_code() -> str:
    return module_hash(Path(hub_tables.__file__))
