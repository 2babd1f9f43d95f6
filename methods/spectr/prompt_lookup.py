"""Drafting by looking up where the last tokens stood before; no model is needed."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.spectr.context_draft import ContextDraft

LONGEST = 3
"""Tokens that are looked up, at most; fewer where so many did not occur."""
_ROWS = 64
"""Places that are remembered for a history, the latest ones."""


class PromptLookup(ContextDraft):
    """The next token is drawn from those that followed the same last tokens earlier in the text.

    The longest history that occurred counts, of at most :data:`LONGEST` tokens; where none did, the last
    token is repeated. Several drafts follow several places.
    """

    def __init__(self, width: int, device: torch.device) -> None:
        self.width = width
        self.device = device
        self.contexts = []

    def draft(self, context: list[int], uniforms: list[float]) -> list[int]:
        """See :class:`ContextDraft`."""
        text = list(context)
        for uniform in uniforms:
            next_ = followers(context, text)
            text.append(next_[min(int(uniform * len(next_)), len(next_) - 1)])
        return text[len(context) :]

    def law(self, context: list[int], drafted: list[int]) -> Tensor:
        """See :class:`ContextDraft`."""
        next_ = torch.tensor(followers(context, context + drafted), device=self.device)
        share = torch.full(next_.shape, 1 / len(next_), device=self.device)
        return torch.zeros(self.width, device=self.device).index_add_(0, next_, share)


def followers(context: list[int], text: list[int]) -> list[int]:
    """What followed the end of ``text`` where it stood in ``context``; never empty."""
    for length in range(min(LONGEST, len(text)), 0, -1):
        end = text[-length:]
        found = [
            context[place + length]
            for place in range(len(context) - length)
            if context[place : place + length] == end
        ]
        if found:
            return found[-_ROWS:]
    return [text[-1]]
