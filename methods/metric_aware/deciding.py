"""Decisions for a metric, from one's own model, distributions or samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from harness.method import ProblemError
from methods.common.language_model.interface import Decoding, LanguageModel
from methods.common.numbers import write_number
from methods.metric_aware import rules
from methods.metric_aware.asking import END, grid_scores
from methods.metric_aware.distributions import (
    Floats,
    Predictive,
    from_samples,
    from_scores,
    read_samples,
)

_PLAIN = {
    "accuracy": rules.mode,
    "mse": rules.mean,
    "rmse": rules.mean,
    "pearson": rules.mean,
    "mae": rules.median,
    "mape": rules.relative_median,
    "mspe": rules.relative_mean,
    "msle": rules.log_mean,
    "rmsle": rules.log_mean,
}
_WITH_NUMBER = {
    "auc": rules.above,
    "pinball": rules.quantile,
    "huber": rules.huber,
    "within": rules.heaviest_window,
}
METRICS = (*_PLAIN, "spearman", *(f"{name}:NUMBER" for name in _WITH_NUMBER))
"""Known metrics: ``auc:4`` is of grades from 4 up against the others, ``pinball:0.9`` of that quantile."""

_NEEDED = {"auc": ", from which grades count as high", "pinball": " between 0 and 1"}
_WAYS = ("score", "next-token", "sample")
_NEW_TOKENS = 8
_LISTED = 20


def decisions(predicted: Predictive, metric: str) -> Floats:
    """What is best for a metric under each distribution, shape (N,).

    Args:
        predicted: Distributions over a grid.
        metric: One of :data:`METRICS`. For Spearman the labels are taken to be distributed as all
            predictions together.

    Raises:
        ProblemError: If the metric is unknown, or has no value on this grid (MAPE at 0, AUC of grades from
            outside of it).
    """
    if metric == "spearman":
        law = predicted.renormalised.law
        return rules.expected_rank(law.mean(axis=0))(predicted.values, law)
    rule = _rule(metric)
    low, high = predicted.values[0], predicted.values[-1]
    name, _, number = metric.partition(":")
    if name == "auc" and not low < float(number) <= high:
        raise ProblemError(
            f"'{metric}' calls all values from {low:g} to {high:g} the same",
            where="metric",
            fix="Name the lowest grade that counts as high: one of the grid, but for its first.",
        )
    return rule(predicted.values, predicted.law)


def _rule(metric: str) -> rules.Decide:
    name, _, number = metric.partition(":")
    if metric in _PLAIN:
        return _PLAIN[metric]
    try:
        size = float(number)
        fits = np.isfinite(size) and (name == "auc" or 0 < size < (1 if name == "pinball" else np.inf))
    except ValueError:
        fits = False
    if name in _WITH_NUMBER and not fits:
        raise ProblemError(
            f"'{metric}' is no metric that a decision is known for: {name} needs a number"
            f"{_NEEDED.get(name, ' above 0')}",
            where="metric",
            fix=f"Known: {', '.join(METRICS)}.",
        )
    if name not in _WITH_NUMBER:
        near = next((known for known in (*_PLAIN, "spearman") if known == metric.strip().lower()), "")
        raise ProblemError(
            f"'{metric}' is no metric that a decision is known for",
            where="metric",
            fix=f"Write {near}." if near else f"Known: {', '.join(METRICS)}.",
        )
    return _WITH_NUMBER[name](size)


@dataclass
class MetricAware:
    r"""A language model whose answers on a numeric grid are decided for a metric.

    ::

        judge = MetricAware(model, tokenizer, grid=(1, 2, 3, 4, 5), metric="mae")
        judge.decide(["Review: ...\\nRating:"])

    Attributes:
        model: A model of ``transformers``, a folder with one, or a
            :class:`~methods.common.language_model.interface.LanguageModel`, such as one behind an endpoint.
        tokenizer: Of a model of ``transformers``.
        grid: The values that an answer may have, ascending.
        metric: See :data:`METRICS`.
        how: ``score`` reads the probability of each value's text with a line's end behind it; ``next-token``
            that of the next token, one pass a prompt, for values of one character; ``sample`` counts sampled
            answers, for servers that tell no probabilities.
        space: What stands between prompt and answer, if it belongs to the answer.
        samples: Answers drawn for each prompt, for ``sample``.
        temperature: Of the distribution.
    """

    model: Any
    tokenizer: Any = None
    grid: Sequence[float] = (1, 2, 3, 4, 5)
    metric: str = "rmse"
    how: Literal["score", "next-token", "sample"] = "score"
    space: str = " "
    samples: int = 16
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check the options and wrap the model.

        Raises:
            ProblemError: If the grid is not of ascending numbers, the metric or the way of asking is unknown,
                or the model lacks a tokenizer.
        """
        if self.how not in _WAYS:
            raise ProblemError(
                f"'{self.how}' is no way of asking", where="how", fix=f"Known: {', '.join(_WAYS)}."
            )
        try:
            values = np.asarray(self.grid, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ProblemError(
                f"The grid {list(self.grid)} is not of numbers",
                where="grid",
                fix="Give the numbers that the model is to answer with, such as (1, 2, 3, 4, 5).",
            ) from error
        one = Predictive(values, np.full((1, len(values)), 1 / max(1, len(values))), np.ones(1))
        decisions(one, self.metric)
        if self.how == "next-token" and (long := [v for v in self.grid if len(write_number(v)) != 1]):
            raise ProblemError(
                f"'{write_number(long[0])}' need not be one token, so that the next one does not tell its "
                "probability",
                where="grid",
                fix='Use how="score", which reads whole texts.',
            )
        self._asked = _language_model(self.model, self.tokenizer)

    def predict(self, prompts: Sequence[str], *, seed: int = 0) -> Predictive:
        """Distributions over the grid, given that the answer lies on it; ``mass`` says how often it does.

        Args:
            prompts: One an input; they end where the answer begins.
            seed: Of sampled answers.

        Raises:
            ProblemError: If there is no prompt, prompts are one text, or a prompt's answer gives the grid no
                probability.
        """
        if isinstance(prompts, str):
            raise ProblemError("The prompts are one text", where="prompts", fix="Give a list of texts.")
        if not prompts:
            raise ProblemError("There is nothing to ask", where="prompts")
        values = [float(value) for value in self.grid]
        if self.how == "sample":
            warm = Decoding(temperature=self.temperature, new_tokens=_NEW_TOKENS, stop=(END,))
            drawn = self._asked.sample(prompts, warm, count=self.samples, seed=seed)
            return from_answers([[one.text for one in row] for row in drawn], values)
        return from_scores(values, self._scores(prompts, values), temperature=self.temperature)

    def decide(self, prompts: Sequence[str], *, seed: int = 0) -> Floats:
        """The decision for each prompt, shape (N,); see :meth:`predict`."""
        return decisions(self.predict(prompts, seed=seed), self.metric)

    def _scores(self, prompts: Sequence[str], values: Sequence[float]) -> Floats:
        names = [write_number(value) for value in values]
        if self.how == "next-token":
            # Servers list 20 tokens or fewer; values that are not among them have next to no probability.
            listed = getattr(getattr(self._asked, "server", None), "listed", _LISTED)
            found = self._asked.next_token(prompts, most=min(_LISTED, listed))
            scores = np.array([grid_scores(one, names) for one in found])
        else:
            options = [f"{self.space}{name}{END}" for name in names]
            scores = np.array(self._asked.score(prompts, [options] * len(prompts)))
        if (silent := ~np.isfinite(scores).any(axis=1)).any():
            raise ProblemError(
                f"The model gives no value of the grid any probability after prompt {int(silent.argmax())}",
                where=self._asked.name,
                fix="Look at the prompt's end: should the answer begin with a space (space=)?",
            )
        return scores


def from_answers(
    answers: Sequence[Sequence[str]], values: Sequence[float], names: Sequence[str] = ()
) -> Predictive:
    """Distributions from sampled answers to each input; what states no number of the range is dropped.

    Args:
        answers: To each input.
        values: The grid, ascending.
        names: Of the inputs, for errors; their numbers without it.

    Raises:
        ProblemError: If no answer to an input can be read.
    """
    read = read_samples(answers, low=min(values), high=max(values))
    if empty := [row for row, numbers in enumerate(read.numbers) if not len(numbers)]:
        which = names[empty[0]] if names else f"input {empty[0]}"
        raise ProblemError(
            f"No answer to {which} states a number from {min(values):g} to {max(values):g}",
            where=f"{len(empty)} of {len(answers)} inputs",
            fix="Draw more answers, or ask for the number alone.",
        )
    return from_samples(values, read, fallback=values[0])


def _language_model(model: Any, tokenizer: Any) -> LanguageModel:
    if isinstance(model, LanguageModel):
        return model
    if isinstance(model, (str, Path)):
        from methods.common.own_models import checked_folder
        from methods.metric_aware.models import language_model

        return language_model(checked_folder(Path(model)), dtype="float32", batch=32, device="cpu")
    if tokenizer is None:
        raise ProblemError(
            "A model of transformers needs its tokenizer",
            where=type(model).__name__,
            fix="MetricAware(model, tokenizer, ...).",
        )
    from methods.common.language_model.local import LocalModel

    name = type(model).__name__
    return LocalModel(name, name, model.eval(), tokenizer)
