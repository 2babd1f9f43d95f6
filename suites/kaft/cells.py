"""Names of experiments, methods and sizes, and the cells that claims and tables read."""

from __future__ import annotations

from math import log2
from typing import Literal

from harness.claims import Cell, Contrast, Replication
from harness.method import Metric
from methods.kaft.method import AGREES, CONTROLLABILITY, CORRECT, JOINT, RELEVANT, ROBUSTNESS

SIZES = {"s": (3, 40), "m": (3, 64), "l": (3, 96)}
"""Layers and width of the models of the generated world."""
MAIN = "m"
"""The size on which every method is run."""
WORLDS = tuple(range(200, 205))
"""Seeds of the verdict; each is a world of its own. Those from 100 on were seen while rules changed."""
TUNING_WORLD = 1
"""Drawn and trained on apart, for choosing learning rates."""

METHODS = {
    "pretrained": "pretrained",
    "cad": "context-aware decoding",
    "relevant": "relevant-only finetuning",
    "noisy": "noisy finetuning",
    "cf-only": "counterfactual-only finetuning",
    "kaft": "KAFT",
    "no-cf": "KAFT − counterfactual",
    "no-irr": "KAFT − irrelevant − empty",
    "gold": "KAFT, gold targets",
    "no-tags": "KAFT, no tags",
    "easy": "KAFT, easy irrelevant only",
    "noise-50": "KAFT, half of the supporting contexts made unsupporting",
}
"""Labels by id."""
EQUAL = {"lower": 1e-3, "higher": 3e-3}
"""Common rates of KAFT and its variant with gold targets in generated worlds: those that tuning gives
the variant and KAFT."""
PAIRED = {
    f"{name}-{rate}": f"{METHODS[name]}, {rate} common rate" for rate in EQUAL for name in ("kaft", "gold")
}
"""Labels of the arms at common rates."""
CURVES = ("kaft-lower", "gold-lower")
"""Arms that are evaluated while they train."""
SHOWN_ONLY = ("cf-only", "no-tags", "easy", "gold")
"""Arms that no claim reads."""
ORACLES = {"copy": "copying oracle", "closed-book": "closed-book oracle", "gated": "gated oracle"}
SABOTAGES: tuple[Literal["memory-targets", "copied-distractors"], ...] = (
    "memory-targets",
    "copied-distractors",
)
BY_SIZE = ("pretrained", "noisy", "kaft")
"""Methods that are run on every size."""


def weights(size: str) -> int:
    """Weights of a size without embeddings: 16 h² a layer (four for attention, twelve for the MLP)."""
    layers, hidden = SIZES[size]
    return 16 * layers * hidden**2


def cell(method: str, metric: Metric, *, experiment: str, task: str, part: str = "main") -> Cell:
    """Any number of a reading experiment."""
    return Cell(experiment, method, metric, task=task, part=part)


class Reads:
    """The cells of one task."""

    def __init__(
        self,
        experiment: str,
        task: str,
        replication: Replication = Replication.SEEDS,
        irrelevant: str = "main",
        common: tuple[str, ...] = ("lower",),
    ) -> None:
        self.experiment = experiment
        self.task = task
        self.replication = replication
        self.irrelevant = irrelevant
        self.common = common

    def of(self, method: str, metric: Metric, part: str = "main") -> Cell:
        """A metric of a method."""
        return cell(method, metric, experiment=self.experiment, task=self.task, part=part)

    def ctrl(self, method: str) -> Cell:
        """Controllability."""
        return self.of(method, CONTROLLABILITY)

    def rob(self, method: str) -> Cell:
        """Robustness."""
        return self.of(method, ROBUSTNESS, self.irrelevant)

    def joint(self, method: str) -> Cell:
        """Harmonic mean of both."""
        return self.of(method, JOINT)

    def relevant(self, method: str) -> Cell:
        """Accuracy on relevant contexts."""
        return self.of(method, RELEVANT)

    def reads(self, method: str) -> Cell:
        """Accuracy on relevant contexts of what the pretrained model does not know."""
        return self.of(method, CORRECT, "unread")

    def agrees(self, method: str) -> Cell:
        """Agreement with M(q) on all held-out questions, known or not."""
        return self.of(method, AGREES, "recall")

    def own_over_gold(self) -> Contrast:
        """What the model's own answers as targets gain in agreement over gold ones, at common rates."""
        share = 1 / len(self.common)
        signs = ((share, "kaft"), (-share, "gold"))
        return Contrast(
            tuple((sign, self.agrees(f"{name}-{rate}")) for rate in self.common for sign, name in signs)
        )


WORLD = Reads("world", MAIN, common=tuple(EQUAL))
"""The generated world at the main size."""
PROBE = Reads("probe", "gemma", Replication.UNITS)
"""Gemma-3-270M as it is: deterministic, so only the questions vary."""
FACTS = Reads("facts", "gemma", Replication.CROSSED)
"""Gemma-3-270M finetuned on countries and elements."""
OPEN = Reads("open", "t5", Replication.CROSSED, irrelevant="impossible")
"""T5 finetuned on public sets; robustness on the unanswerable questions of SQuAD 2.0."""


def size_of(size: str) -> float:
    """log₂ of the weights of a size."""
    return log2(weights(size))


def at(size: str) -> Reads:
    """The cells of one size of model; the main size runs with all methods."""
    return WORLD if size == MAIN else Reads("sizes", size)


def after(method: str, metric: Metric, step: int, part: str = "") -> Cell:
    """A metric in a generated world after so many updates."""
    name = f"probe:{part}" if part else "probe"
    return Cell("world", method, metric, task=MAIN, part=name, where=(("step", step),))


def slope(method: str, metric: Metric, sign: float = 1.0) -> Contrast:
    """Least-squares slope of a metric in log₂(weights) over the sizes, times ``sign``."""
    xs = {size: size_of(size) for size in SIZES}
    mean = sum(xs.values()) / len(xs)
    square = sum((x - mean) ** 2 for x in xs.values())
    return Contrast(
        tuple((sign * (x - mean) / square, at(size).of(method, metric)) for size, x in xs.items())
    )
