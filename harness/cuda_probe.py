"""A script of its own process: asks the NVIDIA driver for its GPUs and prints JSON.

In another process, since a broken driver may hang or crash, and since a process that has asked once keeps
the driver's files open. It imports nothing of this project and not PyTorch: it starts in milliseconds.

The driver's own library is asked, as PyTorch does: it honours ``CUDA_VISIBLE_DEVICES``, needs no
``nvidia-smi`` on the path, and names a slice of a divided GPU (MIG) as what it is, with its own memory.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

DRIVER = "libcuda.so.1"
MANAGEMENT = "libnvidia-ml.so.1"
NAME_BYTES = 128


class ProbeError(Exception):
    """The driver refused a call."""


def main() -> None:
    """Print what there is: ``gpus``, ``supports`` and ``version``, or ``missing``."""
    try:
        library = ctypes.CDLL(DRIVER)
    except OSError as error:
        sys.stdout.write(json.dumps({"missing": "driver", "detail": str(error)}))
        return
    found: dict[str, Any] = {"version": driver_version()}
    try:
        found |= ask(library)
    except ProbeError as error:
        found |= {"missing": "gpu", "detail": str(error)}
    sys.stdout.write(json.dumps(found))


def ask(library: Any) -> dict[str, Any]:
    """The GPUs that ``libcuda`` shows to this process.

    Raises:
        ProbeError: If it shows none.
    """
    _call(library, "cuInit", 0)
    number = ctypes.c_int()
    _call(library, "cuDriverGetVersion", ctypes.byref(number))
    supports = f"{number.value // 1000}.{number.value % 1000 // 10}"
    count = ctypes.c_int()
    _call(library, "cuDeviceGetCount", ctypes.byref(count))
    if not count.value:
        raise ProbeError("it counts none")
    return {"supports": supports, "gpus": [_gpu(library, index) for index in range(count.value)]}


def _gpu(library: Any, index: int) -> dict[str, Any]:
    device = ctypes.c_int()
    _call(library, "cuDeviceGet", ctypes.byref(device), index)
    name = ctypes.create_string_buffer(NAME_BYTES)
    _call(library, "cuDeviceGetName", name, NAME_BYTES, device)
    size = ctypes.c_size_t()
    _call(library, "cuDeviceTotalMem_v2", ctypes.byref(size), device)
    return {"name": name.value.decode("utf-8", "replace"), "bytes": size.value}


def _call(library: Any, function: str, *arguments: Any) -> None:
    code = int(getattr(library, function)(*arguments))
    if code:
        text = ctypes.c_char_p()
        library.cuGetErrorString(code, ctypes.byref(text))
        reason = (text.value or b"unknown error").decode("utf-8", "replace")
        raise ProbeError(f"{function}: {reason} ({code})")


def driver_version() -> str:
    """The driver's version as its management library says it, or empty."""
    try:
        library = ctypes.CDLL(MANAGEMENT)
    except OSError:
        return ""
    text = ctypes.create_string_buffer(NAME_BYTES)
    if library.nvmlInit_v2() or library.nvmlSystemGetDriverVersion(text, NAME_BYTES):
        return ""
    return text.value.decode("utf-8", "replace")


if __name__ == "__main__":
    main()
