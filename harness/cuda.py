"""Whether there is a GPU that PyTorch can use, what it is, and if not, what is missing.

PyTorch is not imported for it: that takes seconds, and readers of stored runs need none of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from harness.errors import DeviceError

GB = 2**30
_PROBE = Path(__file__).with_name("cuda_probe.py")
_PROBE_SECONDS = 30.0
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a slice of one.

    Attributes:
        name: As the driver names it; a MIG slice with its profile.
        memory_gb: Its memory in GiB.
    """

    name: str
    memory_gb: float


@dataclass(frozen=True)
class Driver:
    """What the NVIDIA driver says of itself.

    Attributes:
        gpus: Those this process may use (``CUDA_VISIBLE_DEVICES``), the one that is used first.
        version: The driver's version: "555.42.02".
        supports: The newest CUDA version that it can run: "12.5".
        missing: Why there is no GPU, as a sentence without its stop; empty if there is one.
    """

    gpus: tuple[Gpu, ...] = ()
    version: str = ""
    supports: str = ""
    missing: str = ""


@dataclass(frozen=True)
class TorchBuild:
    """The installed PyTorch.

    Attributes:
        version: Empty if there is none.
        cuda: The CUDA version that it was built for, empty for one without CUDA.
    """

    version: str = ""
    cuda: str = ""


@dataclass(frozen=True)
class Choice:
    """The kind of device a run takes, and why."""

    device: Literal["cpu", "cuda"]
    reason: str


def driver() -> Driver:
    """What the NVIDIA driver of this machine shows to this process."""
    return _driver(os.environ.get(VISIBLE))


@lru_cache
def _driver(visible: str | None) -> Driver:
    command = [sys.executable, "-I", "-S", str(_PROBE)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Driver(missing=f"The NVIDIA driver does not answer within {_PROBE_SECONDS:.0f} s")
    except OSError as error:
        return Driver(missing=f"The NVIDIA driver cannot be asked: {error}")
    if done.returncode != 0:
        return Driver(missing=f"The NVIDIA driver ends what asks it (exit code {done.returncode})")
    return _read(json.loads(done.stdout), visible)


def _read(answer: dict[str, Any], visible: str | None) -> Driver:
    version = answer.get("version", "")
    if answer.get("missing") == "driver":
        detail = str(answer["detail"])
        why = "libcuda.so.1 is not found" if "No such file" in detail else detail
        return Driver(missing=f"There is no NVIDIA driver here ({why})")
    if answer.get("missing"):
        hidden = f", and {VISIBLE} is '{visible}'" if visible is not None else ""
        named = f"The NVIDIA driver {version}".strip()
        return Driver(version=version, missing=f"{named} shows no GPU ({answer['detail']}){hidden}")
    gpus = tuple(Gpu(gpu["name"], round(gpu["bytes"] / GB, 1)) for gpu in answer["gpus"])
    return Driver(gpus, version, answer["supports"])


@lru_cache
def torch_build() -> TorchBuild:
    """The installed PyTorch, read from its file of versions."""
    spec = find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return TorchBuild()
    path = Path(next(iter(spec.submodule_search_locations))) / "version.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = dict(re.findall(r"^(__version__|cuda)\b[^=\n]*= *['\"]([^'\"]+)['\"]", text, re.MULTILINE))
    return TorchBuild(found.get("__version__", "unknown"), found.get("cuda", ""))


def visible_gpus(count: int) -> tuple[str, ...]:
    """What the first ``count`` GPUs that this process sees are called in ``CUDA_VISIBLE_DEVICES``."""
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return tuple(named[:count] if named else map(str, range(count)))


def problems() -> list[str]:
    """What is missing for runs on a GPU, as sentences without their stops; empty if nothing is."""
    here, torch = driver(), torch_build()
    found = [here.missing] if here.missing else []
    if not torch.version:
        found.append("PyTorch is not installed")
    elif not torch.cuda:
        beside = f", though there is a GPU ({here.gpus[0].name})" if here.gpus else ""
        found.append(f"PyTorch {torch.version} is built without CUDA{beside}")
    elif here.supports and _major(here.supports) < _major(torch.cuda):
        found.append(
            f"The driver {here.version} runs CUDA {here.supports} at most, "
            f"and PyTorch {torch.version} is built for CUDA {torch.cuda}"
        )
    return found


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def choose(asked: str | None) -> Choice:
    """The device of a run.

    Args:
        asked: ``"cpu"``, ``"cuda"``, or ``None`` for a GPU if one can be used.

    Raises:
        DeviceError: If CUDA is asked for and cannot be had.
    """
    if asked == "cpu":
        return Choice("cpu", "as asked")
    missing = problems()
    if not missing:
        return Choice("cuda", describe())
    if asked == "cuda":
        raise DeviceError(
            f"CUDA cannot be used: {'. '.join(missing)}",
            where="--device cuda",
            fix="A GPU needs the NVIDIA driver (in a container: started with access to it), "
            "a PyTorch that is built for CUDA (https://pytorch.org/get-started/locally), "
            f"and {VISIBLE} unset or naming the GPU. Without --device a run takes what there is.",
        )
    return Choice("cpu", ". ".join(missing))


def describe() -> str:
    """The GPU that is used, with its memory, driver and PyTorch's CUDA, in one line."""
    here, torch = driver(), torch_build()
    if not here.gpus:
        return "a GPU that the driver does not name"
    gpu, others = here.gpus[0], len(here.gpus) - 1
    more = f", the first of {others + 1}" if others else ""
    version = f"driver {here.version}, " if here.version else ""
    return f"{gpu.name} with {gpu.memory_gb:g} GiB{more}; {version}PyTorch for CUDA {torch.cuda or 'unknown'}"
