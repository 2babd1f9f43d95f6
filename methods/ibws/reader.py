"""A causal language model as an annotator: it reads items and answers like a rater.

It chooses by the log-likelihood of each possible answer after a fixed prompt, so any local
causal language model can be asked, also one that follows no instructions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.method import ProblemError
from methods.ibws.answers import Answers, Ledger
from methods.ibws.crowd import Ratings
from methods.ibws.designs import Floats, Ints, check_tuples
from methods.ibws.shared_reading import Beginning, shared_scores

LETTERS = "ABCDEFGH"
MARKS = tuple(str(mark) for mark in range(0, 101, 10))


@dataclass(frozen=True)
class Prompts:
    """How items are put to the model.

    Attributes:
        most: Asks for the best item of a tuple; ends where the letter goes.
        least: Asks for the worst.
        rate: Asks for a mark from 0 to 100; ``{text}`` is the item.
    """

    most: str = "The most positive of these sentences is sentence"
    least: str = "The most negative of these sentences is sentence"
    rate: str = (
        "Sentence: {text}\nOn a scale from 0 (very negative) to 100 (very positive), "
        "the sentiment of this sentence is"
    )


class LanguageModelJudge:
    """A :class:`methods.ibws.crowd.Judge` that asks a causal language model.

    Args:
        model: A causal language model of ``transformers``, in evaluation mode.
        tokenizer: Its tokenizer.
        texts: The n items.
        rng: Order in which the items of a tuple are shown.
        prompts: The wording.
        batch: Prompts at once, at most; each is read once for all of its answers.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        texts: Sequence[str],
        rng: np.random.Generator,
        *,
        prompts: Prompts | None = None,
        batch: int = 32,
    ) -> None:
        self.ledger = Ledger.empty(len(texts))
        self._model, self._tokenizer = model, tokenizer
        self._texts, self._rng = texts, rng
        self._prompts = prompts or Prompts()
        self._batch = batch

    def compare(self, tuples: Ints) -> Answers:
        """Best, then worst of the others, by the likelihood of their letters."""
        check_tuples(tuples)
        if tuples.shape[1] > len(LETTERS):
            raise ProblemError(
                f"Tuples of {tuples.shape[1]} items have no letters",
                where="tuple_size",
                fix=f"Use at most {len(LETTERS)}.",
            )
        shown = self._rng.permuted(tuples, axis=1)
        rows = np.arange(shown.shape[0])
        letters = [f" {letter}" for letter in LETTERS[: shown.shape[1]]]
        asked = [
            [self._ask(row, question) for question in (self._prompts.most, self._prompts.least)]
            for row in shown
        ]
        likelihoods = self._likelihoods(asked, letters)
        for_best, for_worst = likelihoods[:, 0], likelihoods[:, 1]
        best = for_best.argmax(axis=1)
        for_worst[rows, best] = -np.inf
        self.ledger.charge(tuples, judgements=1, selections=2)
        return Answers(tuples, shown[rows, best], shown[rows, for_worst.argmax(axis=1)])

    def rate(self, screens: Ints, workers: Ints, points: int = 0) -> Ratings:
        """The expected mark between 0 and 100, as a share; there is one worker, who never varies.

        Raises:
            ProblemError: If a k-point scale is asked for.
        """
        if points:
            raise ProblemError("A language model is asked for marks from 0 to 100 only", where="points")
        items = screens.ravel()
        distinct, back = np.unique(items, return_inverse=True)
        prompts = [self._prompts.rate.format(text=self._texts[i]) for i in distinct]
        logs = self._likelihoods([[prompt] for prompt in prompts], [f" {mark}" for mark in MARKS])[:, 0]
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares = weights @ np.linspace(0, 1, len(MARKS)) / weights.sum(axis=1)
        self.ledger.charge(screens, judgements=screens.shape[1], selections=screens.shape[1])
        return Ratings(items, np.repeat(workers, screens.shape[1]), shares[back])

    def _ask(self, items: Ints, question: str) -> str:
        lines = [f"{LETTERS[place]}: {self._texts[item]}" for place, item in enumerate(items)]
        return "\n".join([*lines, question])

    def _likelihoods(self, prompts: Sequence[Sequence[str]], options: Sequence[str]) -> Floats:
        """Log-likelihood of each option after each prompt, shape (groups, prompts, options).

        Prompts of a group begin alike.
        """
        encode = self._tokenizer.encode
        tails = [encode(option, add_special_tokens=False) for option in options]
        beginnings = [_beginning([encode(prompt) for prompt in group], tails) for group in prompts]
        scores = shared_scores(self._model, beginnings, pad=0, batch=self._batch)
        return np.array(scores, dtype=np.float64).reshape(len(prompts), -1, len(tails))


def _beginning(heads: Sequence[list[int]], tails: Sequence[list[int]]) -> Beginning:
    """Prompts as token ids, cut where they part; all options are asked after each."""
    alike = [len(set(tokens)) == 1 for tokens in zip(*heads, strict=False)]
    common = alike.index(False) if False in alike else len(alike)
    asked = tuple((head[common:], tail) for head in heads for tail in tails)
    return Beginning(heads[0][:common], asked)
