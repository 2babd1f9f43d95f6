"""The rules that decide the claims, with their thresholds in points of accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.claims import (
    Cell,
    Contrast,
    Direction,
    Equivalence,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Place,
    Precondition,
    Profile,
    alone,
    at,
    by_profile,
)
from suites.rest_react.cells import PLACES, PUBLIC, Reading, of

STEP = 2.0
STEP_REASON = "the smallest step between generations that the paper reports is 2.1 points"
CLOSE = 5.0
CLOSE_REASON = "the card's threshold for comparable performance"

INVENTED = NotRun("This is measured in generated worlds, which the profiles small and gpu have.")
BY_SCRIPT = (
    "The ranker is a script that knows the right action, but for noise, and generation 0 learnt from the "
    "same script with mistakes added: that agents with ranked targets are better was put in."
)
_LABELS = (
    "The ranker is a script that reads states rightly but for noise; that no labels are needed is built in."
)


def each(rule: Callable[[Place], Form]) -> Mapping[Profile, Form]:
    """The same rule wherever agents are trained."""
    return by_profile(PLACES, rule)


def on_worlds(rule: Callable[[Place], Form]) -> Mapping[Profile, Form]:
    """The same rule in generated worlds."""
    return by_profile(PLACES, rule) | at(Profile.PAPER, INVENTED)


def in_earnest(
    rule: Callable[[Place], Direction | NonInferiority | Equivalence], *, reason: str = BY_SCRIPT
) -> Mapping[Profile, Form]:
    """The rule where language models act and rank; shown only where a script has decided it beforehand."""

    def proxy(where: Place) -> Form:
        return shown(rule(where).theta, where, reason)

    return by_profile(PLACES, proxy) | at(Profile.PAPER, rule(PUBLIC))


def without_labels(rule: Callable[[Place], Direction | NonInferiority]) -> Mapping[Profile, Form]:
    """As :func:`in_earnest`, of statements about labels."""
    return in_earnest(rule, reason=_LABELS)


def shown(theta: Contrast, where: Place, reason: str) -> NotComparable:
    """Measured, and no verdict."""
    return NotComparable(theta, reason=reason, replication=where.replication)


def headroom(where: Place) -> Precondition:
    """Precondition: generation 0 is weak enough to improve, and good enough to learn from."""
    return Precondition(
        name="generation 0 has headroom",
        theta=alone(of("gen0-L")(where)),
        above=15.0,
        below=80.0,
        reason="above, nothing is left to gain; below, there is nothing to start from",
        replication=where.replication,
    )


def room(where: Place, cell: Cell) -> Precondition:
    """Precondition: an accuracy that something is to be added to is not near 100 already."""
    return Precondition(
        name="there is room to the top",
        theta=alone(cell),
        above=-1.0,
        below=97.0,
        reason="what is nearly always right cannot be improved upon",
        replication=where.replication,
    )


def above(
    better: Reading, worse: Reading, *, delta: float = STEP, reason: str = STEP_REASON
) -> Callable[[Place], Direction]:
    """One number is above another, given that generation 0 and the lower number have headroom."""
    return lambda where: Direction(
        better(where) - worse(where),
        delta=delta,
        delta_reason=reason,
        replication=where.replication,
        preconditions=(headroom(where), room(where, worse(where))),
    )


def not_below(
    number: Reading, other: Reading, *, margin: float = CLOSE, reason: str = CLOSE_REASON
) -> Callable[[Place], NonInferiority]:
    """One number is not below another by more than a margin."""
    return lambda where: NonInferiority(
        number(where) - other(where), margin=margin, margin_reason=reason, replication=where.replication
    )


def as_good(
    number: Reading, other: Reading, *, margin: float, reason: str, with_room: Reading
) -> Callable[[Place], Equivalence]:
    """Two numbers differ by less than a margin, where ``with_room`` leaves room for a difference."""
    return lambda where: Equivalence(
        number(where) - other(where),
        margin=margin,
        margin_reason=reason,
        replication=where.replication,
        preconditions=(room(where, with_room(where)),),
    )


def falls(first: Reading, last: Reading, *, delta: float, reason: str) -> Callable[[Place], Direction]:
    """A number is lower for the last agent than for the first."""
    return lambda where: Direction(
        first(where) - last(where), delta=delta, delta_reason=reason, replication=where.replication
    )
