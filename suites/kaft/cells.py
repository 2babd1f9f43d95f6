"""Where methods are compared, and the numbers that claims and displays read there."""

from __future__ import annotations

from collections.abc import Callable
from math import log2

from harness.claims import Cell, Place, Profile, Replication
from harness.method import Metric
from methods.kaft.method import AGREES, APART, CONTROLLABILITY, CORRECT, JOINT, RELEVANT, ROBUSTNESS
from suites.kaft.arms import COMMON_RATES

SIZES = {"s": (3, 40), "m": (3, 64), "l": (3, 96)}
"""Layers and width of the models of the generated world."""
MAIN = "m"
"""The size on which every method is run."""
OTHER_SIZES = tuple(size for size in SIZES if size != MAIN)
"""Sizes on which few methods are run."""

WORLD = Place("world", MAIN)
"""The generated world at the main size."""
PROBE = Place("probe", "gemma", replication=Replication.UNITS)
"""Gemma-3-270M as it is: deterministic, so only the questions vary."""
FACTS = Place("facts", "gemma", replication=Replication.CROSSED)
"""Gemma-3-270M finetuned on countries and elements; under ``small`` with ``--full`` only."""
OPEN = Place("open", "t5", replication=Replication.CROSSED)
"""T5 finetuned on public sets."""

FINETUNING = {Profile.SMALL: WORLD, Profile.GPU: FACTS, Profile.PAPER: OPEN}
"""Where finetuned models are compared under each profile."""
RATES_AT = {Profile.SMALL: tuple(COMMON_RATES), Profile.GPU: ("lower",), Profile.PAPER: ("lower",)}
"""Common rates of KAFT and its variant with gold targets there."""

Axis = Callable[[Place, str], Cell]
"""A number of a method at a place."""


def measured(metric: Metric, part: str | None = None) -> Axis:
    """What a metric says of a method, on the place's own evaluation set or another."""
    return lambda where, method: where(method, metric, part=part)


controllability = measured(CONTROLLABILITY)
joint = measured(JOINT)
"""Harmonic mean of controllability and robustness."""
relevant = measured(RELEVANT)
"""Accuracy on relevant contexts."""
apart = measured(APART)
"""Answers without a context that avoid the words of the irrelevant one."""
unread = measured(CORRECT, "unread")
"""Accuracy on relevant contexts of what the pretrained model does not know."""
agrees = measured(AGREES, "recall")
"""Agreement with M(q) on all held-out questions, known or not."""


def robustness(where: Place, method: str) -> Cell:
    """Robustness; on public sets that of the unanswerable questions of SQuAD 2.0."""
    return where(method, ROBUSTNESS, part="impossible" if where == OPEN else None)


def sized(size: str) -> Place:
    """The generated world with one size of model; the main size runs with all methods."""
    return WORLD if size == MAIN else Place("sizes", size)


def weights(size: str) -> int:
    """Weights of a size without embeddings: 16 h² a layer (four for attention, twelve for the MLP)."""
    layers, hidden = SIZES[size]
    return 16 * layers * hidden**2


def doublings(size: str) -> float:
    """log₂ of the weights of a size."""
    return log2(weights(size))
