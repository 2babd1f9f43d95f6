"""The rules that decide the claims, with the card's thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from harness.claims import (
    Contrast,
    Direction,
    Equivalence,
    EveryCell,
    Form,
    NonInferiority,
    NotRun,
    Ordering,
    Precondition,
    Profile,
    Replication,
)
from methods.metric_aware.metrics import ACCURACY, DETECTION, PEARSON, RANKING
from suites.metric_aware.cells import (
    COUNTS,
    PAPER_MODELS,
    PAPER_SETS,
    PUBLIC,
    Reads,
    at,
    decay,
    flan,
    higher,
    lower,
    plain_lower,
    public,
    sampled,
)

SEEDS = Replication.SEEDS
CROSSED = Replication.CROSSED
GAIN = log(1.02)
GAIN_REASON = "two per cent of the error; the card expects five to 25"
SLIGHT = log(1.005)
SLIGHT_REASON = "half a per cent of the error: the paper's differences between its best methods"
POINT = 0.01
POINT_REASON = "a hundredth of the area; the card expects .02 to .06"
NO_TOY = NotRun(reason="It needs no GPU: `--profile small` judges it.")


def informative(where: Reads, replication: Replication = SEEDS) -> tuple[Precondition, ...]:
    """The model tells something about the items, and its errors are below a constant's."""
    return (
        Precondition(
            name=f"{where.task}: the mean beats a constant",
            theta=lower(where.rmse("mean"), where.rmse("constant-mean")),
            above=0.02,
            reason="a nearly constant mean beats the mode without any information",
            replication=replication,
        ),
        *correlated(where, replication),
    )


def correlated(where: Reads, replication: Replication = SEEDS) -> tuple[Precondition, ...]:
    """The model tells something about the items."""
    return (
        Precondition(
            name=f"{where.task}: the mean correlates with the labels",
            theta=Contrast(((1.0, where.of("mean", PEARSON)),)),
            above=0.2,
            reason="the card's threshold for an informative model",
            replication=replication,
        ),
    )


def squared(where: Reads, replication: Replication = SEEDS, method: str = "mean") -> EveryCell:
    """A read-out has a smaller root mean squared error than the greedy answer and the mode."""
    return EveryCell(
        thetas=tuple(lower(where.rmse(method), where.rmse(other)) for other in ("greedy", "mode")),
        delta=GAIN,
        delta_reason=GAIN_REASON,
        replication=replication,
        preconditions=informative(where, replication) if method == "mean" else correlated(where, replication),
    )


def absolute(where: Reads, replication: Replication = SEEDS) -> EveryCell:
    """The median has a smaller mean absolute error than the greedy answer and the mode."""
    return EveryCell(
        thetas=tuple(lower(where.mae("median"), where.mae(other)) for other in ("greedy", "mode")),
        delta=log(1.01),
        delta_reason="one per cent of the error; the card expects up to ten, and ties on coarse grids",
        replication=replication,
        preconditions=correlated(where, replication),
    )


def ranked(where: Reads, replication: Replication = SEEDS) -> Ordering:
    """The mean ranks better than the mode, and that better than a sample."""
    return Ordering(
        steps=(
            higher(where.of("mean", RANKING), where.of("mode", RANKING)),
            higher(where.of("mode", RANKING), where.of(sampled(1), RANKING)),
        ),
        delta=POINT,
        delta_reason=POINT_REASON,
        replication=replication,
        preconditions=correlated(where, replication),
    )


def each_own(where: Reads, replication: Replication = SEEDS) -> EveryCell:
    """For every metric but exact match, its own rule beats the greedy answer and one sample."""
    thetas = []
    for other in ("greedy", sampled(1)):
        thetas += [
            plain_lower(where.rmse("mean"), where.rmse(other)),
            plain_lower(where.mae("median"), where.mae(other)),
            higher(where.of("mean", RANKING), where.of(other, RANKING)),
            higher(where.of("probability", DETECTION), where.of(other, DETECTION)),
        ]
    return EveryCell(
        thetas=tuple(thetas),
        delta=0.005,
        delta_reason="half a hundredth of each metric",
        replication=replication,
        preconditions=correlated(where, replication),
    )


def diagonal(where: Reads, replication: Replication = SEEDS) -> EveryCell:
    """Among mode, median and mean, each metric's own rule is the best."""
    return EveryCell(
        thetas=(
            plain_lower(where.rmse("mean"), where.rmse("median")),
            plain_lower(where.rmse("mean"), where.rmse("mode")),
            plain_lower(where.mae("median"), where.mae("mean")),
            plain_lower(where.mae("median"), where.mae("mode")),
            higher(where.of("mode", ACCURACY), where.of("median", ACCURACY)),
            higher(where.of("mean", RANKING), where.of("median", RANKING)),
            higher(where.of("mean", RANKING), where.of("mode", RANKING)),
        ),
        delta=0.002,
        delta_reason="what shows in the third digit",
        replication=replication,
        preconditions=correlated(where, replication),
    )


def converges(where: Reads, replication: Replication = SEEDS) -> Equivalence:
    """The squared distance to the exact mean falls as 1/K."""
    return Equivalence(
        theta=_minus(decay(where)),
        margin=0.1,
        margin_reason="a tenth of the exponent; unreadable answers and ties of few samples bend the line",
        replication=replication,
    )


def _minus(theta: Contrast) -> Contrast:
    """−θ, so that a decay of exponent −1 is 0 either way and signs read as a decay."""
    terms = tuple((-weight, cell) for weight, cell in theta.terms)
    return Contrast(terms, constant=-theta.constant, log=theta.log)


def few_samples(where: Reads, replication: Replication = SEEDS) -> NonInferiority:
    """The mean of 16 samples is nearly as good as the enumerated mean."""
    return NonInferiority(
        theta=lower(where.rmse(sampled(16)), where.rmse("mean")),
        margin=0.05,
        margin_reason="the card's five per cent",
        replication=replication,
        preconditions=correlated(where, replication),
    )


def falling(where: Reads, replication: Replication = SEEDS) -> Ordering:
    """The error falls with each doubling of the samples, to 8."""
    counts = [count for count in COUNTS if count <= 8]
    return Ordering(
        steps=tuple(
            lower(where.rmse(sampled(2 * count)), where.rmse(sampled(count))) for count in counts[:-1]
        ),
        delta=SLIGHT,
        delta_reason="half a per cent of the error",
        replication=replication,
    )


def too_far(where: Reads, temperature: float, base: str, replication: Replication = SEEDS) -> Direction:
    """A temperature far from the calibrated one has a larger error."""
    return Direction(
        theta=lower(where.rmse(base), where.rmse(at(temperature))),
        delta=GAIN,
        delta_reason=GAIN_REASON,
        replication=replication,
        preconditions=correlated(where, replication),
    )


def everywhere(small: Form, gpu: Form, paper: Form) -> Mapping[Profile, Form]:
    """A rule for each profile but smoke."""
    return {Profile.SMALL: small, Profile.GPU: gpu, Profile.PAPER: paper}


def small_only(form: Form, reason: NotRun = NO_TOY) -> Mapping[Profile, Form]:
    """Judged on a CPU."""
    return everywhere(form, reason, reason)


def publics() -> tuple[Reads, ...]:
    """The sets under ``gpu``."""
    return tuple(public(name) for name in PUBLIC)


def flans() -> tuple[Reads, ...]:
    """The models and sets under ``paper``."""
    return tuple(flan(size, name) for name in PAPER_SETS for size in PAPER_MODELS)
