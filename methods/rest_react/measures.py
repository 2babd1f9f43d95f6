"""Numbers of an evaluation: accuracy in percent, and the two spreads of it (card §8).

The columns are those of :class:`methods.rest_react.task.SearchAgents`: a row for each question
(``unit_id``) and run, and in part ``agents`` a row for each agent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.method import Metric, mean_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RESAMPLES = 2000


def _percent(column: str, columns: Any) -> float:
    import numpy as np

    return 100.0 * float(np.mean(np.asarray(columns[column], dtype=np.float64)))


def _gain(columns: Any) -> float:
    return _percent("final_right", columns) - _percent("draft_right", columns)


def _by(key: str, value: str, columns: Any) -> NDArray[np.float64]:
    """Mean of a column for each value of another, in percent and in the order of the keys."""
    import numpy as np

    keys, place = np.unique(np.asarray(columns[key]), return_inverse=True)
    sums = np.bincount(place, weights=np.asarray(columns[value], dtype=np.float64), minlength=len(keys))
    return np.asarray(100.0 * sums / np.bincount(place, minlength=len(keys)))


def _by_question(columns: Any) -> NDArray[np.float64]:
    """How often each question is right, in percent; a question that was drawn twice counts twice."""
    import numpy as np

    order = np.argsort(np.asarray(columns["unit_id"]), kind="stable")
    right = np.asarray(columns["final_right"], dtype=np.float64)[order]
    return np.asarray(100.0 * right.reshape(-1, len(np.unique(np.asarray(columns["run"])))).mean(axis=1))


def _run_sd(columns: Any) -> float:
    import numpy as np

    runs = _by("run", "final_right", columns)
    return float(np.std(runs, ddof=1)) if len(runs) > 1 else 0.0


def _variance(columns: Any) -> float:
    """Σ pᵢ(1−pᵢ)/n² over questions, unbiased: the variance of an accuracy over independent runs."""
    import numpy as np

    p = _by_question(columns) / 100.0
    runs = len(np.asarray(columns["run"])) // len(p)
    return float(np.sum(p * (1 - p)) * runs / max(runs - 1, 1)) / len(p) ** 2


def _spread(columns: Any) -> float:
    return float(100.0 * _variance(columns) ** 0.5)


def _beyond_accuracy(columns: Any) -> float:
    """The spread relative to that of independent questions with equal chances: √(Σ pᵢ(1−pᵢ) / n p̄(1−p̄))."""
    p = _by_question(columns) / 100.0
    coins = p.mean() * (1 - p.mean()) / len(p)
    return float((_variance(columns) / coins) ** 0.5) if coins > 0 else 0.0


def _half_width(columns: Any) -> float:
    """Half of the 95 % percentile interval over resampled questions."""
    import numpy as np
    from scipy.stats import bootstrap

    questions = _by_question(columns)
    if len(questions) < 2 or np.ptp(questions) == 0:
        return 0.0
    found = bootstrap(
        (questions,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    )
    return float(found.confidence_interval.high - found.confidence_interval.low) / 2


def _pearson(columns: Any) -> float:
    """Correlation over agents of their accuracies as judged and as known."""
    return _correlation(columns, ranks=False)


def _spearman(columns: Any) -> float:
    return _correlation(columns, ranks=True)


def _correlation(columns: Any, *, ranks: bool) -> float:
    return _agreement(*(_by("agent", name, columns) for name in ("judge_right", "final_right")), ranks=ranks)


def _known_pearson(columns: Any) -> float:
    """As :func:`_pearson`, from a table with one row an agent."""
    return _agreement(columns["judge_accuracy"], columns["accuracy"], ranks=False)


def _agreement(judged: Any, known: Any, *, ranks: bool) -> float:
    import numpy as np
    from scipy.stats import pearsonr, spearmanr

    if np.ptp(judged) == 0 or np.ptp(known) == 0:
        # Without variance there is no correlation: a judge that rates all agents alike counts as 0.
        return 0.0
    return float((spearmanr if ranks else pearsonr)(judged, known).statistic)


def percent(column: str, name: str, *, better: Any = "higher", worst: float = 0.0) -> Metric:
    """The mean of a column, in percent."""
    return Metric(name, (column,), partial(_percent, column), better, unit="%", digits=1, worst=worst)


ACCURACY = percent("final_right", "accuracy")
"""Of final answers, as the answer key has them."""
DRAFT = percent("draft_right", "accuracy of drafts")
"""Before the two checks."""
JUDGED = percent("judge_right", "accuracy as judged")
FORMAT = percent("format_error", "unreadable samples", better="lower", worst=100.0)
SEARCHES = mean_of("searches", better="lower", digits=2)
GAIN = Metric(
    "final − draft", ("final_right", "draft_right"), _gain, "higher", unit="points", digits=1, worst=0.0
)
"""What self-critique adds, on the same trajectories."""
RUN_SD = Metric("sd over runs", ("run", "final_right"), _run_sd, "lower", unit="points", digits=1)
"""The spread that the paper reports: questions are fixed."""
_ROWS = ("unit_id", "run", "final_right")
SPREAD = Metric("expected sd over runs", _ROWS, _spread, "lower", unit="points", digits=2, worst=10.0)
"""What the sd over runs estimates, from how often each question is right: steadier with a few runs."""
RELATIVE_SPREAD = Metric("spread relative to coins", _ROWS, _beyond_accuracy, "lower", digits=2, worst=1.0)
"""1 if every question is equally likely to be right; 0 if each is always right or always wrong."""
HALF_WIDTH = Metric("interval over questions", _ROWS, _half_width, "lower", unit="± points", digits=1)
"""Half of the bootstrap interval over questions, which the paper's spread leaves out."""
PARAMETERS = mean_of("parameters", better="lower", digits=0)
"""Of one agent, in part ``agents``."""
UPDATES = mean_of("updates", better="lower", digits=0)
"""Of an agent's training, in part ``agents``."""
FALL = mean_of("fall", name="fall of the loss at the end", better="lower", unit="nats", digits=3)
"""From one window of updates at full rate to the last one, by target token, in part ``agents``."""
EXAMPLES = mean_of("examples", better="higher", digits=0)
"""Of one training set, in part ``data``."""
_AGENTS = ("agent", "judge_right", "final_right")
PEARSON = Metric("Pearson's r", _AGENTS, _pearson, "higher", worst=0.0)
SPEARMAN = Metric("Spearman's rho", _AGENTS, _spearman, "higher", worst=0.0)
AGENT_PEARSON = Metric(
    "Pearson's r over agents", ("judge_accuracy", "accuracy"), _known_pearson, "higher", worst=0.0
)
"""Of the agents that a method trains, from part ``agents``."""
