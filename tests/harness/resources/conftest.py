"""Resources and resolvers for the tests of this folder."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.method import MirrorSource, PackageSource, Resource
from harness.resources import Resolver
from tests.harness.resources.fake_hub import FakeHub, served

SHA256 = "5aa03f96c77536579166fba147929626cc3a97960e994057a9d80271a736d10f"
"""Of what ``provider.provide`` writes."""
PROVIDER = "tests.harness.resources.provider"

MakeResolver = Callable[..., Resolver]


def packaged(function: str = "provide", **changes: object) -> Resource:
    """A resource that an installed package carries; ``numpy`` stands for the package."""
    from importlib.metadata import version

    source = PackageSource("numpy", version("numpy"), f"{PROVIDER}:{function}")
    fields: dict[str, object] = {
        "name": "letters",
        "kind": "dataset",
        "licence": "MIT",
        "version": "1",
        "sources": (MirrorSource("letters"), source),
        "sha256": (("letters.txt", SHA256),),
    }
    return Resource(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def make(tmp_path: Path) -> MakeResolver:
    """Makes resolvers whose cache is a temporary folder."""

    def made(**changes: object) -> Resolver:
        fields = {"bindings": {}, "accepted": frozenset(), "home": tmp_path / "home", "mirror": None}
        return Resolver(**(fields | changes))  # type: ignore[arg-type]

    return made


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A hub in memory, with an empty cache of its client's."""
    from huggingface_hub import constants

    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    with served(FakeHub()) as fake:
        yield fake


def as_nobody(action: Callable[[], None]) -> int:
    """Run ``action`` in a child process without root's rights; gives its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.setgid(65534)
        os.setuid(65534)
        action()
    except BaseException:  # noqa: BLE001 - the child must end here whatever happens
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
