"""Checks of what is proved: the right forms pass them all, exchanged ones are caught."""

from __future__ import annotations

import pytest

from methods.metric_aware.exact import ClosedForms, Property
from methods.metric_aware.sabotage import ExchangedForms
from tests.methods.context import FakeContext


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
