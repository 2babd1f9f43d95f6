"""Names of experiments, methods and sets, and the cells that claims and tables read."""

from __future__ import annotations

from math import log

from harness.claims import Cell, Contrast
from harness.method import Metric
from methods.metric_aware.metrics import (
    ACCURACY,
    DETECTION,
    EXCESS,
    MAE,
    RANKING,
    RMSE,
)

NOISES = {"noise-0.3": 0.3, "noise-0.8": 0.8, "noise-1.5": 1.5}
"""Tasks of the toy, by the noise of a label."""
TOY_SEEDS = tuple(range(200, 216))
EMBEDDED = ("amazon",)
"""Domains of the rating data that heads on MiniLM are trained for: embedding one takes a minute."""
EMBEDDED_SEEDS = tuple(range(200, 212))
WIDTHS = {"linear": 0, "hidden-16": 16, "hidden-128": 128}
"""Heads of three sizes, by their hidden units."""
PROMPTED = ("amazon", "movie")
"""Domains that Gemma-3-270M is asked about."""
PROMPT_SEEDS = tuple(range(200, 210))
"""Draws of the solved examples; the texts asked about are the same in all of them. Results of the draws
100 to 104 were seen before there were ten."""
OPEN_SEED = 100
"""The draw of the solved examples of open questions; questions are the replicates there."""
PUBLIC = ("sts", "sick")
PAPER_SETS = ("sts-b", "amazon-us")
PAPER_MODELS = ("base", "large", "xl")
COUNTS = (1, 2, 4, 8, 16)
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)
TRAINING_SEEDS = tuple(range(200, 208))
TRAINED = {
    "well": "well specified, n = 1000",
    "bent-1000": "misspecified, n = 1000",
    "bent-5000": "misspecified, n = 5000",
    "pretrained": "pretrained network, n = 200",
    "random": "the same network from random weights, n = 200",
    "ratings": "sentence embeddings, human ratings",
}
"""Tasks of fine-tuning, with their labels."""
ONLY_FULL = ("well", "bent-1000")
"""Tasks of fine-tuning that no claim reads."""

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
COLUMNS: dict[str, tuple[str, Metric]] = {
    "rmse": ("RMSE", RMSE),
    "mae": ("MAE", MAE),
    "exact": ("exact match", ACCURACY),
    "ranking": ("multi-partite AUC", RANKING),
    "detection": ("bipartite AUC", DETECTION),
}
OBJECTIVES = {
    "ce": "cross-entropy",
    "raft": "RAFT",
    "learnable": "RAFT, learnable weights",
    "mbr": "MBR loss",
    "head": "linear predictive head",
    "digit-head": "predictive head on the digits",
}
TUNING_SEED = 1


class Reads:
    """The cells of one set of items."""

    def __init__(self, experiment: str, task: str, part: str = "main") -> None:
        self.experiment = experiment
        self.task = task
        self.part = part

    def of(self, method: str, metric: Metric, part: str = "") -> Cell:
        """A metric of a read-out."""
        return Cell(self.experiment, method, metric, task=self.task, part=part or self.part)

    def rmse(self, method: str) -> Cell:
        """Root mean squared error."""
        return self.of(method, RMSE)

    def mae(self, method: str) -> Cell:
        """Mean absolute error."""
        return self.of(method, MAE)


def toy(noise: str) -> Reads:
    """The latent toy."""
    return Reads("toy", noise)


def embedded(domain: str, width: str = "linear", part: str = "main") -> Reads:
    """Heads on sentence embeddings."""
    return Reads("embedded", domain if width == "linear" else f"{domain}-{width}", part)


def prompted(domain: str, part: str = "main") -> Reads:
    """Gemma-3-270M after solved examples."""
    return Reads("prompted", domain, part)


def public(name: str) -> Reads:
    """Gemma-3-270M on public sets."""
    return Reads("public", name)


def flan(size: str, name: str) -> Reads:
    """FLAN-T5 on the paper's sets."""
    return Reads("flan", f"{name}-{size}")


def lower(better: Cell, worse: Cell) -> Contrast:
    """log(worse / better): the relative gain of the better one, where less is better."""
    return Contrast(((1.0, worse), (-1.0, better)), log=True)


def plain_lower(better: Cell, worse: Cell) -> Contrast:
    """worse − better, where less is better."""
    return Contrast(((1.0, worse), (-1.0, better)))


def higher(better: Cell, worse: Cell) -> Contrast:
    """better − worse, where more is better."""
    return Contrast(((1.0, better), (-1.0, worse)))


def trained(task: str, method: str, metric: Metric = RMSE, part: str = "main") -> Cell:
    """A fine-tuned model."""
    return Cell("raft", method, metric, task=task, part=part)


def exact(family: str, method: str = "closed-forms") -> Cell:
    """Errors of a family of checks."""
    return Cell("exact", method, EXCESS, task=family)


def sampled(count: int) -> str:
    """The id of the mean of so many samples."""
    return f"sample-{count}"


def at(temperature: float) -> str:
    """The id of the mean at a temperature."""
    return f"mean-T{temperature:g}"


def decay(where: Reads) -> Contrast:
    """Exponent of the squared sampling error in the number of samples, plus 1."""
    xs = [log(count) for count in COUNTS]
    middle = sum(xs) / len(xs)
    square = sum((x - middle) ** 2 for x in xs)
    terms = tuple(
        ((x - middle) / square, where.of(sampled(count), EXCESS)) for x, count in zip(xs, COUNTS, strict=True)
    )
    return Contrast(terms, constant=-1.0, log=True)
