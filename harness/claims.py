"""Claims and the forms that decide them.

A claim is a statement of the paper. For each profile it declares a *form*: the quantity θ,
signed so that the paper's side is positive, and the rule that turns measurements of θ into a
verdict. Everything here is declared before a run and hashed into it; the rules themselves are
in :mod:`harness.evidence`.

The statistical forms share three fields: ``assays``, ``min_seeds`` (fewer give no verdict) and
``noise_floor``, the measured spread of θ between runs that should agree (batch size, threads);
a smaller standard deviation is replaced by it, and no margin may be below twice it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from harness.method.metric import Metric


class Profile(StrEnum):
    """At which scale a suite runs."""

    SMOKE = "smoke"
    SMALL = "small"
    GPU = "gpu"
    PAPER = "paper"


class Replication(StrEnum):
    """What is drawn again between replicates, and so carries the uncertainty of θ."""

    SEEDS = "seeds"
    """Each seed (or generated world) redraws everything: t with n - 1 degrees of freedom."""
    UNITS = "units"
    """A deterministic method over sampled units: paired BCa bootstrap and sign-flip."""
    CROSSED = "crossed"
    """Units crossed with seeds: the max-rule of ``docs/evidence.md``."""


@dataclass(frozen=True)
class Cell:
    """One measured number: a metric of one method on one task's evaluation set.

    Attributes:
        experiment: Id of the experiment.
        method: Id of the method in it.
        metric: What is computed from the unit rows.
        task: Id of the task; may be empty when the experiment has one.
        part: The evaluation set; timed experiments write part ``"time"``.
        where: Keeps only rows whose column equals the value: ``(("depth", 3),)``.
    """

    experiment: str
    method: str
    metric: Metric
    task: str = ""
    part: str = "main"
    where: tuple[tuple[str, str | int | float | bool], ...] = ()


@dataclass(frozen=True)
class Contrast:
    """A linear combination of cells, computed within each replicate.

    θ = Σ weight · cell − constant, or with logarithms of the cells when ``log`` is set.
    """

    terms: tuple[tuple[float, Cell], ...]
    constant: float = 0.0
    log: bool = False


def difference(better: Cell, worse: Cell) -> Contrast:
    """θ = better − worse; for metrics where lower is better, swap them."""
    return Contrast(((1.0, better), (-1.0, worse)))


@dataclass(frozen=True)
class Assay:
    """A precondition that shows that the effect could have appeared at all.

    It passes if the 95 % interval of ``theta`` lies above ``above`` and, where given,
    below ``below``.
    """

    name: str
    theta: Contrast
    above: float
    reason: str
    below: float | None = None
    replication: Replication = Replication.SEEDS


@dataclass(frozen=True, kw_only=True)
class Direction:
    """θ is positive, and at least the smallest effect that matters."""

    theta: Contrast
    delta: float
    delta_reason: str
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class NonInferiority:
    """θ is not below −margin."""

    theta: Contrast
    margin: float
    margin_reason: str
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """θ lies inside (−margin, margin)."""

    theta: Contrast
    margin: float
    margin_reason: str
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """Each of ``steps`` (adjacent differences, the paper's side positive) is positive."""

    steps: tuple[Contrast, ...]
    delta: float
    delta_reason: str
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The per-replicate slope over at least three sizes is positive and no step falls.

    Attributes:
        points: (x, θ at x), x increasing; the slope is by least squares in x.
        delta: Smallest slope that matters, per unit of x.
        step_margin: No step may lie below −step_margin (lower bound of its interval).
    """

    points: tuple[tuple[float, Contrast], ...]
    delta: float
    delta_reason: str
    step_margin: float
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class EveryCell:
    """Each of ``thetas`` passes the direction rule."""

    thetas: tuple[Contrast, ...]
    delta: float
    delta_reason: str
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Share:
    """A gain is at least a share of another: θ = (a − b) − ratio · (c − d) > 0."""

    a: Cell
    b: Cell
    c: Cell
    d: Cell
    ratio: float
    delta: float
    delta_reason: str
    replication: Replication
    denominator_delta: float = 0.0
    """The assay: the lower bound of c − d must lie above this."""
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Value:
    """Our number equals the reported one within ``margin``. Only under ``paper``."""

    theta: Contrast
    reported: str
    margin: float
    margin_reason: str
    replication: Replication
    assays: tuple[Assay, ...] = ()
    min_seeds: int = 3
    noise_floor: float = 0.0
    paper_runs: int = 1
    """Runs behind the reported number; 1 where the paper does not say."""


@dataclass(frozen=True, kw_only=True)
class Exact:
    """A mathematical property: in every case the error is within its tolerance.

    Each cell's table has the columns ``error`` and ``tolerance`` (floats), ``case`` (text) and
    ``confirmed`` (bool: an independent oracle agrees that a case above its tolerance is a
    counterexample). The cells' metric is ignored.
    """

    cells: tuple[Cell, ...]
    oracle: str
    """What checks it: "HiGHS on the full linear program"."""
    min_cases: int = 1


@dataclass(frozen=True, kw_only=True)
class SamplerLaw:
    """Samples follow the target's law: randomised PIT values are uniform at every depth.

    The cell's table has the columns ``depth`` (int, from 1) and ``pit`` (in [0, 1]). At every
    depth the Kolmogorov-Smirnov distance plus the DKW half-width must not exceed ``margin``.
    """

    cell: Cell
    depths: int
    margin: float = 0.03
    min_tokens: int = 10_000
    exact: tuple[Cell, ...] = ()
    """Enumerations that must hold besides, as in :class:`Exact`."""


@dataclass(frozen=True, kw_only=True)
class CountCost:
    """A deterministic count (bytes, FLOPs, calls, judgements): θ ≥ delta, without a test."""

    theta: Contrast
    delta: float
    delta_reason: str


@dataclass(frozen=True, kw_only=True)
class Time:
    """A measured log-ratio of times: slow / fast ≥ exp(delta), over interleaved blocks."""

    slow: Cell
    fast: Cell
    delta: float
    delta_reason: str
    assays: tuple[Assay, ...] = ()
    min_blocks: int = 8
    noise_floor: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Existence:
    """At least one stored witness that an oracle has checked.

    The cell's table has the columns ``witness`` and ``confirmed`` (bool) and ``case`` (text).
    """

    cell: Cell
    oracle: str


@dataclass(frozen=True, kw_only=True)
class NotComparable:
    """A proxy: θ is measured and shown, and never counted."""

    theta: Contrast
    reason: str
    replication: Replication = Replication.SEEDS


@dataclass(frozen=True, kw_only=True)
class NotRun:
    """Nothing here can measure it: a closed model, missing hardware, no stated quantity."""

    reason: str


StatisticalForm = (
    Direction | NonInferiority | Equivalence | Ordering | Trend | EveryCell | Share | Value | Time
)
Form = StatisticalForm | Exact | SamplerLaw | CountCost | Existence | NotComparable | NotRun


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper, and how each profile decides it.

    Attributes:
        id: ``"C3"``, or ``"C3a"`` for a part of C3.
        statement: What the paper says, in our words.
        source: Where it says so: "abstract", "Table 1".
        forms: The deciding rule for each profile. A profile that is missing gives ``not run``.
        reported: Ids of the reported numbers that belong to it.
        parent: For a part, the id of the whole.
        essential: Whether the whole falls with this part.
        relies_on: Ids of exact claims that must hold before this one is judged.
        note: What a reader must know to read the verdict.
    """

    id: str
    statement: str
    source: str
    forms: Mapping[Profile, Form]
    reported: tuple[str, ...] = ()
    parent: str = ""
    essential: bool = True
    relies_on: tuple[str, ...] = ()
    note: str = ""


Prediction = Literal["kill", "keep"]


@dataclass(frozen=True, kw_only=True)
class Control:
    """A sabotage with a predicted effect on claims.

    Attributes:
        id: ``"rho-one"``.
        title: What is broken.
        experiment: Where both the real and the sabotaged methods run (empty: any).
        replaces: Real method id to sabotaged method id.
        predicts: What should happen to each claim.
    """

    id: str
    title: str
    replaces: Mapping[str, str]
    predicts: Mapping[str, Prediction]
    experiment: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Task ids replaced by sabotaged tasks (shuffled labels), where the input is what is broken."""
