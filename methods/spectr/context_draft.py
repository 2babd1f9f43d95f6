"""Drafts that know nothing of a request but its tokens: n-grams, and looking up the text so far."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from methods.spectr.block import Laws, Outcome
from methods.spectr.sessions import Draft


class ContextDraft(Draft):
    """Keeps the contexts of requests; there is no cache.

    Attributes:
        contexts: Tokens of each request so far.
    """

    contexts: list[list[int]]

    @abstractmethod
    def draft(self, context: list[int], uniforms: list[float]) -> list[int]:
        """Tokens after a context, one for each number, by inversion."""

    @abstractmethod
    def law(self, context: list[int], drafted: list[int]) -> Tensor:
        """The distribution of the token after a context and what was drafted behind it, shape (V,)."""

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.contexts = [list(prompt) for prompt in prompts]

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """See :class:`~methods.spectr.sessions.Draft`."""
        drafts = [
            [self.draft(context, row) for row in rows]
            for context, rows in zip(self.contexts, uniforms.tolist(), strict=True)
        ]

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            pairs = zip(rows.tolist(), branch.tolist(), strict=True)
            return torch.stack(
                [self.law(self.contexts[row], drafts[row][lead][:depth]) for row, lead in pairs]
            )

        return torch.tensor(drafts, device=uniforms.device), laws

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        tokens, matched = outcome.tokens.tolist(), outcome.matched.tolist()
        self.contexts = [self.contexts[row] + tokens[row][: matched[row] + 1] for row in rows.tolist()]
