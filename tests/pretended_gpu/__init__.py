"""A pretended GPU: everything runs on the CPU, and a mixture of devices fails as it would on CUDA.

Tensors keep their memory and kernels; a mark on each storage says where it pretends to lie
(:mod:`~tests.pretended_gpu.places`). Every operation is seen twice (:mod:`~tests.pretended_gpu.modes`):
as Python calls it, where devices are named, and as the kernels see it, in backward passes as well,
where mixtures are refused by the rules of CUDA (:mod:`~tests.pretended_gpu.rules`). ``torch.cuda``
answers as if one GPU were there.

Seen: devices of tensors and generators, conversion to NumPy, moves, memory in use. Not seen:
CUDA's own kernels, their precision and their speed, limits of memory, several GPUs.

Use :func:`pretended_gpu` in a test, or run the command line on it:
``python -m tests.pretended_gpu run SUITE --profile smoke``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.pretended_gpu.cuda_api import replaced, replacements
from tests.pretended_gpu.modes import Calls, Kernels, State
from tests.pretended_gpu.places import MixedDevicesError

__all__ = ["MixedDevicesError", "pretended_gpu"]


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """Pretend that this process, its later threads included, has one GPU.

    Tensors made inside must not be used after the end.
    """
    with replaced(replacements(Calls, State)), replaced(_threads()), Calls(), Kernels():
        yield


def _threads() -> Iterator[tuple[Any, str, Any]]:
    real = threading.Thread.run

    def run(self: threading.Thread) -> None:
        with Calls(), Kernels():
            real(self)

    yield threading.Thread, "run", run
