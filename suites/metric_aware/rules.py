"""The rules that decide the claims about inference, with the card's thresholds.

Errors are compared by the logarithm of their ratio, areas by their difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import log as ln

from harness.claims import (
    EVERY,
    Contrast,
    Direction,
    EveryCell,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Ordering,
    Place,
    Precondition,
    Profile,
    Rule,
    alone,
    at,
    log,
    slope,
)
from harness.method import Metric
from methods.metric_aware.metrics import ACCURACY, DETECTION, EXCESS, MAE, PEARSON, RANKING, RMSE
from suites.metric_aware.arms import COUNTS, mean_at, sampled
from suites.metric_aware.cells import PROVED

GAIN = ln(1.02)
GAIN_REASON = "two per cent of the error; the card expects five to 25"
SLIGHT = ln(1.005)
SLIGHT_REASON = "half a per cent of the error: the paper's differences between its best methods"
POINT = 0.01
POINT_REASON = "a hundredth of the area; the card expects .02 to .06"
_THEOREM = (
    "It is a theorem or an identity, which holds for any correct code: what is shown is the largest error of "
    "ours, which tests hold to rounding."
)
KNOWN_LAW = (
    "The model is trained on labels of the very distribution that it is judged by, and can nearly represent "
    "it: whatever is best for a metric under the model is then best for it on the labels."
)
SAMPLING = (
    "The samples are drawn from the distribution whose mean they estimate, so that the squared distance is "
    "its variance over K, by arithmetic."
)
_NO_TOY = NotRun("It needs no GPU: `--profile small` judges it.")

OWN: Mapping[Metric, str] = {
    RMSE: "mean",
    MAE: "median",
    RANKING: "mean",
    DETECTION: "probability",
    ACCURACY: "mode",
}
"""The read-out that each metric asks for."""


def small_only(form: Form, elsewhere: NotRun = _NO_TOY) -> Rule:
    """Judged on a CPU."""
    return at(Profile.SMALL, form) | at((Profile.GPU, Profile.PAPER), elsewhere)


def shown(theta: Contrast, reason: str, elsewhere: NotRun = _NO_TOY) -> Rule:
    """Shown on a CPU and never counted: what is asked could not have come out otherwise."""
    return small_only(NotComparable(theta, reason=reason), elsewhere)


def proved(family: str) -> Rule:
    """The largest error of a family of checks, which correct code cannot but pass."""
    largest = alone(PROVED("closed-forms", task=family))
    return at(EVERY, NotComparable(largest, reason=_THEOREM))


def over(rule: Callable[[Place], EveryCell], places: Iterable[Place]) -> EveryCell:
    """One rule for several sets at once."""
    found = [where.replicated(rule(where)) for where in places]
    return replace(
        found[0],
        thetas=tuple(theta for one in found for theta in one.thetas),
        preconditions=tuple(condition for one in found for condition in one.preconditions),
    )


def correlated(where: Place) -> tuple[Precondition, ...]:
    """The model tells something about the items."""
    return (
        Precondition(
            f"{where.task}: the mean correlates with the labels",
            alone(where("mean", PEARSON)),
            above=0.2,
            reason="the card's threshold for an informative model",
        ),
    )


def informative(where: Place) -> tuple[Precondition, ...]:
    """The model tells something about the items, and its errors are below a constant's."""
    return (
        Precondition(
            f"{where.task}: the mean beats a constant",
            log(where("constant-mean")) - log(where("mean")),
            above=0.02,
            reason="a nearly constant mean beats the mode without any information",
        ),
        *correlated(where),
    )


def _own_over(where: Place, metric: Metric, other: str) -> Contrast:
    """The advantage of a metric's own read-out over another one."""
    own, rival = where(OWN[metric], metric), where(other, metric)
    return rival - own if metric.better == "lower" else own - rival


def _each(
    where: Place, thetas: Iterable[Contrast], delta: float, reason: str, *preconditions: Precondition
) -> EveryCell:
    """Every one of these, of a model that tells something about the items."""
    conditions = preconditions or correlated(where)
    return EveryCell(tuple(thetas), delta=delta, delta_reason=reason, preconditions=conditions)


