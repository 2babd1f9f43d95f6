"""The methods under comparison, by id, and what reports call them."""

from __future__ import annotations

from typing import Any

from harness.method import Method
from harness.suite import Tuned
from methods.metric_aware.label_sets import LabelSets
from methods.metric_aware.method import (
    Constant,
    Enumerated,
    Greedy,
    Sampled,
    SelfConsistency,
)
from methods.metric_aware.metrics import RMSE
from methods.metric_aware.open_answers import GreedyText, MinimumRisk, MostFrequent, OneSample
from methods.metric_aware.sabotage import (
    Blind,
    DrawnAsIs,
    DrawnTuned,
    Misplaced,
    MisplacedRisk,
    NearTemperature,
    ShuffledLabels,
    ShuffledRisk,
)
from methods.metric_aware.training_method import AsIs, FineTuned

Methods = dict[str, Method[Any, Any]]

COUNTS = (1, 2, 4, 8, 16)
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)


def sampled(count: int) -> str:
    """The id of the mean of so many samples."""
    return f"sample-{count}"


def mean_at(temperature: float) -> str:
    """The id of the mean at a temperature."""
    return "mean" if temperature == 1.0 else f"mean-T{temperature:g}"


READ_OUTS = {
    "greedy": "greedy answer",
    "mode": "most probable value",
    "median": "median",
    "mean": "mean",
    "probability": "probability of a high grade",
    "sample-1": "one sample",
    "consistency": "most frequent of 16 samples",
    "sample-8": "mean of 8 samples",
    "fitted": "mean at a fitted temperature",
    "line": "mean on a fitted line",
    "constant-mean": "held-out mean",
    "constant-median": "held-out median",
}
"""Read-outs that tables show, with their labels."""


def read_outs(*, record: bool = False) -> Methods:
    """All read-outs of one set of distributions; ``record`` keeps the calls once."""
    return {
        "greedy": Greedy(),
        "mode": Enumerated(rule="mode", record=record),
        "median": Enumerated(rule="median"),
        "mean": Enumerated(),
        "probability": Enumerated(rule="probability"),
        "consistency": SelfConsistency(),
        "fitted": Enumerated(fit="likelihood"),
        "line": Enumerated(fit="line"),
        "constant-mean": Constant(),
        "constant-median": Constant(rule="median"),
        "misplaced": Misplaced(),
        "misplaced-median": Misplaced(rule="median"),
        "misplaced-probability": Misplaced(rule="probability"),
        "blind": Blind(),
        "near-temperature": NearTemperature(),
        **{sampled(count): Sampled(count=count) for count in COUNTS},
        **{mean_at(t): Enumerated(temperature=t) for t in TEMPERATURES if t != 1.0},
    }


TEXTS = {
    "greedy": "greedy answer",
    "one-sample": "one sample",
    "most-frequent": "most frequent sample",
    "mbr-f1": "largest expected token F1",
    "mbr-misplaced": "the same by samples for another question (control)",
    "mbr-shuffled": "the same with utilities of other candidates (control)",
}
"""Read-outs of sampled texts, with their labels."""


def text_methods() -> Methods:
    """Read-outs of sampled texts."""
    return {
        "greedy": GreedyText(record=True),
        "one-sample": OneSample(),
        "most-frequent": MostFrequent(),
        "mbr-f1": MinimumRisk(),
        "mbr-misplaced": MisplacedRisk(),
        "mbr-shuffled": ShuffledRisk(),
    }


LABEL_SETS: Methods = {
    "f1": LabelSets(),
    "hamming": LabelSets(rule="hamming"),
    "mode": LabelSets(rule="mode"),
}
"""Read-outs of sampled sets of labels."""

OBJECTIVES = {
    "ce": "cross-entropy",
    "raft": "RAFT",
    "learnable": "RAFT, learnable weights",
    "mbr": "MBR loss",
    "head": "linear predictive head",
    "digit-head": "predictive head on the digits",
}
"""What is fine-tuned for, with its label."""
LATE = ("ce", "raft", "mbr")
"""Objectives that are also trained to the last step."""
_RATES = (0.001, 0.004, 0.016, 0.064)
"""Learning rates tried for every objective and task, on a seed of its own."""


def _tuned(objective: Any, **changes: Any) -> Tuned:
    method = FineTuned(objective=objective, **changes)
    return Tuned(method=method, grid={"rate": _RATES}, select=RMSE, seeds=(1,))


def fine_tuned() -> dict[str, Method[Any, Any] | Tuned]:
    """All objectives, the pretrained model as it is, and what negative controls put in their places."""
    return {
        **{name: _tuned(name) for name in OBJECTIVES},
        **{f"{name}-late": _tuned(name, early=False, watched=48) for name in LATE},
        "raft-ends": _tuned("raft", digits="ends"),
        "as-is": AsIs(),
        "raft-shuffled": ShuffledLabels(),
        "ce-shuffled": ShuffledLabels(objective="ce"),
        "head-shuffled": ShuffledLabels(objective="head"),
        "raft-inner": _tuned("raft", digits="inner"),
        "ce-drawn": DrawnTuned(objective="ce"),
        "as-is-drawn": DrawnAsIs(),
    }
