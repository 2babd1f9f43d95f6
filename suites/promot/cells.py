"""Measured numbers by name, so that claims and displays speak of the same cells."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Cell, Place, Profile, by_profile
from harness.method import Metric
from methods.promot.metrics import NORM_AVG, TARGET_SCORE, held_out_at, target_at

ENTAILMENT = Place("entailment", metric=TARGET_SCORE)
"""Tuned on the true-or-false task; called with a method, the test score on the target."""
ABLATIONS = Place("ablations", metric=TARGET_SCORE)
"""The same for variants of ProMoT, and with a demonstration in every input."""
VARIANTS = frozenset({"joint", "random-prompt", "fine-tuning-1shot", "promot-1shot"})
"""Methods of ``ABLATIONS``."""
TRANSLATION = Place("translation", metric=TARGET_SCORE)
"""Tuned on translation."""
SEVERAL = Place("several", metric=TARGET_SCORE)
"""Tuned on both; the score is the mean of the targets."""
MODELS = Place("models", metric=TARGET_SCORE)
"""Other models and targets, each a task."""
GEMMA = Place("gemma", metric=TARGET_SCORE)
"""A pretrained language model, under ``small`` with ``--full``."""
EXTRAS = Place("extras", metric=TARGET_SCORE)
"""LoRA, and other remedies against forgetting."""
ALIGNMENT = ENTAILMENT.on(part="probe:alignment")
"""Cosines of the gradient and the format gradient; rows have a ``step`` and, as units, blocks."""

LEVELS = {Profile.SMALL: 90.0, Profile.GPU: 85.0, Profile.PAPER: 85.0}
"""The target score at which methods are compared, on true-or-false tasks."""
SLOW_LEVELS = {**LEVELS, Profile.SMALL: 75.0}
"""The same for variants that learn the target slowly: the largest multiple of five that each of them
passed by five points on each of the seeds 100 to 104, on which no verdict rests."""
TRANSLATION_LEVELS = {Profile.SMALL: 90.0, Profile.GPU: 20.0, Profile.PAPER: 38.0}
"""The same for translation: exact match of the renamed symbols, or BLEU."""
MODEL_LEVELS: Mapping[Profile, Mapping[str, float]] = {
    Profile.SMALL: {"encoder-decoder": 90.0},
    Profile.PAPER: {"mt5-xl-en-fr": 34.0, "t5-rte": 85.0, "openbookqa": 70.0},
}
"""The same for each task of ``MODELS``."""
TRADE_OFF = by_profile(LEVELS, lambda level: (70.0, 80.0, level))
"""Target scores over which trade-off curves are averaged; the last is the level."""


def on_entailment(method: str) -> Place:
    """Where a method is tuned on the true-or-false task."""
    return ABLATIONS if method in VARIANTS else ENTAILMENT


def held_out(where: Place, method: str, metric: Metric = NORM_AVG, shots: int = 1) -> Cell:
    """Norm. Avg. (or what else is asked) of the held-out tasks at the chosen checkpoint."""
    return where(method, metric, part="held-out", shots=shots)


def related(where: Place, method: str, shots: int = 1) -> Cell:
    """Norm. Avg. of held-out tasks with the target's meaning in another format."""
    return where(method, NORM_AVG, part="related", shots=shots)


def one_task(where: Place, method: str, name: str) -> Cell:
    """The 1-shot score of one held-out task."""
    rows = (("shots", 1), ("task", name))
    return Cell(where.experiment, method, NORM_AVG, where.task, "held-out", rows)


def over_training(where: Place, method: str, metric: Metric) -> Cell:
    """What is computed from the whole course of training."""
    return where(method, metric, part="probe:curve")


def matched(where: Place, method: str, level: float) -> Cell:
    """Norm. Avg. where the target first reaches ``level``."""
    return over_training(where, method, held_out_at(level))


def reached(where: Place, method: str, level: float) -> Cell:
    """The target score at which :func:`matched` reads."""
    return over_training(where, method, target_at(level))


def held_out_after(where: Place, method: str, step: int, metric: Metric = NORM_AVG) -> Cell:
    """Norm. Avg. (or what else is asked) of the held-out tasks after so many updates of the model."""
    return where(method, metric, part="probe:curve", kind="held-out", step=step)


def target_after(where: Place, method: str, step: int) -> Cell:
    """Target score after so many updates of the model."""
    return where(method, part="probe:curve", kind="target", step=step)
