"""The sentences of verdicts."""

from __future__ import annotations

from harness.store.records import Interval, TestRecord


def number(value: float) -> str:
    """Three significant digits, with a true minus sign."""
    return f"{value:.3g}".replace("-", "−")


def interval(effect: Interval) -> str:
    """An estimate with its interval: "0.12 [0.08, 0.16]"."""
    if effect.low is None or effect.high is None:
        return number(effect.value)
    return f"{number(effect.value)} [{number(effect.low)}, {number(effect.high)}]"


def p_value(p: float | None) -> str:
    """A p-value: "p = .004", "p < .001", or that there is none."""
    if p is None:
        return "no p"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def tested(test: TestRecord) -> str:
    """A tested quantity: "rho: a − b = 0.12 [0.08, 0.16]"."""
    return f"{test.label} = {interval(test.effect)}"


def count(number_of: int, noun: str) -> str:
    """A number of things: "1 seed", "5 seeds"."""
    return f"{number_of} {noun}{'s' * (number_of != 1)}"