def each_own(where: Place) -> EveryCell:
    """For every metric but exact match, its own read-out beats the greedy answer and one sample."""
    thetas = (
        _own_over(where, metric, other)
        for other in ("greedy", sampled(1))
        for metric in (RMSE, MAE, RANKING, DETECTION)
    )
    return _each(where, thetas, 0.005, "half a hundredth of each metric")


def diagonal(where: Place) -> EveryCell:
    """Among mode, median and mean, each metric's own read-out is the best."""
    others = (
        *((RMSE, "median"), (RMSE, "mode"), (MAE, "mean"), (MAE, "mode")),
        *((ACCURACY, "median"), (RANKING, "median"), (RANKING, "mode")),
    )
    thetas = (_own_over(where, metric, other) for metric, other in others)
    return _each(where, thetas, 0.002, "what shows in the third digit")


def _smaller_rmse(
    where: Place, method: str, others: Iterable[str], *preconditions: Precondition
) -> EveryCell:
    ratios = (log(where(other)) - log(where(method)) for other in others)
    return _each(where, ratios, GAIN, GAIN_REASON, *preconditions)


def squared(where: Place) -> EveryCell:
    """The mean has a smaller root mean squared error than the greedy answer and the mode."""
    return _smaller_rmse(where, "mean", ("greedy", "mode"), *informative(where))


def squared_when_fitted(where: Place) -> EveryCell:
    """So has the mean at a fitted temperature."""
    return _smaller_rmse(where, "fitted", ("greedy", "mode"))


def mean_over_mode(where: Place) -> EveryCell:
    """The mean has a smaller root mean squared error than the mode."""
    return _smaller_rmse(where, "mean", ("mode",), *informative(where))


def absolute(where: Place) -> EveryCell:
    """The median has a smaller mean absolute error than the greedy answer and the mode."""
    ratios = (log(where(other, MAE)) - log(where("median", MAE)) for other in ("greedy", "mode"))
    reason = "one per cent of the error; the card expects up to ten, and ties on coarse grids"
    return _each(where, ratios, ln(1.01), reason)


def ranked(where: Place) -> Ordering:
    """The mean ranks better than the mode, and that better than a sample."""
    return Ordering(
        (
            where("mean", RANKING) - where("mode", RANKING),
            where("mode", RANKING) - where(sampled(1), RANKING),
        ),
        delta=POINT,
        delta_reason=POINT_REASON,
        preconditions=correlated(where),
    )


def ranked_over_mode(where: Place) -> EveryCell:
    """The mean ranks better than the mode."""
    return _each(where, (where("mean", RANKING) - where("mode", RANKING),), POINT, POINT_REASON)


def median_over_mode(where: Place) -> EveryCell:
    """The median has a smaller mean absolute error than the mode."""
    return _each(where, (where("mode", MAE) - where("median", MAE),), 0.005, "half a hundredth of a grade")


def exponent(where: Place) -> Contrast:
    """The power of K with which the squared distance to the exact mean changes."""
    return slope([(ln(count), log(where(sampled(count), EXCESS))) for count in COUNTS])


def last_doubling(where: Place) -> Contrast:
    """What four more samples take off the error of the mean of four, as the logarithm of a ratio."""
    return log(where(sampled(4))) - log(where(sampled(8)))


def sixteen_samples(where: Place) -> Contrast:
    """What sampling 16 answers costs against the exact mean, as the logarithm of a ratio."""
    return log(where(sampled(16))) - log(where("mean"))


def few_samples(where: Place) -> NonInferiority:
    """The mean of 16 samples is nearly as good as the enumerated mean."""
    return NonInferiority(
        log(where("mean")) - log(where(sampled(16))),
        margin=ln(1.05),
        margin_reason="the card's five per cent",
        preconditions=correlated(where),
    )


def too_far(where: Place, temperature: float) -> Direction:
    """The mean far from the fitted temperature has a larger error."""
    return Direction(
        log(where(mean_at(temperature))) - log(where("fitted")),
        delta=GAIN,
        delta_reason=GAIN_REASON,
        preconditions=correlated(where),
    )


def text_gain(where: Place, other: str) -> Direction:
    """The answer with the largest expected token F1 beats another one."""
    return Direction(
        where("mbr-f1") - where(other),
        delta=0.01,
        delta_reason="a point of token F1",
        min_seeds=1,
    )
