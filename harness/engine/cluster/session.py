"""A Ray cluster for the length of a run: started here, or reached."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import CorroborateError, UsageError

_ANSWER_S = 5.0
"""How long a head node may take to accept a connection."""
_CHECKED_S = 2.0
"""How often it is looked whether it still does."""
_ATTEMPTS = 3
"""Looks in vain after which it counts as lost; between them a second passes, then two."""
_END_S = 20.0
"""How long Ray may take to let go."""
_LONGEST = 25
"""Characters of a temporary folder in which the paths of Ray's sockets are still short enough for Linux."""
_LOCAL = {
    # Without it, Ray replaces the loopback address by the machine's own and listens to the whole network;
    # its name is about other systems, on which that is Ray's own choice.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


class ClusterError(CorroborateError):
    """The cluster cannot be reached, or was lost; what has finished is kept."""


@dataclass
class Session:
    """A connection to a cluster.

    Attributes:
        own: Whether this process has started it, for itself.
        head: Host and port of its head node.
        lost: Whether that was found to be gone.
    """

    own: bool
    head: tuple[str, int]
    _folder: Path | None = None
    lost: bool = False
    _looked: float = field(default_factory=time.monotonic)

    def check(self, *, surely: bool = False) -> None:
        """Notice that the head node is gone; Ray itself would wait a minute, and then end this process.

        Args:
            surely: Whether to look even if it has been looked a moment ago, as before each question that
                only the head node can answer.

        Raises:
            ClusterError: If it is.
        """
        if not surely and time.monotonic() - self._looked < _CHECKED_S:
            return
        for attempt in range(_ATTEMPTS):
            if _answers(*self.head):
                break
            time.sleep(attempt)
        else:
            self.lost = True
            raise ClusterError(
                "The head node of the Ray cluster does not answer any more",
                where=":".join(map(str, self.head)),
                fix="What has finished is stored: start the cluster again, and add --resume to the command.",
            )
        self._looked = time.monotonic()

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        import ray

        ending = threading.Thread(target=ray.shutdown, daemon=True)
        with _handlers_kept():
            ending.start()
            ending.join(_END_S)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def open_session(address: str, workers: int) -> Session:
    """Reach the cluster at ``address``, or start one here.

    Args:
        address: ``HOST:PORT``, ``auto`` for one that runs on this machine, or empty: as ``RAY_ADDRESS``
            says, and without it one is started.
        workers: CPU threads of a cluster that is started.

    Raises:
        UsageError: If Ray is not installed, or is not the cluster's.
        ClusterError: If nothing answers there.
    """
    wanted = check_address(address)
    _require_ray(local=not wanted)
    return _reached(wanted) if wanted else _started(workers)


def check_address(address: str) -> str:
    """The address that is meant, empty for a cluster that is to be started; without importing Ray.

    Raises:
        UsageError: If Ray is not installed, or this is no address.
        ClusterError: If nothing answers there.
    """
    if find_spec("ray") is None:
        raise _without_ray("it is not installed")
    wanted = address or os.environ.get("RAY_ADDRESS", "")
    if wanted.startswith("ray://"):
        raise UsageError(
            "Ray's client protocol cannot hold what a run needs",
            where=f"--address {wanted}",
            fix="Run on a machine of the cluster with --address auto, or give HOST:PORT of its head node "
            "(port 6379 by default).",
        )
    if wanted not in ("", "local", "auto") and not _answers(*_parts(wanted)):
        raise ClusterError(
            "No Ray cluster answers",
            where=f"--address {wanted}",
            fix="Start one with 'ray start --head', or leave --address out: one is started here.",
        )
    return "" if wanted == "local" else wanted


def _without_ray(why: object) -> UsageError:
    return UsageError(
        f"The engine 'ray' needs Ray: {why}",
        where="--engine ray",
        fix="Install it: pip install 'corroborate[ray]'",
    )


def _require_ray(*, local: bool) -> None:
    if local:
        # Ray reads them when it is imported. A token of its own, since Ray would put one into the user's
        # home, where every later cluster of the user takes it up.
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
        for name, value in {**_LOCAL, **token}.items():
            os.environ.setdefault(name, value)
    try:
        with _handlers_kept():
            import ray  # noqa: F401
    except ImportError as error:
        raise _without_ray(error) from error


def _started(workers: int) -> Session:
    import ray

    folder = _short_folder()
    options: dict[str, Any] = {"_temp_dir": str(folder)} if folder else {}
    with _handlers_kept():
        try:
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                **_QUIET,
                **options,
            )
        except Exception as error:
            raise ClusterError(
                f"Ray does not start: {_first_line(error)}",
                where="--engine ray",
                fix="Try 'ray start --head' by itself, which says more.",
            ) from error
    return Session(own=True, head=_head(), _folder=folder)


_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}


def _reached(address: str) -> Session:
    import ray

    with _handlers_kept():
        try:
            ray.init(address=address, **_QUIET)
        except (ConnectionError, RuntimeError, ValueError) as error:
            # Ray says of other versions of itself and of Python which they are.
            raise ClusterError(
                f"The Ray cluster cannot be used: {_first_line(error)}",
                where=f"--address {address}",
                fix="The cluster needs the Ray and the Python of this environment; 'ray status' says whether "
                "one runs here.",
            ) from error
    return Session(own=False, head=_head())


def _head() -> tuple[str, int]:
    import ray

    return _parts(ray.get_runtime_context().gcs_address)


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UsageError(
            f"'{address}' is no address of a Ray cluster",
            where="--address",
            fix="Give HOST:PORT of its head node, or auto.",
        )
    return host.strip("[]"), int(port)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_S):
            return True
    except OSError:
        return False


def _short_folder() -> Path | None:
    """A folder for Ray's files that goes with the run, if its path is short enough."""
    base = tempfile.gettempdir()
    if len(base) > _LONGEST:
        return None
    return Path(tempfile.mkdtemp(prefix="ray-", dir=base))


def _first_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:400] or type(error).__name__


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray takes over SIGTERM for itself; the run's own answer to it is the one that closes records."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    before = {number: signal.getsignal(number) for number in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError, ValueError):  # A handler that is not Python's cannot be set.
                signal.signal(number, handler)
