"""Checks of what is proved: the right forms pass them all, exchanged ones are caught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from methods.metric_aware import rules
from methods.metric_aware.exact import (
    ClosedForms,
    Found,
    Inputs,
    Property,
    all_sets,
    deciding,
    decisions,
    moments,
    reached,
    two_decisions,
)
from methods.metric_aware.gfm import hamming_set
from tests.methods.context import FakeContext


@dataclass(frozen=True)
class ExchangedForms(ClosedForms):
    """Each closed form is replaced by a similar one."""

    def rules(self, inputs: Inputs) -> Found:
        """Decide for each metric by the rule of the next one."""
        found = deciding()
        used = zip(found, (*found[1:], found[0]), strict=True)
        return decisions({rule.metric: other for rule, other in used}, inputs)

    def lemmas(self, inputs: Inputs) -> Found:
        """The median for the mean, the mean for the mode."""
        return two_decisions(rules.median, rules.mean, inputs)

    def losses(self, inputs: Inputs) -> Found:
        """MBR without the variance, a gradient around zero."""
        grid, law, mean, error = moments(inputs)
        return {"RAFT": error, "MBR": error, "gradient": 2 * (mean - inputs["label"][:, None]) * law * grid}

    def ends(self, inputs: Inputs) -> Found:
        """Two digits within the grid."""
        return reached((2.0, 4.0), inputs)

    def sets(self, inputs: Inputs) -> Found:
        """The set of the likely labels."""
        return {"set": np.array([hamming_set(joint @ all_sets()).astype(float) for joint in inputs["joint"]])}


@pytest.mark.parametrize("family", ["rules", "lemmas", "losses", "ends", "sets"])
def test_right_forms_hold_and_exchanged_ones_are_caught(family: str) -> None:
    task, ctx = Property(family=family, count=12), FakeContext()  # type: ignore[arg-type]
    problem = task.problem(ctx)
    for forms, broken in ((ClosedForms(), False), (ExchangedForms(), True)):
        rows = task.evaluate(forms.run(problem, ctx), ctx).parts["main"]
        above = [e > t for e, t in zip(rows["error"], rows["tolerance"], strict=True)]
        assert any(above) is broken
        assert above == list(rows["confirmed"])
        assert len(set(rows["unit_id"])) == len(above)
