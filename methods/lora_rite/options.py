"""What options of LoRA-RITE may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from harness.method import ProblemError

_NOT_NEGATIVE = ("eps", "weight_decay", "clip", "skip", "cap")
_SWITCHES = ("mass", "rows", "balance", "master")
_SECOND = ("ema", "sum")


def check_options(options: Mapping[str, Any], *, where: str) -> None:
    """Look at all options of a parameter group.

    Raises:
        ProblemError: For a value that is none of a number, of a range or of a choice.
    """
    for name in ("lr", "companion_lr"):
        if not _is_number(options[name]) or not options[name] > 0:
            raise ProblemError(
                f"{name} must be positive and finite, not {options[name]!r}",
                where=where,
                fix="Give a learning rate such as 1e-3.",
            )
    betas = options["betas"]
    if (
        not isinstance(betas, tuple | list)
        or len(betas) != 2
        or not all(_is_number(beta) and 0 <= beta < 1 for beta in betas)
    ):
        raise ProblemError(
            f"betas must be positive or 0, two numbers below 1, not {betas!r}",
            where=where,
            fix="The paper has (0.9, 0.999).",
        )
    for name in _NOT_NEGATIVE:
        if not _is_number(options[name]) or options[name] < 0:
            raise ProblemError(
                f"{name} must be positive or 0, and finite, not {options[name]!r}",
                where=where,
                fix="0 switches clip, skip, cap and weight_decay off.",
            )
    for name in _SWITCHES:
        if not isinstance(options[name], bool):
            raise ProblemError(f"{name} must be True or False, not {options[name]!r}", where=where)
    if options["second"] not in _SECOND:
        raise ProblemError(
            f"second must be one of {', '.join(_SECOND)}, not {options['second']!r}", where=where
        )


def check_known(given: Iterable[str], known: Iterable[str], *, where: str) -> None:
    """Refuse options that no optimizer reads: a typing error would train something else.

    Raises:
        ProblemError: If there is one.
    """
    known = set(known)
    unknown = sorted(set(given) - known)
    if unknown:
        raise ProblemError(
            f"There is no option '{unknown[0]}'", where=where, fix=f"Choose of {', '.join(sorted(known))}."
        )


def check_rate(rate: Any, *, where: str) -> None:
    """Look at a rate that a schedule has set; 0 moves nothing, and is allowed.

    Raises:
        ProblemError: If it is negative or no finite number.
    """
    if not _is_number(rate) or rate < 0:
        raise ProblemError(
            f"The learning rate has become {rate!r}",
            where=where,
            fix="Let the schedule set numbers that are positive or 0.",
        )


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
