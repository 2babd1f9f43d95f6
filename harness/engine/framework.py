"""PyTorch, for jobs whose code needs it: it takes seconds to import, and must be there before they begin."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from harness.engine.files_read import imports_by_variable
from harness.plan.fingerprint import Code

WITHOUT: Final = frozenset(
    {
        *("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "matplotlib", "jinja2", "markupsafe"),
        *("joblib", "threadpoolctl", "narwhals", "python-dateutil", "pytz", "tzdata", "six", "packaging"),
        *("contourpy", "cycler", "fonttools", "kiwisolver", "pillow", "pyparsing"),
    }
)
"""Distributions that never import PyTorch; of any other it is assumed."""


def needs_framework(code: Code) -> bool:
    """Whether some code may import PyTorch: unless all that it imports is known not to."""
    if code.unknown or not WITHOUT.issuperset(code.libraries):
        return True
    return any(imports_by_variable(Path(name), stamp) for name, stamp in code.files.items())


def import_framework() -> None:
    """Import PyTorch before a trial begins, so that it is seeded and limited like all others."""
    # One that cannot be imported is for the trial to find that needs it, as its own failure.
    with suppress(Exception):
        import torch

        _ = torch.__version__
