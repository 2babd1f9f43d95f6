"""Drafting with an n-gram model."""

from __future__ import annotations

from torch import Tensor

from methods.spectr.context_draft import ContextDraft
from methods.spectr.ngram import NGram


class NGramDraft(ContextDraft):
    """An :class:`NGram` as draft."""

    def __init__(self, model: NGram, device: str = "cpu") -> None:
        self.model = NGram(model.width, model.single.to(device), model.orders)
        self.width = model.width
        self.contexts = []

    def draft(self, context: list[int], uniforms: list[float]) -> list[int]:
        """See :class:`ContextDraft`."""
        text = list(context[-len(self.model.orders) :])
        for uniform in uniforms:
            text.append(self.model.draw(text, uniform))
        return text[-len(uniforms) :]

    def law(self, context: list[int], drafted: list[int]) -> Tensor:
        """See :class:`ContextDraft`."""
        return self.model.law(context + drafted)
