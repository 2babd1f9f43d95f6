"""From records to verdicts.

* :func:`judge` gives the verdicts of a run, :func:`estimate` one number with its interval for
  tables and figures, :func:`best_by_direction` what may be set in bold.
* :func:`claims_hash` and :func:`check_suite` look at declarations only and import no statistics.
* :mod:`harness.evidence.compare` and :mod:`harness.evidence.regress` set two runs side by side.

Names are imported when they are first used, so that planning stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.evidence.check import check_suite
    from harness.evidence.declared import claims_hash
    from harness.evidence.estimates import Estimate, best_by_direction, estimate
    from harness.evidence.rows import NotMeasuredError
    from harness.evidence.verdicts import judge

_HOMES = {
    "Estimate": "estimates",
    "NotMeasuredError": "rows",
    "best_by_direction": "estimates",
    "check_suite": "check",
    "claims_hash": "declared",
    "estimate": "estimates",
    "judge": "verdicts",
}

__all__ = [
    "Estimate",
    "NotMeasuredError",
    "best_by_direction",
    "check_suite",
    "claims_hash",
    "estimate",
    "judge",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
