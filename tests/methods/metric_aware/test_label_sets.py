"""Decisions on sets of labels."""

from __future__ import annotations

import numpy as np
import pytest

from methods.metric_aware.label_sets import LabelProblem, LabelSets, LabelTask
from tests.methods.context import FakeContext

# The card's joint distribution {110: .30, 101: .20, 001: .15, 000: .10, 111: .25} as twenty samples.
SAMPLES = np.array(
    [[1, 1, 0]] * 6 + [[1, 0, 1]] * 4 + [[0, 0, 1]] * 3 + [[0, 0, 0]] * 2 + [[1, 1, 1]] * 5, dtype=bool
)


@pytest.mark.parametrize(
    ("rule", "expected"), [("f1", [1, 1, 1]), ("mode", [1, 1, 0]), ("hamming", [1, 1, 1])]
)
def test_golden_decisions(rule: str, expected: list[int]) -> None:
    method = LabelSets(rule=rule)  # type: ignore[arg-type]
    (found,) = method.run(LabelProblem(SAMPLES[None]), FakeContext())
    assert found.astype(int).tolist() == expected


def test_each_rule_is_best_for_its_metric() -> None:
    task, ctx = LabelTask(items=400), FakeContext()
    problem = task.problem(ctx)
    methods = {
        "f1": LabelSets(),
        "hamming": LabelSets(rule="hamming"),
        "mode": LabelSets(rule="mode"),
    }
    scores = {
        rule: task.evaluate(method.run(problem, ctx), ctx).parts["main"] for rule, method in methods.items()
    }
    f1 = {rule: float(np.mean(rows["f1"])) for rule, rows in scores.items()}
    assert max(f1, key=lambda rule: f1[rule]) == "f1"
    loss = {rule: float(np.mean(rows["hamming"])) for rule, rows in scores.items()}
    assert min(loss, key=lambda rule: loss[rule]) == "hamming"
