"""The methods under comparison, by id, and what reports call them."""

from __future__ import annotations

from typing import Any

from harness.suite import Methods, Tuned
from methods.metric_aware import sabotage
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
from methods.metric_aware.training_method import AsIs, FineTuned
from suites.metric_aware.seeds import HIDDEN_TUNING_SEEDS, TUNING_SEEDS

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


ASKED_OFTEN = frozenset(
    {
        *(name for name in READ_OUTS if name not in ("consistency", "line", "constant-median")),
        *(f"sample-{count}" for count in (2, 4, 16)),
        *("mean-T0.25", "mean-T4", "misplaced", "misplaced-median", "misplaced-probability"),
        "near-temperature",
    }
)
"""Read-outs of a prompted model under ``small``: what claims, controls and the curve over K read."""


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
        "misplaced": sabotage.Misplaced(),
        "misplaced-median": sabotage.Misplaced(rule="median"),
        "misplaced-probability": sabotage.Misplaced(rule="probability"),
        "blind": sabotage.Blind(),
        "near-temperature": sabotage.NearTemperature(),
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
        "mbr-misplaced": sabotage.MisplacedRisk(),
        "mbr-shuffled": sabotage.ShuffledRisk(),
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
_HIDDEN_RATES = (0.00025, *_RATES)
"""The same for what reads hidden states: in pilots RAFT was best at .001, which would lie at the edge."""
_HIDDEN_STEPS = 600
"""Updates there: with 200, objectives were still improving at different rates."""


def _tuned(objective: Any, rates: tuple[float, ...] = _RATES, **changes: Any) -> Tuned:
    method = FineTuned(objective=objective, **changes)
    return Tuned(
        method=method,
        grid={"rate": rates},
        select=RMSE,
        seeds=TUNING_SEEDS if rates is _RATES else HIDDEN_TUNING_SEEDS,
    )


def fine_tuned() -> Methods:
    """All objectives, the pretrained model as it is, and what negative controls put in their places."""
    return {
        **{name: _tuned(name) for name in OBJECTIVES},
        **{f"{name}-late": _tuned(name, early=False, watched=48) for name in LATE},
        "raft-ends": _tuned("raft", digits="ends"),
        "as-is": AsIs(),
        "raft-shuffled": sabotage.ShuffledLabels(),
        "ce-shuffled": sabotage.ShuffledLabels(objective="ce"),
        "head-shuffled": sabotage.ShuffledLabels(objective="head"),
        "raft-inner": _tuned("raft", digits="inner"),
        "ce-drawn": sabotage.DrawnTuned(objective="ce"),
        "as-is-drawn": sabotage.DrawnAsIs(),
    }


def tuned_on_states() -> Methods:
    """The same for what reads a language model's hidden states, each objective with the same grid."""
    rates, steps = _HIDDEN_RATES, _HIDDEN_STEPS
    return {
        **{name: _tuned(name, rates, steps=steps) for name in OBJECTIVES},
        "raft-ends": _tuned("raft", rates, digits="ends", steps=steps),
        "raft-inner": _tuned("raft", rates, digits="inner", steps=steps),
        "as-is": AsIs(),
        "raft-shuffled": sabotage.ShuffledLabels(steps=steps),
        "ce-shuffled": sabotage.ShuffledLabels(objective="ce", steps=steps),
        "head-shuffled": sabotage.ShuffledLabels(objective="head", steps=steps),
        "ce-drawn": sabotage.DrawnTuned(objective="ce", steps=steps),
        "as-is-drawn": sabotage.DrawnAsIs(),
    }
