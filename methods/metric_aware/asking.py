"""Asking a language model for grades: probabilities of a grid, the likeliest answer, samples.

Where every value of the grid is one character, one question a text is enough: the distribution of
the next token gives all three. Else the values' texts are scored with a line break behind them, so that
"1" is not the beginning of "10" or "1.5", and answers are sampled up to the line break.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.common.language_model.interface import Completion, Decoding, LanguageModel, NextToken
from methods.common.numbers import write_number
from methods.metric_aware.problem import DRAWS, Asked, draw

Floats = NDArray[np.float64]
How = Literal["next-token", "score", "sample"]
END = "\n"
MOST = 20
"""Tokens to list: as many as servers return."""
_ANSWER = 8
"""New tokens of an answer, at most."""
_FLOOR = -80.0
"""Log-probability of a value that no sample gave, in nats: next to none, but finite."""


def ask_grades(
    model: LanguageModel,
    ids: Sequence[str],
    prompts: Sequence[str],
    values: Sequence[float],
    *,
    how: How,
    rng: np.random.Generator,
    space: str = " ",
    most: int = MOST,
) -> Asked:
    """What a model answers to prompts for a grade.

    Args:
        model: The model.
        ids: Names of the items.
        prompts: One an item.
        values: The grid.
        how: From the next token's distribution, by scoring each value's text, or by counting samples,
            for servers that return no probabilities.
        rng: Draws from distributions of the next token, and the seed of sampled answers.
        space: What stands between prompt and answer, if it belongs to the answer.
        most: Tokens to list.

    Raises:
        ProblemError: If there is no prompt, a value has more than one character and only the next token
            is looked at, or the model tells no value of the grid for any prompt.
    """
    if not prompts:
        raise ProblemError("There is nothing to ask", where="prompts", fix="Choose at least one item.")
    if how == "next-token":
        return _from_next_token(model, ids, prompts, values, rng=rng, most=most)
    seed = int(rng.integers(2**31))
    greedy = model.sample(prompts, Decoding(new_tokens=_ANSWER, stop=(END,)))
    warm = Decoding(temperature=1.0, new_tokens=_ANSWER, stop=(END,))
    samples = model.sample(prompts, warm, count=DRAWS, seed=seed)
    texts = tuple(tuple(one.text for one in row) for row in samples)
    if how == "score":
        options = [f"{space}{write_number(value)}{END}" for value in values]
        scores = _finite(model, np.array(model.score(prompts, [options] * len(prompts))))
    else:
        scores = _counted(texts, values)
        model.usage.unread += _unread(samples, values)
    return Asked(tuple(ids), scores, tuple(row[0].text for row in greedy), texts)


def spelled(token: str) -> str:
    """A token of a vocabulary as text: word boundaries become spaces."""
    return token.replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")


def grid_scores(found: NextToken, names: Sequence[str]) -> Floats:
    """Log-probability of each value: the sum over all tokens that spell it, with a space or without."""
    scores = np.full(len(names), -np.inf)
    for token, value in found.log_probabilities.items():
        text = spelled(token).strip(" ")
        if text in names:
            place = names.index(text)
            scores[place] = np.logaddexp(scores[place], value)
    return scores


def silent_answers(laws: Sequence[NextToken], values: Sequence[float]) -> int:
    """Distributions of the next token that list no value of the grid."""
    names = [write_number(value) for value in values]
    return sum(not np.isfinite(grid_scores(law, names)).any() for law in laws)


def _from_next_token(
    model: LanguageModel,
    ids: Sequence[str],
    prompts: Sequence[str],
    values: Sequence[float],
    *,
    rng: np.random.Generator,
    most: int,
) -> Asked:
    names = [write_number(value) for value in values]
    long = [name for name in names if len(name) != 1]
    if long:
        raise ProblemError(
            f"'{long[0]}' need not be one token, so the next token alone does not tell its probability",
            where="values",
            fix='Score the texts of the values (how="score"), or choose a grid of digits.',
        )
    answers = model.next_token(prompts, most=most)
    scores = np.array([grid_scores(found, names) for found in answers])
    silent = ~np.isfinite(scores).any(axis=1)
    if silent.all():
        raise ProblemError(
            f"No value of the grid is among the {most} most probable answers to any prompt",
            where=model.name,
            fix="Change the prompt: should it end with a space, or the answer begin with one?",
        )
    model.usage.unread += int(silent.sum())
    # All that is known of these is that the grid has hardly any mass: it is spread evenly.
    rest = np.array([max(found.rest, 1e-12) for found in answers])
    scores[silent] = np.log(rest[silent, None] / len(names))
    texts = [[spelled(token) for token in found.log_probabilities] for found in answers]
    return Asked(
        ids=tuple(ids),
        scores=scores,
        greedy=tuple(row[0] for row in texts),
        samples=tuple(_draws(found, row, rng) for found, row in zip(answers, texts, strict=True)),
    )


def _draws(found: NextToken, texts: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """Answers of one token, drawn from its distribution; what is not listed reads as nothing."""
    listed = [*found.log_probabilities.values(), np.log(max(found.rest, 1e-300))]
    places = draw(np.array([listed]), DRAWS, rng)[0]
    return tuple((*texts, "")[place] for place in places)


def _finite(model: LanguageModel, scores: Floats) -> Floats:
    """Scores where each prompt has one; a prompt without any is counted, and its grid spread evenly.

    Servers that list next tokens give −∞ to values of several tokens.
    """
    silent = ~np.isfinite(scores).any(axis=1)
    if silent.all():
        raise ProblemError(
            "No value of the grid has a probability after any prompt",
            where=model.name,
            fix='Use a server that echoes log-probabilities of prompts, or read samples (how="sample").',
        )
    model.usage.unread += int(silent.sum())
    scores[silent] = _FLOOR
    return scores


def _unread(samples: Sequence[Sequence[Completion]], values: Sequence[float]) -> int:
    """Sampled answers that hold no number; refusals are counted elsewhere."""
    from methods.metric_aware.distributions import read_number

    answers = [one for row in samples for one in row if not one.refusal]
    return sum(read_number(one.text, values[0], values[-1]) is None for one in answers)


def _counted(texts: Sequence[Sequence[str]], values: Sequence[float]) -> Floats:
    from methods.metric_aware.distributions import read_number

    grid = np.asarray(values)
    scores = np.full((len(texts), len(grid)), _FLOOR)
    for row, answers in enumerate(texts):
        read = [read_number(text, values[0], values[-1]) for text in answers]
        numbers = np.array([one for one in read if one is not None])
        if len(numbers):
            places = np.abs(numbers[:, None] - grid[None, :]).argmin(axis=1)
            shares = np.bincount(places, minlength=len(grid)) / len(answers)
            scores[row] = np.log(np.maximum(shares, np.exp(_FLOOR)))
    return scores
