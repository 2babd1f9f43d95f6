"""The optimizers under comparison: ids, labels, learning rates, and the seeds of their verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from harness.method import Metric
from harness.suite import Arm, FirstSeed, Tuned
from methods.lora_rite.finetune import FineTune
from methods.lora_rite.online import Follow
from methods.lora_rite.regression import FitLinear
from methods.lora_rite.sabotage import MisalignedFineTune, UnevenFineTune

FIRST = FirstSeed(300, "Seeds from 100 on were seen before rules and grids were corrected (deviation D12).")

LABELS = {
    "rite": "LoRA-RITE",
    "rite-no-mass": "LoRA-RITE without escaped mass",
    "rite-sum": "LoRA-RITE (summed)",
    "untransported": "LoRA-RITE, moments not carried over",
    "misaligned": "LoRA-RITE, steps mapped back from another basis",
    "adam": "Adam",
    "lora-plus": "LoRA+",
    "lamb": "LAMB",
    "lars": "LARS",
    "scaled-adam": "ScaledAdam",
    "shampoo": "Shampoo",
    "rmsprop": "RMSProp",
    "adagrad": "Adagrad",
    "matrix-adagrad": "one-sided matrix Adagrad",
    "gd": "GD",
    "scaled-gd": "ScaledGD",
    "alt-lora": "AltLoRA",
    "muon": "Muon on each factor",
}
"""What reports call an optimizer, by id."""

OPTIMIZERS = ("rite", "lamb", "adam", "lora-plus", "scaled-adam", "shampoo")
"""The six that the paper compares."""
OTHERS = ("lamb", "lora-plus", "scaled-adam", "shampoo")
"""Those besides LoRA-RITE and Adam, the common choice."""
LATER = ("alt-lora", "muon")
"""Optimizers that the paper does not compare with, shown in the linear regression."""
NOT_SCALED = ("gd", "adam", "adagrad", "rmsprop", "shampoo")
"""Those of which the paper says that they are not even scale invariant (C2)."""

REGRESSION_RATES = {
    "rite": 0.1,
    "adam": 0.03,
    "lora-plus": 0.03,
    "scaled-adam": 0.1,
    "lamb": 0.03,
    "shampoo": 0.1,
    "lars": 0.03,
    "alt-lora": 100.0,
    "muon": 0.03,
}
"""Best rates of the regression in the card's grid, on its own seeds; of the last three on pilot seeds."""
STRING_RATES = {
    "rite": 5e-3,
    "adam": 1e-2,
    "lora-plus": 3e-3,
    "scaled-adam": 5e-3,
    "lamb": 0.1,
    "shampoo": 0.2,
}
"""Middle of each optimizer's grid of rates on functions of strings, from pilot seeds."""
ENCODER_RATES = {"rite": 5e-3, "adam": 4e-3, "lora-plus": 1e-3}
"""Middle of each grid for MiniLM's ratings, from pilot seeds."""
GEMMA_RATES = {"rite": 3e-5, "adam": 3e-4}
"""Middle of each grid for Gemma-3-270M's grades, from pilot seeds."""
PUBLIC_RATES = {
    "rite": 1e-3,
    "adam": 3e-4,
    "lora-plus": 1e-4,
    "scaled-adam": 3e-4,
    "lamb": 1e-2,
    "shampoo": 6e-3,
}
"""Middle of each grid under ``paper``: the official code's rates for LoRA-RITE and Adam, and the ratios
that the small language model shows between the others."""
GPU_RATES = {"rite": 5e-5, "adam": 1e-3}
"""The same under ``gpu``, from pilots on Gemma-3-270M (docs/papers/lora-rite.md, section 9)."""

_STEP = 10**0.5
"""Ratio of neighbouring rates in every grid."""

Rated = TypeVar("Rated", FitLinear, Follow, FineTune)


def named(methods: Iterable[str], group: str = "") -> tuple[Arm, ...]:
    """The arms of optimizers, with their labels."""
    return tuple(Arm(method, LABELS[method], group) for method in methods)


def at_rank(optimizer: str, rank: int) -> str:
    """Id of a method at a LoRA rank: ``adam-r16``."""
    return f"{optimizer}-r{rank}"


def fine_tune(optimizer: str, rate: float, rank: int) -> FineTune:
    """LoRA scale 1 at every rank."""
    return FineTune(optimizer=optimizer, rate=rate, rank=rank, alpha=float(rank))


def misaligned(rate: float, rank: int) -> FineTune:
    """The negative control of :func:`fine_tune` with LoRA-RITE."""
    return MisalignedFineTune(rate=rate, rank=rank, alpha=float(rank))


def uneven(rate: float, rank: int) -> FineTune:
    """The same, with unequal steps of the two factors."""
    return UnevenFineTune(rate=rate, rank=rank, alpha=float(rank))


def grid(centre: float, points: int = 5) -> tuple[float, ...]:
    """Rates around a centre, a half decade apart."""
    return tuple(float(f"{centre * _STEP**k:.2g}") for k in range(-(points // 2), points - points // 2))


def tuned(method: Rated, select: Metric, points: int = 5) -> Tuned:
    """The method with its rate chosen from a grid around its own."""
    return Tuned(method=method, grid={"rate": grid(method.rate, points)}, select=select, seeds=(1,))
