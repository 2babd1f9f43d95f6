"""Multiplicity: the correction of p-values over the claims of a suite and profile."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.claims.findings import Corrected, Finding
from harness.evidence.graphical import weighted
from harness.store.records import TestRecord


def holm(p_values: Sequence[float | None], size: int = 0) -> list[float | None]:
    """Holm's adjusted p-values.

    Args:
        p_values: Raw p-values; those that are missing or no number stay missing and are not counted.
        size: Count at least this many hypotheses: a run restricted to some claims is corrected
            for all that were declared.

    Returns:
        min(1, max over smaller p of (m − rank) · p), in the order given.
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None and not math.isnan(p))
    m = max(size, len(known))
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, (m - rank) * p))
        adjusted[i] = largest
    return adjusted


def correct(
    findings: Sequence[Finding],
    primary: Sequence[bool] = (),
    *,
    declared: tuple[int, int] = (0, 0),
    looks: int = 1,
) -> list[Corrected]:
    """p₊, primary claims first, and p₋ over the findings that are tested, each p times the number of looks.

    p₊ is corrected by :func:`~harness.evidence.graphical.weighted`, which is Holm's procedure for a suite
    without primary claims; p₋ by Holm over all.

    Whichever look a claim ends at, its p is one of ``looks`` that were fixed beforehand. By the union bound
    the smallest of them times ``looks`` is a p-value, and none that is reported is smaller: so the error
    rate of the family holds, however the number of seeds was chosen among the looks.

    Args:
        findings: Of all claims of a suite and profile.
        primary: Whether each is of a primary claim; by default none is.
        declared: Primary and secondary claims as declared, where the run was restricted to some.
        looks: Looks that the run may take.
    """
    kinds = list(primary) or [False] * len(findings)
    raised = [_at_looks(finding.p_plus, looks) for finding in findings]
    plus = weighted(raised, kinds, declared=declared)
    minus = holm([_at_looks(finding.p_minus, looks) for finding in findings], sum(declared))
    known = [kind for kind, p in zip(kinds, raised, strict=True) if p is not None]
    first = max(declared[0], sum(known))
    family = max(sum(declared), len(known))
    return [
        Corrected(p, q, family, looks, primary=kind if 0 < first < family else None)
        for p, q, kind in zip(plus, minus, kinds, strict=True)
    ]


def corrected_tests(finding: Finding, corrected: Corrected) -> list[TestRecord]:
    """The test records with p-values as the family corrects them.

    Within a claim, p₊ of its parts are not corrected (all must pass) and p₋ are, by Holm (any
    may fail). The family's factor for the claim then applies to each.
    """
    up, down = _factor(finding.p_plus, corrected.plus), _factor(finding.p_minus, corrected.minus)
    falls = holm([test.p_minus for test in finding.tests])
    return [
        test.model_copy(
            update={"p_plus_adjusted": _times(test.p_plus, up), "p_minus_adjusted": _times(fall, down)}
        )
        for test, fall in zip(finding.tests, falls, strict=True)
    ]


def _factor(alone: float | None, together: float | None) -> float | None:
    if alone is None or together is None:
        return None
    return together / alone if alone > 0 else 1.0


def _at_looks(p: float | None, looks: int) -> float | None:
    return None if p is None else p * looks  # Holm caps it; one that is no number has to stay none.


def _times(p: float | None, factor: float | None) -> float | None:
    return None if p is None or factor is None else min(1.0, p * factor)
