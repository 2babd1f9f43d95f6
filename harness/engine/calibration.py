"""A fixed amount of arithmetic, timed beside the arms of every timed trial.

The same code on the same kind of machine takes other times on another day: its clock, its neighbours and its
temperature differ. Times as a share of the kernel's, measured in the same block, can be compared.
"""

from __future__ import annotations

import time

from harness.engine.accelerator import synchronise

_SIZES = {"cpu": 512, "cuda": 4096}
"""Rows and columns of the matrices, so that the kernel takes some hundredths of a second."""
_PRODUCTS = 20


def calibration_seconds(device: str) -> float:
    """Seconds of a chain of products of float32 matrices on a device."""
    import torch

    size = _SIZES["cuda" if device.startswith("cuda") else "cpu"]
    # A matrix whose product with itself is itself: no number grows, vanishes or becomes denormal.
    factor = product = torch.full((size, size), 1 / size, device=device)
    synchronise(device)
    start = time.perf_counter()
    for _ in range(_PRODUCTS):
        product = product @ factor
    synchronise(device)
    return time.perf_counter() - start
