"""Drawing tokens for many rows at once, each row from random numbers of its own.

``generate`` of ``transformers`` runs the model and its cache; what is drawn is decided here, since
its own sampling takes all rows from one global stream, and a text would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor, StoppingCriteria

from methods.common.causal_lm import probabilities
from methods.common.language_model.interface import Decoding


class FirstScores(LogitsProcessor):
    """Keeps the scores of the first new token, and leaves all as it is."""

    def __init__(self) -> None:
        self.first = torch.empty(0)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """See ``LogitsProcessor``: tokens so far (B, T), scores of the next (B, V)."""
        if not self.first.numel():
            self.first = scores.float()
        return scores


class Draw(FirstScores):
    """Draws one token a row by inversion and leaves only this one to choose from.

    Args:
        decoding: Temperature and cuts.
        draws: The random numbers of each row.
    """

    def __init__(self, decoding: Decoding, draws: Sequence[np.random.Generator]) -> None:
        super().__init__()
        self.decoding = decoding
        self.draws = draws
        self._chosen: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """See ``LogitsProcessor``."""
        exact = scores.float()
        token = self._token(exact)
        self._chosen.append(exact.log_softmax(-1).gather(1, token)[:, 0].cpu())
        return torch.full_like(scores, -torch.inf).scatter_(1, token, 0.0)

    def _token(self, scores: Tensor) -> Tensor:
        if self.decoding.temperature == 0:
            return scores.argmax(-1, keepdim=True)
        if 0 < self.decoding.top_k < scores.shape[1]:
            least = scores.topk(self.decoding.top_k).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        law = probabilities(scores, temperature=self.decoding.temperature, top_p=self.decoding.top_p)
        # In float64: float32 sums over a large vocabulary would lose the least probable tokens.
        steps = law.double().cumsum(-1)
        uniform = torch.tensor([draw.random() for draw in self.draws], dtype=torch.float64)
        aim = uniform.to(steps.device)[:, None] * steps[:, -1:]
        # The first step strictly above the aim, so that a token of probability 0 is never drawn.
        return torch.searchsorted(steps, aim, right=True).clamp(max=scores.shape[1] - 1)

    def chosen(self, row: int) -> list[float]:
        """Log-probabilities at temperature 1 of the tokens of one row, in nats."""
        return [float(step[row]) for step in self._chosen]


class Ended(StoppingCriteria):
    """Ends the rows whose new text holds one of the stops.

    Args:
        tokenizer: To read the new text.
        stop: The stops.
        start: Number of tokens before the new text.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str], start: int) -> None:
        self.tokenizer = tokenizer
        self.stop = stop
        self.start = start

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        """See ``StoppingCriteria``: tokens so far (B, T); which rows are done (B,)."""
        if not self.stop:
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        texts = self.tokenizer.batch_decode(input_ids[:, self.start :], skip_special_tokens=True)
        done = [any(one in text for one in self.stop) for text in texts]
        return torch.tensor(done, device=input_ids.device)
