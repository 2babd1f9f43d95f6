"""The rules that decide the claims, with their thresholds in points of accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.claims import (
    Cell,
    Direction,
    Equivalence,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Place,
    Precondition,
    Profile,
    Rule,
    alone,
    at,
    by_place,
)
from suites.rest_react.cells import PLACES, PUBLIC, WORLDS, Reading, of

STEP = 2.0
STEP_REASON = "the smallest step between generations that the paper reports is 2.1 points"
STILL = 0.03
"""Nats a target token in 100 updates, with which training goes on (``Cloning.least``)."""
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


def each(rule: Callable[[Place], Form]) -> Rule:
    """The same rule wherever agents are trained."""
    return by_place(PLACES, rule)


def on_worlds(rule: Callable[[Place], Form]) -> Rule:
    """The same rule in generated worlds."""
    return by_place(PLACES, rule) | at(Profile.PAPER, INVENTED)


def in_earnest(
    rule: Callable[[Place], Direction | NonInferiority | Equivalence], *, reason: str = BY_SCRIPT
) -> Rule:
    """The rule where language models act and rank; shown only where a script has decided it beforehand."""

    def proxy(where: Place) -> Form:
        return NotComparable(rule(where).theta, reason=reason)

    return by_place(PLACES, proxy) | at(Profile.PAPER, PUBLIC.replicated(rule(PUBLIC)))


def without_labels(rule: Callable[[Place], Direction | NonInferiority]) -> Rule:
    """As :func:`in_earnest`, of statements about labels."""
    return in_earnest(rule, reason=_LABELS)


def headroom(where: Place) -> Precondition:
    """Precondition: generation 0 is weak enough to improve, and good enough to learn from."""
    return Precondition(
        name="generation 0 has headroom",
        theta=alone(of("gen0-L")(where)),
        above=15.0,
        below=80.0,
        reason="above, nothing is left to gain; below, there is nothing to start from",
    )


def room(cell: Cell) -> Precondition:
    """Precondition: an accuracy that something is to be added to is not near 100 already."""
    return Precondition(
        name="there is room to the top",
        theta=alone(cell),
        above=-1.0,
        below=97.0,
        reason="what is nearly always right cannot be improved upon",
    )


def settled(where: Place, falls_of: Sequence[Reading]) -> tuple[Precondition, ...]:
    """Preconditions: agents had settled when their training ended, so that they show what their data teach.

    Agents are trained until the rule says so or the updates are used up, so that one whose seeds stop there
    fails. Only toy agents in generated worlds are trained by that rule.

    Args:
        where: Where they are trained.
        falls_of: How much the loss of each still fell.
    """
    if where is not WORLDS:
        return ()
    return tuple(
        Precondition(
            name=f"training of {dict(fall(where).where)['unit_id']} had settled",
            theta=alone(fall(where)),
            above=-1.0,
            below=STILL,
            reason="what is not learnt to the end shows how fast it is learnt",
        )
        for fall in falls_of
    )


def above(
    better: Reading,
    worse: Reading,
    *,
    delta: float = STEP,
    reason: str = STEP_REASON,
    trained: Sequence[Reading] = (),
) -> Callable[[Place], Direction]:
    """One number is above another, given that generation 0 and the lower number have headroom."""
    return lambda where: Direction(
        better(where) - worse(where),
        delta=delta,
        delta_reason=reason,
        preconditions=(headroom(where), room(worse(where)), *settled(where, trained)),
    )


def not_below(
    number: Reading,
    other: Reading,
    *,
    margin: float = CLOSE,
    reason: str = CLOSE_REASON,
    trained: Sequence[Reading] = (),
) -> Callable[[Place], NonInferiority]:
    """One number is not below another by more than a margin."""
    return lambda where: NonInferiority(
        number(where) - other(where),
        margin=margin,
        margin_reason=reason,
        preconditions=settled(where, trained),
    )


def as_good(
    number: Reading,
    other: Reading,
    *,
    margin: float,
    reason: str,
    with_room: Reading,
    trained: Sequence[Reading] = (),
) -> Callable[[Place], Equivalence]:
    """Two numbers differ by less than a margin, where ``with_room`` leaves room for a difference."""
    return lambda where: Equivalence(
        number(where) - other(where),
        margin=margin,
        margin_reason=reason,
        preconditions=(room(with_room(where)), *settled(where, trained)),
    )


def falls(
    first: Reading, last: Reading, *, delta: float, reason: str, trained: Sequence[Reading] = ()
) -> Callable[[Place], Direction]:
    """A number is lower for the last agent than for the first."""
    return lambda where: Direction(
        first(where) - last(where),
        delta=delta,
        delta_reason=reason,
        preconditions=settled(where, trained),
    )
