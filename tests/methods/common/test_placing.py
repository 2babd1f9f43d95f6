"""What is given back to the system."""

from __future__ import annotations

import ctypes

import psutil
import pytest
import torch

from methods.common.placing import return_memory


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim")
def test_freed_blocks_are_given_back() -> None:
    """In blocks of the size of a layer, which glibc keeps once it has seen a larger one freed."""
    process = psutil.Process()
    large = torch.ones(7_000_000)
    del large
    blocks = [torch.ones(1_000_000) for _ in range(100)]
    # Freed blocks at the end of the heap are returned in any case: these keep the end in use.
    kept = [torch.ones(1_000_000) for _ in range(2)]
    full = process.memory_info().rss
    del blocks
    if full - process.memory_info().rss > 3e8:
        pytest.skip("this allocator keeps nothing")
    return_memory()
    assert full - process.memory_info().rss > 3e8
    assert float(kept[0].sum()) == 1e6
