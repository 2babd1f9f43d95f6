"""The forms of claims: what each declares of θ.

The statistical forms share three fields: ``preconditions``, ``min_seeds`` (fewer give no verdict) and
``noise_floor``, the measured spread of θ between runs that should agree (batch size, threads);
a smaller standard deviation is replaced by it, and no margin may be below twice it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from harness.claims.profiles import Replication
from harness.claims.quantity import Cell, Contrast


@dataclass(frozen=True)
class Precondition:
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


@dataclass(frozen=True)
class Direction:
    """θ is positive, and at least the smallest effect that matters."""

    theta: Contrast
    _: KW_ONLY
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class NonInferiority:
    """θ is not below −margin."""

    theta: Contrast
    _: KW_ONLY
    margin: float
    margin_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class Equivalence:
    """θ lies inside (−margin, margin)."""

    theta: Contrast
    _: KW_ONLY
    margin: float
    margin_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class Ordering:
    """Each of ``steps`` (adjacent differences, the paper's side positive) is positive."""

    steps: tuple[Contrast, ...]
    _: KW_ONLY
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class Trend:
    """The per-replicate slope over at least three sizes is positive and no step falls.

    Attributes:
        points: (x, θ at x), x increasing; the slope is by least squares in x.
        delta: Smallest slope that matters, per unit of x.
        step_margin: No step may lie below −step_margin (lower bound of its interval).
    """

    points: tuple[tuple[float, Contrast], ...]
    _: KW_ONLY
    delta: float
    delta_reason: str
    step_margin: float
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class EveryCell:
    """Each of ``thetas`` passes the direction rule."""

    thetas: tuple[Contrast, ...]
    _: KW_ONLY
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class Share:
    """A gain is at least a share of another: θ = (a − b) − ratio · (c − d) > 0."""

    a: Cell
    b: Cell
    c: Cell
    d: Cell
    _: KW_ONLY
    ratio: float
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    denominator_delta: float = 0.0
    """The precondition: the lower bound of c − d must lie above this."""
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0


@dataclass(frozen=True)
class Value:
    """Our number equals the reported one within ``margin``. Only under ``paper``."""

    theta: Contrast
    _: KW_ONLY
    reported: str
    margin: float
    margin_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 3
    noise_floor: float = 0.0
    paper_runs: int = 1
    """Runs behind the reported number; 1 where the paper does not say."""


@dataclass(frozen=True)
class Exact:
    """A mathematical property: in every case the error is within its tolerance.

    Each cell's table has the columns ``error`` and ``tolerance`` (floats), ``case`` (text) and
    ``confirmed`` (bool: an independent oracle agrees that a case above its tolerance is a
    counterexample). The cells' metric is ignored.
    """

    cells: tuple[Cell, ...]
    _: KW_ONLY
    oracle: str
    """What checks it: "HiGHS on the full linear program"."""
    min_cases: int = 1


@dataclass(frozen=True)
class SamplerLaw:
    """Samples follow the target's law: randomised PIT values are uniform at every depth.

    The cell's table has the columns ``depth`` (int, from 1) and ``pit`` (in [0, 1]). At every
    depth the Kolmogorov-Smirnov distance plus the DKW half-width must not exceed ``margin``.
    """

    cell: Cell
    _: KW_ONLY
    depths: int
    margin: float = 0.03
    min_tokens: int = 10_000
    exact: tuple[Cell, ...] = ()
    """Enumerations that must hold besides, as in :class:`Exact`."""


@dataclass(frozen=True)
class CountCost:
    """A deterministic count (bytes, FLOPs, calls, judgements): θ ≥ delta, without a test."""

    theta: Contrast
    _: KW_ONLY
    delta: float
    delta_reason: str


@dataclass(frozen=True)
class Time:
    """A measured log-ratio of times: slow / fast ≥ exp(delta), over interleaved blocks."""

    slow: Cell
    fast: Cell
    _: KW_ONLY
    delta: float
    delta_reason: str
    preconditions: tuple[Precondition, ...] = ()
    min_blocks: int = 8
    noise_floor: float = 0.0


@dataclass(frozen=True)
class Existence:
    """At least one stored witness that an oracle has checked.

    The cell's table has the columns ``witness`` and ``confirmed`` (bool) and ``case`` (text).
    """

    cell: Cell
    _: KW_ONLY
    oracle: str


@dataclass(frozen=True)
class NotComparable:
    """A proxy: θ is measured and shown, and never counted."""

    theta: Contrast
    _: KW_ONLY
    reason: str
    replication: Replication = Replication.SEEDS


@dataclass(frozen=True)
class NotRun:
    """Nothing here can measure it: a closed model, missing hardware, no stated quantity."""

    reason: str


StatisticalForm = (
    Direction | NonInferiority | Equivalence | Ordering | Trend | EveryCell | Share | Value | Time
)
Form = StatisticalForm | Exact | SamplerLaw | CountCost | Existence | NotComparable | NotRun
