"""Read-outs: the same predictive distribution, decided for one metric or another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, Method, ProblemError, param
from methods.metric_aware.problem import DRAWS, Asked, Decisions, Predictions

if TYPE_CHECKING:
    from methods.metric_aware.distributions import Predictive
    from methods.metric_aware.rules import Decide

LUKASIK = "Lukasik et al. (2024), arXiv:2403.04182"
WANG = "Wang et al. (2022), arXiv:2203.11171"


def decision_rule(name: str, problem: Predictions) -> Decide:
    """The decision of that name, for this problem's labels.

    Raises:
        ProblemError: If there is none.
    """
    from methods.metric_aware import rules

    known: Mapping[str, Decide] = {
        "mode": rules.mode,
        "mean": rules.mean,
        "median": rules.median,
        "probability": rules.above(problem.threshold),
        "rank": rules.expected_rank(problem.margin),
        "quartile": rules.quantile(0.25),
        "relative-median": rules.relative_median,
        "relative-mean": rules.relative_mean,
        "log-mean": rules.log_mean,
        "huber": rules.huber(1.0),
        "window": rules.heaviest_window(0.5),
    }
    if name not in known:
        raise ProblemError(
            f"There is no rule '{name}'", where="rule", fix=f"Choose one of: {', '.join(known)}."
        )
    return known[name]


@dataclass(frozen=True)
class Enumerated(Method[Predictions, Decisions]):
    """The decision for one metric, from the probability of every value of the grid."""

    problem_type: ClassVar[type] = Predictions
    cites: ClassVar[str] = LUKASIK

    rule: str = param("mean", source="card, section 3.2", doc="what is decided")
    temperature: float = param(1.0, source="ours", doc="T of the distribution")
    fit: Literal["none", "likelihood", "squared-error", "line"] = param(
        "none", source="ours", doc="what is fitted on held-out items: T, or a line"
    )
    normalise: bool = param(default=True, source="ours", doc="divide by the grid's mass")
    record: bool = param(default=False, source="ours", doc="keep the model's calls in the record")

    def run(self, problem: Predictions, ctx: Context) -> Decisions:
        """Decide for each item."""
        import numpy as np

        from methods.metric_aware.calibration import linear_map

        decide = decision_rule(self.rule, problem)
        temperature = self._temperature(problem, decide)
        found = self.predictive(problem.test, problem, temperature, ctx)
        values, fitted = decide(found.values, found.law), {}
        if self.fit == "line":
            held = self.predictive(problem.held, problem, temperature, ctx)
            slope, offset = linear_map(decide(held.values, held.law), problem.held_truth)
            values, fitted = slope * values + offset, {"slope": slope, "offset": offset}
        elif self.fit != "none":
            fitted = {"temperature": temperature}
        return Decisions(
            values=values,
            # Where no value of the grid was among the likely answers, all of them are alike.
            fallback=np.ptp(problem.test.scores, axis=1) == 0,
            law=found.law,
            mass=found.mass,
            fitted=fitted,
            calls=problem.calls if self.record else {},
        )

    def _temperature(self, problem: Predictions, decide: Decide) -> float:
        from methods.metric_aware import calibration, losses

        scores, truth = problem.held.scores, problem.held_truth
        if self.fit == "likelihood":
            return calibration.likeliest_temperature(problem.values, scores, truth)
        if self.fit == "squared-error":
            return calibration.best_temperature(problem.values, scores, truth, decide, losses.squared)
        return self.temperature

    def predictive(self, asked: Asked, problem: Predictions, temperature: float, ctx: Context) -> Predictive:
        """The distributions to decide from; negative controls change them."""
        from methods.metric_aware.distributions import from_scores

        return from_scores(problem.values, asked.scores, temperature=temperature, normalise=self.normalise)


@dataclass(frozen=True)
class Sampled(Method[Predictions, Decisions]):
    """The decision for one metric, from a few sampled answers."""

    problem_type: ClassVar[type] = Predictions
    cites: ClassVar[str] = LUKASIK

    rule: str = param("mean", source="card, section 3.2", doc="what is decided")
    count: int = param(DRAWS, source="ours", doc="answers used; K")
    unparsable: Literal["drop", "zero"] = param("drop", source="ours", doc="what unreadable answers count as")

    def run(self, problem: Predictions, ctx: Context) -> Decisions:
        """Decide for each item from its first K answers."""
        import numpy as np

        from methods.metric_aware import rules
        from methods.metric_aware.distributions import from_samples, from_scores, read_samples

        low, high = problem.values[0], problem.values[-1]
        texts = [answers[: self.count] for answers in problem.test.samples]
        read = read_samples(texts, low=low, high=high, unparsable=self.unparsable)
        empty = np.array([not len(numbers) for numbers in read.numbers])
        if self.rule == "mean":
            # Samples may lie between the values of the grid, and the mean need not round them.
            middle = float(problem.labels.mean())
            values = np.array([float(row.mean()) if len(row) else middle for row in read.numbers])
        else:
            middle = float(np.median(problem.labels))
            found = from_samples(problem.values, read, fallback=middle)
            values = decision_rule(self.rule, problem)(found.values, found.law)
        whole = from_scores(problem.values, problem.test.scores)
        return Decisions(values, empty, exact=rules.mean(whole.values, whole.law))


@dataclass(frozen=True)
class SelfConsistency(Sampled):
    """The most frequent of several sampled answers."""

    cites: ClassVar[str] = WANG

    rule: str = param("mode", source="Wang et al. (2022), section 2", doc="what is decided")


@dataclass(frozen=True)
class Greedy(Method[Predictions, Decisions]):
    """The most probable answer, read as a number; the median label where it is none."""

    problem_type: ClassVar[type] = Predictions

    def run(self, problem: Predictions, ctx: Context) -> Decisions:
        """Read one answer an item."""
        import numpy as np

        from methods.metric_aware.distributions import read_number

        low, high = problem.values[0], problem.values[-1]
        read = [read_number(text, low, high) for text in problem.test.greedy]
        middle = float(np.median(problem.labels))
        values = np.array([middle if value is None else value for value in read])
        return Decisions(values, np.array([value is None for value in read]))


@dataclass(frozen=True)
class Constant(Method[Predictions, Decisions]):
    """One number for all items: from labels alone."""

    problem_type: ClassVar[type] = Predictions

    rule: Literal["mean", "median", "mode"] = param("mean", source="ours", doc="which number")

    def run(self, problem: Predictions, ctx: Context) -> Decisions:
        """The same for each item."""
        import numpy as np

        from methods.metric_aware import rules

        margin = problem.margin
        number = {
            "mean": float(problem.labels.mean()),
            "median": float(np.median(problem.labels)),
            "mode": float(rules.mode(np.asarray(problem.values), margin[None])[0]),
        }[self.rule]
        count = len(problem.test.ids)
        return Decisions(
            np.full(count, number), np.zeros(count, dtype=np.bool_), law=np.tile(margin, (count, 1))
        )
