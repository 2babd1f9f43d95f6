"""The cells that claims, tables and figures read."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Cell, Contrast, Profile
from methods.promot.metrics import (
    COSINE,
    DRIFT,
    FORMAT_SHARE,
    NORM_AVG,
    PROPERTY,
    SATURATED_COSINE,
    TARGET_SCORE,
    WORST_TASK,
    held_out_at,
    target_at,
    trade_off,
)

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
"""The same for each task of the experiment ``models``."""
TRADE_OFF = {
    Profile.SMALL: (70.0, 80.0, 90.0),
    Profile.GPU: (70.0, 80.0, 85.0),
    Profile.PAPER: (70.0, 80.0, 85.0),
}
"""Target scores over which trade-off curves are averaged."""


def target(method: str, experiment: str = "entailment", task: str = "") -> Cell:
    """Test score on the target task."""
    return Cell(experiment, method, TARGET_SCORE, task=task)


def held_out(method: str, experiment: str = "entailment", shots: int = 1, task: str = "") -> Cell:
    """Norm. Avg. of the held-out tasks at the chosen checkpoint."""
    return Cell(experiment, method, NORM_AVG, task=task, part="held-out", where=(("shots", shots),))


def one_task(method: str, name: str, experiment: str = "entailment", shots: int = 1) -> Cell:
    """The score of one held-out task."""
    return Cell(experiment, method, NORM_AVG, part="held-out", where=(("shots", shots), ("task", name)))


def related(method: str, experiment: str = "translation", shots: int = 1) -> Cell:
    """Held-out tasks with the target's meaning in another format."""
    return Cell(experiment, method, NORM_AVG, part="related", where=(("shots", shots),))


def worst(method: str, experiment: str = "entailment") -> Cell:
    """The lowest score among the held-out tasks."""
    return Cell(experiment, method, WORST_TASK, part="held-out", where=(("shots", 1),))


def share(method: str, experiment: str = "entailment") -> Cell:
    """Held-out outputs in the target's format."""
    return Cell(experiment, method, FORMAT_SHARE, part="held-out", where=(("shots", 1),))


def matched(method: str, level: float, experiment: str = "entailment", task: str = "") -> Cell:
    """Norm. Avg. where the target first reaches ``level``."""
    return Cell(experiment, method, held_out_at(level), task=task, part="probe:curve")


def reached(method: str, level: float, experiment: str = "entailment", task: str = "") -> Cell:
    """The target score at which :func:`matched` reads."""
    return Cell(experiment, method, target_at(level), task=task, part="probe:curve")


def height(method: str, profile: Profile, experiment: str = "entailment") -> Cell:
    """Height of the trade-off curve."""
    return Cell(experiment, method, trade_off(*TRADE_OFF[profile]), part="probe:curve")


def held_out_after(method: str, step: int, experiment: str = "entailment") -> Cell:
    """Norm. Avg. after so many updates of the model."""
    return Cell(
        experiment, method, NORM_AVG, part="probe:curve", where=(("kind", "held-out"), ("step", step))
    )


def target_after(method: str, step: int, experiment: str = "entailment") -> Cell:
    """Target score after so many updates of the model."""
    return Cell(
        experiment, method, TARGET_SCORE, part="probe:curve", where=(("kind", "target"), ("step", step))
    )


def share_after(method: str, step: int, experiment: str = "entailment") -> Cell:
    """Held-out outputs in the target's format, after so many updates of the model."""
    return Cell(
        experiment, method, FORMAT_SHARE, part="probe:curve", where=(("kind", "held-out"), ("step", step))
    )


def cosine_after(method: str, step: int, block: str = "") -> Cell:
    """Cosine of gradient and format gradient, of one block or their mean."""
    where: tuple[tuple[str, str | int | float | bool], ...] = (("step", step),)
    if block:
        where = (*where, ("unit_id", block))
    return Cell("entailment", method, COSINE, part="probe:alignment", where=where)


def saturated(method: str) -> Cell:
    """The cosine from where nine of ten held-out outputs are in the target's format."""
    return Cell("entailment", method, SATURATED_COSINE, part="probe:alignment")


def drift(method: str, experiment: str = "entailment") -> Cell:
    """Distance of all weights from the pretrained ones."""
    return Cell(experiment, method, DRIFT, part="drift")


def untouched(method: str, experiment: str = "entailment") -> Cell:
    """Differences of weights and answers from the pretrained model's."""
    return Cell(experiment, method, PROPERTY, part="untouched")


def only(cell: Cell, constant: float = 0.0) -> Contrast:
    """One cell, minus a constant."""
    return Contrast(((1.0, cell),), constant)
