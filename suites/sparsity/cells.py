"""Names of methods and tasks, and where claims and displays read their cells."""

from __future__ import annotations

from dataclasses import replace

from harness.claims import Cell, Contrast, Place
from harness.method import Metric
from harness.suite import arms
from methods.sparsity.scoring import ACCURACY, NNZ
from methods.sparsity.second_layer import EXACT, SECONDS
from suites.sparsity.plan import Plan

TOP = "top-k"
"""Id of the Top-k transformer with the plan's k."""
CAUSES = {"random-labels": "random labels", "random-images": "random images", "fresh": "infinite data"}
LABEL_NOISE = {"noise-40": 0.4, "noise-80": 0.8}
"""Share of training labels that are drawn anew, by task."""
NOISE_TASK, MORE_NOISE_TASK = LABEL_NOISE
OPTIMIZERS = arms({"adamw": "AdamW", "sgd": "SGD with momentum"})
REPORTED_AS = {"dense": "dense", TOP: "top-128"}
"""How Table 1's numbers in ``paper.toml`` begin."""

IMAGES = Place("images", "real", "train", metric=NNZ)
"""Vision models at the common rate, on training data after training."""
SIZES = Place("sizes", part="train", metric=NNZ)
"""Vision transformers of other depths and widths than the common one."""
TEXT = Place("text", "spans", "train", metric=NNZ)
"""Language models on training text after training."""
ANSWERS = Place("images", "real", metric=ACCURACY)
"""Vision transformers, dense and Top-k at the common rate, on test images."""
NOISE = Place("noise", "clean", metric=ACCURACY)
"""Vision transformers that trained long; further tasks have noisy labels, further parts noisy images."""
RATES = Place("rates", part="train", metric=NNZ)
"""Vision transformers at other rates than the common one."""
PRODUCT = Place("second-layer", metric=EXACT)
"""The second layer from active rows only."""
TIME = Place("second-layer-time", part="time", metric=SECONDS)
"""Seconds of one."""


def rate_id(optimizer: str, rate: float) -> str:
    """Id of a method in the experiment on rates: ``adamw-0.008``."""
    return f"{optimizer}-{rate:g}"


def at_rate(plan: Plan, optimizer: str, rate: float, metric: Metric, part: str) -> Cell:
    """A vision transformer trained at a rate; at AdamW's common one it is that of ``images``."""
    if (optimizer, rate) == ("adamw", plan.rate):
        return IMAGES("dense", metric, part=part)
    return RATES(rate_id(optimizer, rate), metric, part=part)


def of_size(task: str, metric: Metric = NNZ, *, part: str = "train") -> Cell:
    """A dense vision transformer of a depth or a width; the common one is that of ``images``."""
    if task == "real":
        return IMAGES("dense", metric, part=part)
    return SIZES("dense", metric, task=task, part=part)


def noise_tasks(method: str, plan: Plan) -> tuple[str, ...]:
    """Tasks with label noise that a method is trained on; 80 % is only for the dense model and each k."""
    swept = {"dense", "random-cut", TOP, f"top-{plan.keep // 2}", f"top-{2 * plan.keep}"}
    return tuple(LABEL_NOISE) if method in swept else (NOISE_TASK,)


def at_step(cell: Cell, step: int) -> Cell:
    """The same after so many updates."""
    return replace(cell, part=f"probe:{cell.part}", where=(*cell.where, ("step", step)))


def at_start(cell: Cell) -> Cell:
    """The same before training."""
    return at_step(cell, 0)


def of_layer(cell: Cell, layer: int) -> Cell:
    """The same of one layer."""
    return replace(cell, where=(*cell.where, ("layer", layer)))


def drop(cell: Cell) -> Contrast:
    """θ = before training − after training."""
    return at_start(cell) - cell
