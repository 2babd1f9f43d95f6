"""The sentences of verdicts."""

from __future__ import annotations

from harness.claims.ratios import factor, factor_text
from harness.store.records import Interval, RatioRecord, TestRecord


def number(value: float) -> str:
    """Three significant digits, with a true minus sign."""
    return f"{value:.3g}".replace("-", "−")


def interval(effect: Interval, ratio: RatioRecord | None = None) -> str:
    """An estimate with its interval: "0.12 [0.08, 0.16]", or as a ratio "0.72 times [0.64, 0.81]"."""

    def said(value: float) -> str:
        return number(value) if ratio is None else factor_text(ratio.times * factor(value))

    value = said(effect.value) + ("" if ratio is None else " times")
    if effect.low is None or effect.high is None:
        return value
    return f"{value} [{said(effect.low)}, {said(effect.high)}]"


def change(effect: Interval, *, log: bool) -> str:
    """A change of θ: "0.12 [0.08, 0.16]", or of a logarithm "a factor of 1.04 [1.01, 1.08]"."""
    if not log:
        return interval(effect)
    return f"a factor of {interval(effect, RatioRecord(label='')).replace(' times', '', 1)}"


def p_value(p: float | None) -> str:
    """A p-value: "p = .004", "p < .001", or that there is none."""
    if p is None:
        return "no p"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def tested(test: TestRecord) -> str:
    """A tested quantity: "rho: a − b = 0.12 [0.08, 0.16]"."""
    return f"{test.ratio.label if test.ratio else test.label} = {interval(test.effect, test.ratio)}"


def count(number_of: int, noun: str) -> str:
    """A number of things: "1 seed", "5 seeds"."""
    return f"{number_of} {noun}{'s' * (number_of != 1)}"
