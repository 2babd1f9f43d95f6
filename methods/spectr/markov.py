"""Markov chains as target and draft: the simulation tier, without a neural network.

The context of a request is its last token, so distributions are rows of a transition matrix.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from methods.spectr.block import Laws, Outcome
from methods.spectr.selection import sample
from methods.spectr.sessions import Draft, Target


def markov_pair(
    rng: np.random.Generator, *, states: int, noise: float, sharpness: tuple[float, float] = (0.5, 3.0)
) -> tuple[Tensor, Tensor]:
    """Transition matrices (draft, target), each of shape (V, V).

    Target logits are normal with a sharpness that varies between contexts; the draft's are the
    target's plus normal noise.

    Args:
        rng: Source of randomness.
        states: V.
        noise: Standard deviation of the draft's noise.
        sharpness: Range of the scale of the target's logits.
    """
    scale = rng.uniform(*sharpness, size=(states, 1))
    logits = scale * rng.normal(size=(states, states))
    noisy = logits + noise * rng.normal(size=logits.shape)
    return torch.softmax(torch.from_numpy(noisy), 1), torch.softmax(torch.from_numpy(logits), 1)


class MarkovTarget(Target):
    """A Markov chain as target."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix
        self.width = len(matrix)
        self._last = torch.empty(0, dtype=torch.long)

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`~methods.spectr.sessions.Target`."""
        self._last = torch.tensor([prompt[-1] for prompt in prompts])

    def score(self, drafts: Tensor) -> Laws:
        """See :class:`~methods.spectr.sessions.Target`."""
        return _laws(self.matrix, self._last, drafts)

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`~methods.spectr.sessions.Target`."""
        self._last = _last_tokens(outcome, rows)


class MarkovDraft(Draft):
    """A Markov chain as draft."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix
        self.width = len(matrix)
        self._last = torch.empty(0, dtype=torch.long)

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self._last = torch.tensor([prompt[-1] for prompt in prompts])

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """See :class:`~methods.spectr.sessions.Draft`."""
        drafts = torch.empty_like(uniforms, dtype=torch.long)
        state = self._last.unsqueeze(1).expand(uniforms.shape[:2]).flatten()
        for depth in range(uniforms.shape[2]):
            state = sample(self.matrix[state], uniforms[:, :, depth].flatten())
            drafts[:, :, depth] = state.view(uniforms.shape[:2])
        return drafts, _laws(self.matrix, self._last, drafts)

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self._last = _last_tokens(outcome, rows)


def _laws(matrix: Tensor, last: Tensor, drafts: Tensor) -> Laws:
    def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
        return matrix[drafts[rows, branch, depth - 1] if depth else last[rows]]

    return laws


def _last_tokens(outcome: Outcome, rows: Tensor) -> Tensor:
    return outcome.tokens[rows, outcome.matched[rows]]
