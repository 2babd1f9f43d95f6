"""In which unit a reader is shown what a claim measures."""

from __future__ import annotations

from harness.claims.forms.base import Form
from harness.claims.labels import contrast_label


def unit_of(form: Form | None, label: str) -> str:
    """The unit of a tested quantity: that of its metrics, if they share one; of percentages, points.

    Args:
        form: The rule that asks for it.
        label: What the test is called: the formula of one of the rule's quantities, and perhaps more.

    Returns:
        Nothing for a quantity that has none, as a logarithm, and for what a rule makes of its quantities, as
        a slope.
    """
    for measured in form.measured() if form else ():
        theta = measured.theta
        if theta.terms and not theta.log and label.startswith(contrast_label(theta)):
            units = {cell.metric.unit for _, cell in theta.terms}
            unit = units.pop() if len(units) == 1 else ""
            return "points" if unit == "%" else unit
    return ""
