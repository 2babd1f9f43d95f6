"""From records to verdicts.

* :func:`judge` gives the verdicts of a run, :func:`estimate` one number with its interval for
  tables and figures, :func:`best_by_direction` what may be set in bold.
* :mod:`harness.evidence.compare` and :mod:`harness.evidence.regress` set two runs side by side.

Names are imported when they are first used, so that planning stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.claims.findings import NotMeasuredError
    from harness.evidence.estimates import Estimate, best_by_direction, estimate
    from harness.evidence.verdicts import judge

_HOMES = {
    "Estimate": "estimates",
    "NotMeasuredError": "estimates",
    "best_by_direction": "estimates",
    "estimate": "estimates",
    "judge": "verdicts",
}

__all__ = [
    "Estimate",
    "NotMeasuredError",
    "best_by_direction",
    "estimate",
    "judge",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
