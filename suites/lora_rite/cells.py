"""Names of methods and tasks, and the cells that claims and displays read."""

from __future__ import annotations

from harness.claims import Cell, Contrast, Profile
from harness.method import Metric, mean_of
from methods.common.rank_metrics import spearman
from methods.lora_rite.cost import NUMBERS
from methods.lora_rite.descent import DEVIATION
from methods.lora_rite.finetune import ACCURACY, IMBALANCE
from methods.lora_rite.gauge import KINDS
from methods.lora_rite.online import EXPONENT, LOSS
from methods.lora_rite.regression import ERROR

FIRST_SEED = 200
"""Seeds from 100 on were seen while optimizers were mended."""

OPTIMIZERS = {
    "rite": "LoRA-RITE",
    "lamb": "LAMB",
    "adam": "Adam",
    "lora-plus": "LoRA+",
    "scaled-adam": "ScaledAdam",
    "shampoo": "Shampoo",
}
"""The six that are compared, by id."""
LATER = {"alt-lora": "AltLoRA", "muon": "Muon on each factor"}
"""Optimizers that the paper does not compare with, shown in the linear regression."""
OTHERS = tuple(name for name in OPTIMIZERS if name != "rite")
NOT_SCALED = {"gd": "GD", "adam": "Adam", "adagrad": "Adagrad", "rmsprop": "RMSProp", "shampoo": "Shampoo"}
"""Those of which the paper says that they are not even scale invariant (C2)."""
SCALES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Factors on the initial A."""
IMBALANCES = (1.0, 3.0, 10.0)
"""s of the unbalanced starts (sA, B/s)."""
RANKS = (8, 32, 128)
"""Ranks at which a step is timed."""

LORA_RANKS = (4, 16)
"""r of the language models."""
STRING_TASKS = ("sort-shift", "mostly-late")
"""Functions to learn: an answer to generate, and a question."""

MODELS = (Profile.GPU, Profile.PAPER)
"""Profiles in which pretrained language models are adapted to public data sets."""

SECONDS = mean_of("seconds", better="lower", unit="s", digits=4)

__all__ = ["KINDS"]


def scale_id(scale: float) -> str:
    """Id of the task with this initial scale: ``s-0.01``."""
    return f"s-{scale:g}"


def parted(method: str, task: str, part: str = "main") -> Cell:
    """How far trajectories of a method part from equivalent starts."""
    return Cell("invariance", method, DEVIATION, task=task, part=part)


def rescaled(method: str, part: str = "main") -> Cell:
    """Sizes of a first step from (sA, B/s)."""
    return Cell("first-step", method, DEVIATION, part=part)


def regression(method: str, scale: float) -> Cell:
    """Test error at an initial scale, at a fixed rate."""
    return Cell("scales", method, ERROR, task=scale_id(scale))


def tuned(method: str) -> Cell:
    """Test error at the best rate."""
    return Cell("regression", method, ERROR)


def exponent(method: str) -> Cell:
    """Exponent of the averaged first-order term."""
    return Cell("regret", method, EXPONENT)


def online_loss(method: str, imbalance: float) -> Cell:
    """Average loss from an unbalanced start, at the best rate."""
    return Cell("unbalanced", method, LOSS, task=scale_id(imbalance))


def numbers(method: str) -> Cell:
    """Numbers of state for each parameter."""
    return Cell("state", method, NUMBERS)


def step_time(method: str, rank: int) -> Cell:
    """Seconds of a few optimizer steps."""
    return Cell("step-time", f"{method}-r{rank}", SECONDS, part="time")


def training_time(method: str, size: str) -> Cell:
    """Seconds of a few training steps."""
    return Cell("training-time", f"{method}-{size}", SECONDS, part="time")


def slope(points: list[tuple[float, Cell]], constant: float) -> Contrast:
    """Least-squares slope of the logarithms of positive cells in x, minus a constant."""
    mean = sum(x for x, _ in points) / len(points)
    square = sum((x - mean) ** 2 for x, _ in points)
    return Contrast(tuple(((x - mean) / square, cell) for x, cell in points), constant, log=True)


def arm(optimizer: str, rank: int) -> str:
    """Id of a method of the language experiments: ``adam-r16``."""
    return f"{optimizer}-r{rank}"


def accuracy(optimizer: str, rank: int, task: str) -> Cell:
    """Accuracy of the small language model at the best rate."""
    return Cell("language", arm(optimizer, rank), ACCURACY, task=task)


def balance(optimizer: str, rank: int, task: str, metric: Metric = IMBALANCE) -> Cell:
    """What the factors contribute during training, at the best rate."""
    return Cell("language", arm(optimizer, rank), metric, task=task, part="probe:factors")


def mean_over_tasks(optimizer: str, rank: int, weight: float = 1.0) -> tuple[tuple[float, Cell], ...]:
    """Terms of the mean accuracy over both string tasks, times a weight."""
    share = weight / len(STRING_TASKS)
    return tuple((share, accuracy(optimizer, rank, task)) for task in STRING_TASKS)


def gain(better: str, worse: str, rank: int = 16) -> Contrast:
    """Difference of mean accuracies over both string tasks."""
    return Contrast((*mean_over_tasks(better, rank), *mean_over_tasks(worse, rank, -1.0)))


def rating(method: str) -> Cell:
    """Spearman's correlation of MiniLM's ratings, at the best of two rates."""
    return Cell("encoder", method, spearman(), task="amazon")


def known(method: str) -> Cell:
    """Accuracy on a question that the base model can answer."""
    return accuracy(method, 16, "known")


def public_sets(profile: Profile, *, instructions: bool = False) -> tuple[str, ...]:
    """Tasks of the public experiment that count for the average of a profile."""
    if profile is Profile.GPU:
        return () if instructions else ("arc-easy", "openbookqa", "boolq", "mawps")
    return ("instructions",) if instructions else ("hellaswag", "arc-challenge", "gsm8k", "openbookqa")


def public(optimizer: str, task: str, *, rank: int = 16, trained: bool = False) -> Cell:
    """Accuracy on a public set, or what the factors contributed in training."""
    method = arm(optimizer, rank)
    if trained:
        return Cell("public", method, IMBALANCE, task=task, part="probe:factors")
    return Cell("public", method, ACCURACY, task=task)


def public_gain(better: str, worse: str, tasks: tuple[str, ...]) -> Contrast:
    """Difference of mean accuracies over public sets."""
    signs = ((1.0, better), (-1.0, worse))
    return Contrast(tuple((sign / len(tasks), public(name, task)) for sign, name in signs for task in tasks))
