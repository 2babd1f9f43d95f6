"""The settings of ``nox -s tests-portable`` are in force, where one is given."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

ISA = {"SSE41": "SSE4.1", "AVX2": "AVX2"}
"""How oneDNN names an instruction set, by its setting."""
USE = """
import torch
with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
    tensor = torch.ones(4, 4).to_mkldnn()
    (tensor + tensor).to_dense()
"""


def given(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        pytest.skip(f"{name} is not set")
    return value


def test_pytorchs_instructions() -> None:
    wanted = given("ATEN_CPU_CAPABILITY").upper()
    assert torch.backends.cpu.get_cpu_capability() == wanted


def test_onednns_instructions() -> None:
    wanted = ISA[given("ONEDNN_MAX_CPU_ISA")]
    found = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=True)
    (line,) = [line for line in found.stdout.splitlines() if ",isa:" in line]
    assert line.endswith(wanted)


def test_onednn_is_off() -> None:
    assert given("TESTS_ONEDNN") == "off"
    enabled: object = torch.backends.mkldnn.enabled
    assert enabled is False


def test_threads() -> None:
    assert torch.get_num_threads() == int(given("OMP_NUM_THREADS"))
