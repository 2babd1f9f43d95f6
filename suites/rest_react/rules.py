"""The rules that decide the claims, with the card's thresholds in points of accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    Equivalence,
    Form,
    NonInferiority,
    NotRun,
    Precondition,
    Profile,
    difference,
)
from suites.rest_react.cells import LANGUAGE, PUBLIC, WORLDS, Place

STEP = 2.0
STEP_REASON = "the smallest step between generations that the paper reports is 2.1 points"
CLOSE = 5.0
CLOSE_REASON = "the card's threshold for comparable performance"
PLACES: Mapping[Profile, Place] = {
    Profile.SMALL: WORLDS,
    Profile.GPU: LANGUAGE,
    Profile.PAPER: PUBLIC,
}
"""Where agents are trained."""


def each(form: Callable[[Place], Form]) -> Mapping[Profile, Form]:
    """The same rule wherever agents are trained."""
    return {profile: form(where) for profile, where in PLACES.items()}


INVENTED = NotRun(reason="This is measured in generated worlds, which the profiles small and gpu have.")


def on_worlds(form: Callable[[Place], Form]) -> Mapping[Profile, Form]:
    """The same rule in generated worlds."""
    return {**each(form), Profile.PAPER: INVENTED}


def headroom(where: Place) -> Precondition:
    """Precondition: generation 0 is weak enough to improve, and good enough to learn from."""
    return Precondition(
        name="generation 0 has headroom",
        theta=Contrast(((1.0, where.accuracy("gen0-L")),)),
        above=15.0,
        below=80.0,
        reason="above, nothing is left to gain; below, there is nothing to start from",
        replication=where.replication,
    )


def room(where: Place, cell: Cell) -> Precondition:
    """Precondition: an accuracy that something is to be added to is not near 100 already."""
    return Precondition(
        name="there is room to the top",
        theta=Contrast(((1.0, cell),)),
        above=-1.0,
        below=97.0,
        reason="what is nearly always right cannot be improved upon",
        replication=where.replication,
    )


def above(
    where: Place, better: Cell, worse: Cell, *, delta: float = STEP, reason: str = STEP_REASON
) -> Direction:
    """One number is above another, given that generation 0 and the lower number have headroom."""
    return Direction(
        theta=difference(better, worse),
        delta=delta,
        delta_reason=reason,
        replication=where.replication,
        preconditions=(headroom(where), room(where, worse)),
    )


def not_below(
    where: Place, cell: Cell, other: Cell, *, margin: float = CLOSE, reason: str = CLOSE_REASON
) -> NonInferiority:
    """One number is not below another by more than a margin."""
    return NonInferiority(
        theta=difference(cell, other), margin=margin, margin_reason=reason, replication=where.replication
    )


def as_good(
    where: Place, cell: Cell, other: Cell, *, margin: float, reason: str, assay: Precondition
) -> Equivalence:
    """Two numbers differ by less than a margin, where they could differ."""
    return Equivalence(
        theta=difference(cell, other),
        margin=margin,
        margin_reason=reason,
        replication=where.replication,
        preconditions=(assay,),
    )
