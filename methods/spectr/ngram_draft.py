"""Drafting with an n-gram model."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.spectr.block import Laws, Outcome
from methods.spectr.ngram import NGram
from methods.spectr.sessions import Draft


class NGramDraft(Draft):
    """An :class:`NGram` as draft; it needs no cache, only the contexts."""

    def __init__(self, model: NGram, device: str = "cpu") -> None:
        self.model = NGram(model.width, model.single.to(device), model.orders)
        self.width = model.width
        self.contexts: list[list[int]] = []

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.contexts = [list(prompt) for prompt in prompts]

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """See :class:`~methods.spectr.sessions.Draft`."""
        numbers = uniforms.tolist()
        drafts = [
            [self._draft(context, row) for row in rows]
            for context, rows in zip(self.contexts, numbers, strict=True)
        ]

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            return torch.stack(
                [
                    self.model.law(self.contexts[row] + drafts[row][lead][:depth])
                    for row, lead in zip(rows.tolist(), branch.tolist(), strict=True)
                ]
            )

        return torch.tensor(drafts, device=uniforms.device), laws

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        tokens, matched = outcome.tokens.tolist(), outcome.matched.tolist()
        self.contexts = [self.contexts[row] + tokens[row][: matched[row] + 1] for row in rows.tolist()]

    def _draft(self, context: list[int], uniforms: list[float]) -> list[int]:
        text = list(context[-len(self.model.orders) :])
        for uniform in uniforms:
            text.append(self.model.draw(text, uniform))
        return text[-len(uniforms) :]
