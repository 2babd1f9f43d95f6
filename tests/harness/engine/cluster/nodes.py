"""A cluster of several nodes on this machine, each started as a user starts one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[4]
_START_S = 90.0
# Ray's own protection, for the tests' clusters and for those who reach them: processes that tests start
# inherit it. Ray reads the mode when it is imported, and never again.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", uuid.uuid4().hex)


@dataclass
class Nodes:
    """The head node and others; all end with :meth:`close`."""

    port: int = 0
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{host()}:{self.port}"

    def start(
        self, cpus: int = 1, variables: Mapping[str, str] | None = None, gpus: int = 0
    ) -> subprocess.Popen[bytes]:
        """Start another node; the first is the head, and where it cannot run a test is skipped."""
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", f"--num-cpus={cpus}"]
        command.append(f"--num-gpus={gpus}")
        if self.running:
            command.append(f"--address={self.address}")
        else:
            self.port = free_port()
            command += ["--head", f"--port={self.port}", "--include-dashboard=false"]
        before = len(alive(self.address)) if self.running else 0
        own = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT), **(variables or {})}
        process = subprocess.Popen(
            command,
            env={**os.environ, **own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.running.append(process)
        deadline = time.monotonic() + _START_S
        while len(alive(self.address)) <= before:
            if time.monotonic() > deadline or process.poll() is not None:
                why = (
                    "has ended" if process.poll() is not None else f"does not answer within {_START_S:.0f} s"
                )
                if len(self.running) == 1:
                    pytest.skip(f"Ray cannot run on this machine: its head node {why}")
                pytest.fail(f"the node {why}")
            time.sleep(0.3)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a node at once, as a power cut does."""
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for victim in [process.pid, *(child.pid for child in below)]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()
        self.running.remove(process)

    def close(self) -> None:
        for process in reversed(self.running[:]):
            self.kill(process)


def alive(address: str) -> set[str]:
    """Ray's ids of the nodes that are alive, as another process sees them."""
    code = (
        "import sys\n"
        "from ray._private.state import GlobalState\n"
        "from ray._raylet import GcsClientOptions\n"
        "state = GlobalState()\n"
        "state._initialize_global_state(GcsClientOptions.create(sys.argv[1], None, True, True))\n"
        "print(*[n['NodeID'] for n in state.node_table() if n['Alive']])\n"
    )
    command = [sys.executable, "-c", code, address]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return set(done.stdout.split()) if done.returncode == 0 else set()


def host() -> str:
    from ray.util import get_node_ip_address

    return str(get_node_ip_address())


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("", 0))
        return int(listening.getsockname()[1])
