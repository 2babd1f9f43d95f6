"""What is varied, and the places from which claims and displays take their cells."""

from __future__ import annotations

from harness.claims import Place, Profile
from harness.method import mean_of
from methods.common.rank_metrics import spearman
from methods.lora_rite.cost import NUMBERS
from methods.lora_rite.descent import DEVIATION
from methods.lora_rite.finetune import ACCURACY, IMBALANCE
from methods.lora_rite.grades import NATS
from methods.lora_rite.online import EXPONENT, LOSS
from methods.lora_rite.regression import ERROR

SCALES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Factors on the initial A."""
IMBALANCES = (1.0, 3.0, 10.0)
"""s of the unbalanced starts (sA, B/s)."""
RANKS = (8, 32, 128)
"""Ranks at which a step is timed."""
LORA_RANKS = (4, 16, 64)
"""r of the language models, of which LoRA-RITE and Adam take each; the paper compares all six at 16."""
WATCHED_RANKS = (4, 16)
"""Those of which the factors' contributions are compared."""
STRING_TASKS = ("sort-shift", "mostly-late")
"""Functions to learn: an answer to generate, and a question."""
ASKED_KNOWN = ("rite", "adam")
"""Optimizers that also train on a question that the base model can answer."""
BENCHMARKS = {
    Profile.GPU: ("arc-easy", "openbookqa", "boolq", "mawps"),
    Profile.PAPER: ("hellaswag", "arc-challenge", "gsm8k", "openbookqa"),
}
"""Public sets that count for the average of a profile."""

INVARIANCE = Place("invariance", metric=DEVIATION)
"""How far trajectories from equivalent starts diverge; the task is the kind of transformation."""
FIRST_STEP = Place("first-step", metric=DEVIATION)
"""Sizes of a first step from (sA, B/s)."""
REGRESSION = Place("regression", metric=ERROR)
"""Test error at the best rate."""
RESCALED = Place("scales", metric=ERROR)
"""Test error from rescaled factors (the task is the scale), at the rate of scale 1."""
REGRET = Place("regret", metric=EXPONENT)
"""Exponent of the averaged first-order term."""
UNBALANCED = Place("unbalanced", metric=LOSS)
"""Average loss from an unbalanced start (the task is s), at the best rate."""
STATE = Place("state", metric=NUMBERS)
"""Numbers of state for each parameter."""
STEP_TIME = Place("step-time", part="time", metric=mean_of("seconds", better="lower", unit="s", digits=4))
"""Seconds of a few optimizer steps: ``STEP_TIME("adam-r8")``."""
TRAINING_TIME = Place("training-time", part="time", metric=STEP_TIME.metric)
"""Seconds of a few training steps: ``TRAINING_TIME("adam-large")``."""
LANGUAGE = Place("language", metric=ACCURACY)
"""The small language model on functions of strings: ``LANGUAGE("adam-r16", task="sort-shift")``."""
KNOWN = LANGUAGE.on("known")
"""The same on a question that the base model can answer."""
ENCODER = Place("encoder", "amazon", metric=spearman())
"""Spearman's correlation of MiniLM's ratings, at the best of three rates."""
PUBLIC = Place("public", metric=ACCURACY)
"""Pretrained language models; the task is a public set."""
PRETRAINED = Place("gemma-invariance", "gemma", metric=DEVIATION)
"""How far trajectories of Gemma-3-270M's adapters diverge from equivalent starts, in float32."""
GRADES = Place("gemma", "grades", metric=NATS)
"""Gemma-3-270M's held-out nats a token of the grades of film reviews."""


def ranks_of(optimizer: str) -> tuple[int, ...]:
    """Ranks of the small language model: all for LoRA-RITE and Adam, 16 for the others."""
    return LORA_RANKS if optimizer in ("rite", "adam") else (16,)


def factors(where: Place) -> Place:
    """How unevenly the factors contribute during training there."""
    return where.on(part="probe:factors", metric=IMBALANCE)


def scale_id(scale: float) -> str:
    """Id of the task with this initial scale: ``s-0.01``."""
    return f"s-{scale:g}"
