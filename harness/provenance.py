"""Where and with what a run is made: commit, packages, hardware.

Nothing heavy is imported for it: versions come from package metadata, the GPU from its driver.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness import cuda
from harness.processor import chosen_kernels, cpu_kernels, cpu_model

if TYPE_CHECKING:
    from harness.store.records import Provenance

PACKAGES = (
    "corroborate",
    "datasets",
    "gguf",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "tokenizers",
    "torch",
    "transformers",
)
"""Packages whose version can change a result."""

LOCK = "constraints.txt"
"""The versions of all packages, in the repository."""
_KEY_PACKAGES = ("torch", "transformers", "numpy")
_GIT_TIMEOUT_S = 5.0
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def collect(argv: Sequence[str]) -> Provenance:
    """The provenance of a run that starts now.

    Args:
        argv: The command line, program first.
    """
    from harness.store.records import Provenance

    commit, dirty = _commit()
    driver = cuda.driver()
    return Provenance(
        created=now(),
        command=[Path(argv[0]).name, *argv[1:]] if argv else [],
        corroborate=package_version("corroborate"),
        commit=commit,
        dirty=dirty,
        lock_sha256=lock_hash(),
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := package_version(name))},
        platform=" ".join(filter(None, [platform.system(), platform.machine(), *platform.libc_ver()])),
        cpu=cpu_model(),
        cores=usable_cores(),
        memory_gb=_memory_gb(),
        gpu=driver.gpus[0].name if driver.gpus else "",
        driver=driver.version if driver.gpus else "",
    )


def now() -> str:
    """The time as records state it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Machine:
    """What of a machine a stored trial depends on.

    Attributes:
        software: Python, and the versions of torch, transformers and NumPy.
        processor: The processor with what chooses its kernels, or the model of the GPU.
    """

    software: str
    processor: str

    def key(self, threads: int) -> str:
        """The environment key of a trial with that many CPU threads."""
        return f"{self.software}; threads {threads}; {self.processor}"


def machine(device: str) -> Machine:
    """This machine, for trials on a device.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
    """
    software = [f"python {platform.python_version()}"]
    software += [f"{name} {package_version(name) or 'absent'}" for name in _KEY_PACKAGES]
    if not device.startswith("cuda"):
        processor = [f"{device} {cpu_model() or 'unknown'}", cpu_kernels(), *chosen_kernels()]
        return Machine("; ".join(software), "; ".join(processor))
    gpus = cuda.driver().gpus
    build = cuda.torch_build().cuda
    processor = [f"cuda {gpus[0].name if gpus else 'unknown'}", *([f"CUDA {build}"] if build else [])]
    return Machine("; ".join(software), "; ".join(processor))


def environment_key(device: str, threads: int = 1) -> str:
    """What must be equal for a stored trial to stand for a new one.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        threads: CPU threads of the trial.

    Returns:
        Readable text: Python, the versions of torch, transformers and NumPy, threads, and the
        processor with what chooses its kernels, or the model of the GPU. On a GPU also the CUDA
        version of PyTorch, whose libraries compute; the driver's version is in the provenance only,
        since it computes nothing.
    """
    return machine(device).key(threads)


@lru_cache
def package_version(name: str) -> str:
    """The installed version of a distribution, or empty."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def usable_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_gb() -> float:
    import psutil

    return round(psutil.virtual_memory().total / 2**30, 1)


def usable_memory_gb() -> float:
    """Main memory in GiB that processes here may use: the machine's, or what a container or a job may."""
    allowed = map(_number, _limit_files())
    return min([_memory_gb(), *(round(found / 2**30, 1) for found in allowed if found)])


def _limit_files() -> set[Path]:
    """Where limits of this process may stand: its control groups of either version, and all above them.

    A container sees its own group as the topmost; a scheduler's job has one further down.
    """
    try:
        lines = _OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    own = {kinds: path for _, kinds, path in (line.split(":", 2) for line in lines if line.count(":") > 1)}
    found = set()
    for kind, root, name in (
        ("", _GROUPS, "memory.max"),
        ("memory", _GROUPS / "memory", "memory.limit_in_bytes"),
    ):
        group = PurePosixPath(own.get(kind, "/"))
        found |= {root / above.relative_to("/") / name for above in (group, *group.parents)}
    return found


def _number(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdecimal() else 0


def _commit() -> tuple[str, bool | None]:
    """Commit of the repository that this code lies in, and whether it has changes, if git says so.

    Git may be absent, slow, or refuse a folder that belongs to another user: then nothing is known, which
    is not the same as no changes.
    """
    folder = _repository()
    if folder is None:
        return "", False
    commit = _git(folder, "rev-parse", "HEAD")
    # Committed results are no code: those of one suite, just made, change nothing in the next one's run.
    changes = _git(folder, "status", "--porcelain", "--", ".", ":(exclude,glob)suites/*/reference/**")
    return commit or "", None if commit is None or changes is None else bool(changes)


def commit_here() -> str:
    """Commit of the repository that this code lies in; empty if there is none or git does not say."""
    return _commit()[0]


def _repository() -> Path | None:
    root = Path(__file__).resolve().parent.parent
    return root if (root / ".git").exists() else None


def lock_hash() -> str:
    """SHA-256 of the lock file of the repository that this code lies in; empty if there is none."""
    root = _repository()
    lock = root / LOCK if root else None
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock and lock.is_file() else ""


def lock_file(made: Provenance) -> bytes | None:
    """The lock file that a run was made under, if it is in this checkout or was committed with the code."""
    root = _repository()
    if root is None or not made.lock_sha256:
        return None
    with suppress(OSError):
        found = (root / LOCK).read_bytes()
        if hashlib.sha256(found).hexdigest() == made.lock_sha256:
            return found
    # A record may come from anywhere, and git would take other text than a commit for an option.
    known = re.fullmatch("[0-9a-f]{40,64}", made.commit)
    committed = _git_output(root, "show", f"{made.commit}:{LOCK}") if known else None
    same = committed is not None and hashlib.sha256(committed).hexdigest() == made.lock_sha256
    return committed if same else None


def _git(folder: Path, *arguments: str) -> str | None:
    """A line that git says of a repository, or ``None`` if it says nothing."""
    said = _git_output(folder, *arguments)
    return None if said is None else said.decode(errors="replace").strip()


def _git_output(folder: Path, *arguments: str) -> bytes | None:
    """What git says of a repository, or ``None`` if it says nothing. Nothing is written there."""
    # Hooks of another repository, and tools that work on one, name it in variables that git obeys.
    others = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
            env=others,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
