"""The command line on the pretended GPU: ``python -m tests.pretended_gpu run SUITE --profile smoke``.

Runs go to a temporary folder unless ``--runs`` says where: nobody should take them for results.
"""

from __future__ import annotations

import sys
import tempfile

from harness.cli import main
from tests.pretended_gpu import pretended_gpu


def run(arguments: list[str]) -> int:
    """Run a command with ``--device cuda``, in this process, where the GPU is.

    Returns:
        The exit code.
    """
    with tempfile.TemporaryDirectory(prefix="pretended-gpu-") as folder, pretended_gpu():
        where = [] if "--runs" in arguments else ["--runs", folder]
        return main.main([*arguments, *where, "--engine", "inline", "--device", "cuda"])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
