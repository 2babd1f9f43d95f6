"""The metrics of decisions, over the columns that :mod:`methods.metric_aware.scoring` writes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.method import Metric, mean_of
from harness.method.metric import Columns
from methods.common.rank_metrics import pearson, spearman
from methods.metric_aware import losses

Floats = NDArray[np.float64]


def _pair(columns: Columns) -> tuple[Floats, Floats]:
    return tuple(np.asarray(columns[name], dtype=np.float64) for name in ("truth", "decision"))  # type: ignore[return-value]


def root_mean_squared_error(columns: Columns) -> float:
    """√(mean (y − v)²)."""
    return float(np.sqrt(losses.squared(*_pair(columns)).mean()))


def mean_absolute_error(columns: Columns) -> float:
    """Mean |y − v|."""
    return float(losses.absolute(*_pair(columns)).mean())


def squared_bias(columns: Columns) -> float:
    """(mean v − mean y)²: what shifting all decisions would remove of the squared error."""
    truth, decision = _pair(columns)
    return float((decision.mean() - truth.mean()) ** 2)


def error_variance(columns: Columns) -> float:
    """Variance of v − y: the mean squared error without the squared bias."""
    truth, decision = _pair(columns)
    return float((decision - truth).var())


def law_variance(columns: Columns) -> float:
    """Mean variance of the distributions: what one sample adds to the squared error of the mean."""
    return float(np.square(np.asarray(columns["spread"], dtype=np.float64)).mean())


def ranking(columns: Columns) -> float:
    """Share of the pairs with different truths that are ordered rightly; ties count half."""
    truth, decision = _pair(columns)
    return losses.multipartite_auc(truth, decision) if np.ptp(truth) else 0.5


def detection(columns: Columns) -> float:
    """Area under the ROC curve for the labels that count as positive; ties count half."""
    positive = np.asarray(columns["positive"], dtype=np.float64)
    if not np.ptp(positive):
        return 0.5
    return losses.multipartite_auc(positive, np.asarray(columns["decision"], dtype=np.float64))


def largest(columns: Columns) -> float:
    """The largest error of what is proved."""
    return float(np.asarray(columns["error"], dtype=np.float64).max())


def _of_pairs(name: str, reduce: Callable[[Columns], float], *, higher: bool = False) -> Metric:
    return Metric(name, ("truth", "decision"), reduce, "higher" if higher else "lower")


RMSE = _of_pairs("RMSE", root_mean_squared_error)
MAE = _of_pairs("MAE", mean_absolute_error)
BIAS2 = _of_pairs("bias²", squared_bias)
VARIANCE = _of_pairs("variance of the error", error_variance)
RANKING = _of_pairs("multi-partite AUC", ranking, higher=True)
DETECTION = Metric("bipartite AUC", ("positive", "decision"), detection, "higher")
PEARSON = pearson("decision", "truth")
SPEARMAN = spearman("decision", "truth")
ACCURACY = mean_of("hit", better="higher", name="exact match")
FALLBACK = mean_of("fallback", better="lower", name="unreadable")
LARGEST = Metric("largest error", ("error",), largest, "lower")
EXCESS = mean_of("excess", better="lower", name="squared sampling error")
DISTANCE = mean_of("distance", better="lower", name="distance to the raters")
SPREAD = mean_of("spread", better="higher", name="spread of the distribution")
MASS = mean_of("mass", better="higher", name="mass on the grid")
LAW_VARIANCE = Metric("variance of the distribution", ("spread",), law_variance, "lower")
ENTROPY = mean_of("entropy", better="higher", name="entropy", unit="nats")
TOKEN_F1 = mean_of("f1", better="higher", name="token F1")
EXACT = mean_of("exact", better="higher", name="exact match")
SET_F1 = mean_of("f1", better="higher", name="instance F1")
