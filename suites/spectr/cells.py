"""Names of methods, and the cells that claims and tables read."""

from __future__ import annotations

from dataclasses import replace

from harness.claims import Cell, Contrast
from harness.method import Metric, mean_of
from harness.method.metric import Columns
from methods.spectr.method import (
    ACCEPTANCE,
    BLOCK_EFFICIENCY,
    FLOOR,
    OF_OPTIMUM,
    OPTIMUM,
    OVERLAP,
    SELECTED,
)

DRAFTS = (1, 2, 4, 8)
"""K of the grid."""
LENGTHS = (4, 8)
"""L of the grid."""
LAW = (4, 2)
"""K and L of the law test."""
SIZES = (2**14, 2**16, 2**18)
"""Vocabularies on which K-SEQ is timed."""
SMALL_SIZES = (2, 8, 32)
"""Vocabularies, equally spaced, on which the linear program is timed in its place."""
PROGRAM_TRIES = (1, 2, 3, 4)
"""k for which the linear program is timed."""
NOISES = {"close": 0.2, "near": 0.5, "middle": 1.0, "far": 2.0}
"""Tasks of simulated chains by the noise of the draft's logits."""
TEMPERATURES = {"t-05": 0.5, "t-02": 0.2, "t-005": 0.05}
"""Tasks of simulated chains by temperature; 1 is the task ``middle``."""


def _largest(columns: Columns) -> float:
    return float(max(columns["error"]))


def _total(columns: Columns) -> float:
    return float(sum(columns["witness"]))


SECONDS = mean_of("seconds", better="lower", unit="s")
PROPERTY = Metric("largest error", ("error",), _largest, "lower")
"""Only names the column: exact claims read errors and tolerances themselves."""
WITNESS = Metric("witnesses", ("witness",), _total, "higher")


def name(drafts: int, length: int) -> str:
    """Id of a method of the grid: ``k8-l4``."""
    return f"k{drafts}-l{length}"


def tau(method: str, experiment: str = "grid") -> Cell:
    """Block efficiency of a method."""
    return Cell(experiment, method, BLOCK_EFFICIENCY)


def seconds(method: str, experiment: str = "time") -> Cell:
    """Seconds of a timed arm."""
    return Cell(experiment, method, SECONDS, part="time")


def acceptance(method: str, depth: int, experiment: str = "grid") -> Cell:
    """Share of the blocks at a depth that go on past it."""
    return Cell(experiment, method, ACCEPTANCE, part="depth", where=(("depth", depth),))


def overlap(method: str, experiment: str = "grid") -> Cell:
    """α₁ at the contexts where a method's blocks begin."""
    return Cell(experiment, method, OVERLAP, part="overlap")


def optimum(method: str, experiment: str = "grid") -> Cell:
    """α_K there."""
    return Cell(experiment, method, OPTIMUM, part="overlap")


def selected(method: str, experiment: str = "grid") -> Cell:
    """Acceptance of K-SEQ there."""
    return Cell(experiment, method, SELECTED, part="overlap")


def of_optimum(method: str, experiment: str = "grid") -> Cell:
    """Acceptance of K-SEQ over the optimum there."""
    return Cell(experiment, method, OF_OPTIMUM, part="overlap")


def floor(method: str, experiment: str = "law") -> Cell:
    """Total variation of the target's law by rounding alone."""
    return Cell(experiment, method, FLOOR, part="floor")


def gain(task: str) -> Contrast:
    """Log of τ(K = 8) over τ(K = 1) at L = 8, in simulated chains."""
    cells = [replace(tau(name(k, 8), "limits"), task=task) for k in (8, 1)]
    return Contrast(((1.0, cells[0]), (-1.0, cells[1])), log=True)


def exact(experiment: str, method: str, part: str, task: str = "") -> Cell:
    """Errors and tolerances of a property."""
    return Cell(experiment, method, PROPERTY, task=task, part=part)


def slope(points: list[tuple[float, Cell]], constant: float) -> Contrast:
    """Least-squares slope of the logarithms of positive cells in x, minus a constant."""
    mean = sum(x for x, _ in points) / len(points)
    square = sum((x - mean) ** 2 for x, _ in points)
    return Contrast(tuple(((x - mean) / square, cell) for x, cell in points), constant, log=True)
