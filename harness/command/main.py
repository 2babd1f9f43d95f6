"""The command ``corroborate``: makes sure that what it starts is corroborate's own.

It is installed beside the package ``harness``, as ``corroborate_command``: a user's package called
``harness``, on a Python path that comes first, would be found in the place of ours, and what that ends
with would be taken for a result.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

USAGE = 2
"""As :class:`harness.errors.ExitCode` has it, which cannot be imported before it is known whose it is."""


def main() -> int:
    """Run the command line, unless another package hides it."""
    ours = _harness(Path(__file__).resolve().parent)
    spec = find_spec("harness")
    places = list(spec.submodule_search_locations or [spec.origin or ""]) if spec else []
    found = Path(places[0]).resolve() if places else None
    if found != ours:
        sys.stderr.write(
            f"error: The package 'harness' that Python finds is not corroborate's own, which it hides "
            f"({found or 'nowhere'}).\n  corroborate's is {ours}. Rename the other, or take its folder off "
            "the Python path (PYTHONPATH).\n"
        )
        return USAGE
    from harness.cli.main import main as run

    return run()


def _harness(here: Path) -> Path:
    """The package ``harness`` that belongs to this command: around it in a checkout, else beside it."""
    return here.parent if here.name == "command" else here.parent / "harness"


if __name__ == "__main__":
    sys.exit(main())
