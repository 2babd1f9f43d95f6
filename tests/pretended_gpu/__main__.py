"""The command line on the pretended GPU: ``python -m tests.pretended_gpu run SUITE --profile smoke``.

Runs go to a temporary folder unless ``--runs`` says where: nobody should take them for results.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import torch

from harness import cuda
from harness.cli import main
from tests.pretended_gpu import pretended_gpu
from tests.pretended_gpu.cuda_api import NAME, TOTAL, replaced


def driver() -> Iterator[tuple[Any, str, Any]]:
    """Answers of the driver and of a PyTorch that is built for it."""
    found = cuda.Driver((cuda.Gpu(NAME, TOTAL / cuda.GB),), supports="13.0")
    yield cuda, "driver", lambda: found
    yield cuda, "torch_build", lambda: cuda.TorchBuild(torch.__version__, "13.0")


def run(arguments: list[str]) -> int:
    """Run a command with ``--device cuda``, in this process, where the GPU is.

    Returns:
        The exit code.
    """
    with (
        tempfile.TemporaryDirectory(prefix="pretended-gpu-") as folder,
        replaced(driver()),
        pretended_gpu(),
    ):
        where = [] if "--runs" in arguments else ["--runs", folder]
        return main.main([*arguments, *where, "--engine", "inline", "--device", "cuda"])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
