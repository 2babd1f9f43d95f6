"""Isolation for all tests: their own cache, no hub, no network, no settings of the user or the shell."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import settings

# Machines are busy at times; how long an example takes says nothing about what is right.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

if os.environ.get("TESTS_ONEDNN") == "off":  # Set by `nox -s tests-portable`.
    import torch

    torch.backends.mkldnn.set_flags(_enabled=False)

SIGNALS: Mapping[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}
"""As a shell in the foreground leaves them: under ``nohup`` and in background jobs some are ignored."""
LOCAL = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(scope="session", autouse=True)
def _offline() -> Iterator[None]:
    """Hugging Face stays offline, also in subprocesses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_DATASETS_OFFLINE", "1")
        patch.setenv("MPLBACKEND", "agg")
        yield


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """What the caller ignores would be ignored by the programs under test, too."""
    before = {number: signal.signal(number, handler) for number, handler in SIGNALS.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _own_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast tests see an empty cache and no settings; slow ones may use what the user has."""
    if any(map(request.node.get_closest_marker, ("slow", "network", "gpu"))):
        return
    for name in [name for name in os.environ if name.startswith("CORROBORATE_")]:
        monkeypatch.delenv(name)
    folder: Path = request.getfixturevalue("tmp_path")
    monkeypatch.setenv("CORROBORATE_HOME", str(folder / "corroborate-home"))


@pytest.fixture(autouse=True)
def _nothing_read_yet() -> None:
    """A trial in this process depends on what its code has read since the process began: the test, here."""
    watching = sys.modules.get("harness.engine.files_read")
    if watching is not None:
        for noted in vars(watching._watch).values():
            noted.clear()


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections outside this machine fail, unless a test is marked ``network``."""
    if request.node.get_closest_marker("network"):
        return
    connect: Callable[..., Any] = socket.socket.connect
    # Nodes of a cluster on this machine reach each other by its own addresses.
    own = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}

    def local_only(sock: socket.socket, address: Any) -> Any:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in {*LOCAL, *own}:
            message = f"a test tried to reach {address[0]}; mark it `network` if it must"
            raise ConnectionRefusedError(message)
        return connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
