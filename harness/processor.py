"""The processor, as far as it decides what a computation gives to the last bit.

Libraries choose their kernels by instruction set, family and model, and a virtual machine may give one
name to processors that differ in all three. Nothing is imported to find out.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")

_SETS = (
    # x86: what ATen, oneDNN, MKL, OpenBLAS and NumPy have kernels of their own for.
    ("sse4_1", "avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    ("fma",),
    ("avx_vnni",),
    ("amx_bf16",),
    ("amx_int8",),
    ("amx_fp16",),
    # ARM
    ("asimd", "sve", "sve2"),
    ("asimdhp",),
    ("asimddp",),
    ("bf16",),
    ("i8mm",),
    ("sme",),
)
"""Instruction sets, by the names of ``/proc/cpuinfo``; of a row the last one says the others."""

_CHOICES = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
)
"""Variables by which a user makes the libraries take other kernels than the processor's best."""

_AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
_SSE4 = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
}


@lru_cache
def cpu_model() -> str:
    """The processor's name, as the system gives it."""
    return _fields().get("model name") or platform.processor() or platform.machine()


@lru_cache
def cpu_kernels() -> str:
    """Family and model of the processor and its instruction sets, or what little the system says.

    Returns:
        Such as ``"family 6 model 143: avx512_fp16 fma amx_bf16 amx_int8"``.
    """
    fields = _fields()
    named = (("family", "cpu family"), ("model", "model"), ("implementer", "CPU implementer"))
    kind = [f"{word} {fields[key]}" for word, key in (*named, ("part", "CPU part")) if key in fields]
    found = _sets(fields)
    best = [present[-1] for row in _SETS if (present := [name for name in row if name in found])]
    return ": ".join(filter(None, (" ".join(kind) or platform.machine(), " ".join(best))))


def chosen_kernels() -> list[str]:
    """The variables that are set of those that choose kernels, as ``NAME=value``."""
    return [f"{name}={os.environ[name]}" for name in _CHOICES if os.environ.get(name)]


def older_kernels() -> Mapping[str, str]:
    """Variables by which the libraries take the kernels of an older instruction set than the processor's.

    They count for processes in which none of the libraries is loaded yet. Empty where the processor has no
    older set that all of them have kernels for.
    """
    found = _sets(_fields())
    if "avx512f" in found:
        return _AVX2
    return _SSE4 if "avx2" in found else {}


def _sets(fields: Mapping[str, str]) -> set[str]:
    """The processor's instruction sets: x86 calls them flags, ARM features."""
    return {*fields.get("flags", fields.get("Features", "")).split()}


def _fields() -> dict[str, str]:
    """Of the first processor; a virtual machine has none or equal ones."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    first = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in first}
