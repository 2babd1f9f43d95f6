"""The command line on the pretended GPU: ``python -m tests.pretended_gpu run SUITE --profile smoke``."""

from __future__ import annotations

import sys

from harness.cli import main
from tests.pretended_gpu import pretended_gpu


def run(arguments: list[str]) -> int:
    """Run a command with ``--device cuda``, in this process, where the GPU is.

    Returns:
        The exit code.
    """
    with pretended_gpu():
        return main.main([*arguments, "--engine", "inline", "--device", "cuda"])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
