"""What each statistical form asks of θ, as thresholds.

Every statistical form is a list of questions. A question passes if θ is shown to lie above
``lower`` (and below ``upper``), and falls if θ is shown to lie below ``falls_below`` (or above
``falls_above``). Nothing here touches data, so that planning may import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.claims import (
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    NonInferiority,
    Ordering,
    Replication,
    Share,
    StatisticalForm,
    Time,
    Trend,
    Value,
    log,
    slope,
)
from harness.claims.labels import contrast_label
from harness.errors import SuiteError

MarginForm = NonInferiority | Equivalence | Value
"""Forms with a margin Δ around a value, where the others have a smallest effect δ."""


@dataclass(frozen=True)
class Question:
    """One tested quantity of a claim.

    Attributes:
        label: θ in words.
        theta: The quantity.
        lower: p₊ tests θ ≤ lower.
        upper: For equivalence, p₊ also tests θ ≥ upper.
        falls_below: p₋ tests θ ≥ falls_below; ``None`` if it cannot make the claim fall.
        falls_above: For equivalence, p₋ also tests θ ≤ falls_above.
        size: The estimate must reach it; ``None`` if any size will do.
    """

    label: str
    theta: Contrast
    lower: float = 0.0
    upper: float | None = None
    falls_below: float | None = None
    falls_above: float | None = None
    size: float | None = None


def questions(form: StatisticalForm, reported: Mapping[str, float | None] | None = None) -> list[Question]:
    """The questions of a form; the claim holds if all pass.

    Args:
        form: The declared form.
        reported: The paper's numbers by id, for :class:`Value`.

    Raises:
        SuiteError: If a reported number that the form compares with is unknown.
    """
    match form:
        case Direction():
            return [_direction(form.theta, form.delta)]
        case Time():
            return [_direction(log_ratio(form), form.delta)]
        case NonInferiority():
            return [
                Question(contrast_label(form.theta), form.theta, lower=-form.margin, falls_below=-form.margin)
            ]
        case Equivalence():
            return [_inside(contrast_label(form.theta), form.theta, form.margin)]
        case Ordering():
            return _told_apart([_direction(step, form.delta) for step in form.steps])
        case EveryCell():
            return _told_apart([_direction(theta, form.delta) for theta in form.thetas])
        case Trend():
            return _trend(form)
        case Share():
            return [_direction(share_contrast(form), form.delta)]
        case Value():
            return [_value(form, reported or {})]


def delta_of(form: StatisticalForm) -> tuple[float, str]:
    """The smallest effect that matters (or the margin), and its reason."""
    if isinstance(form, MarginForm):
        return form.margin, form.margin_reason
    return form.delta, form.delta_reason


def replication_of(form: StatisticalForm) -> Replication:
    """The declared replication; a time's is its blocks, which its rows show by themselves."""
    return Replication.SEEDS if isinstance(form, Time) else form.replication


def _direction(theta: Contrast, delta: float) -> Question:
    return Question(contrast_label(theta), theta, falls_below=delta, size=delta)


def _told_apart(asked: list[Question]) -> list[Question]:
    """Name the task where the same formula is asked of several."""
    labels = [question.label for question in asked]
    return [
        replace(question, label=f"{question.label}, on {_tasks(question)}")
        if labels.count(question.label) > 1 and _tasks(question)
        else question
        for question in asked
    ]


def _tasks(question: Question) -> str:
    return " and ".join(dict.fromkeys(cell.task for _, cell in question.theta.terms if cell.task))


def _inside(label: str, theta: Contrast, margin: float) -> Question:
    return Question(label, theta, lower=-margin, upper=margin, falls_below=-margin, falls_above=margin)


def _value(form: Value, reported: Mapping[str, float | None]) -> Question:
    number = reported.get(form.reported)
    if number is None:
        raise SuiteError(f"No number is reported as '{form.reported}'", where="Value")
    theta = Contrast(form.theta.terms, form.theta.constant + number, form.theta.log)
    return _inside(contrast_label(theta), theta, form.margin)


def log_ratio(form: Time) -> Contrast:
    """log(slow) − log(fast)."""
    return log(form.slow) - log(form.fast)


def share_contrast(form: Share) -> Contrast:
    """(a − b) − ratio · (c − d)."""
    return Contrast(((1.0, form.a), (-1.0, form.b), (-form.ratio, form.c), (form.ratio, form.d)))


def share_denominator(form: Share) -> Contrast:
    """c − d, which must be positive for a share to mean anything."""
    return Contrast(((1.0, form.c), (-1.0, form.d)))


def _trend(form: Trend) -> list[Question]:
    steps = [
        Question(f"step from {x:g} to {y:g}", right - left, lower=-form.step_margin)
        for (x, left), (y, right) in zip(form.points, form.points[1:], strict=False)
    ]
    name = form.points[0][1].terms[0][1].metric.name
    return [Question(f"slope of {name}", slope(form.points), falls_below=form.delta, size=form.delta), *steps]
