"""Greedy answers of causal models: after shared few-shot examples, and context-aware.

Context-aware decoding (Shi et al., 2023, arXiv:2305.14739) takes the token with the largest

    (1 + α) · log p(· | context, question) − α · log p(· | question),

which needs two passes side by side. Examples that all prompts share are read once.

Shapes: B rows, T positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from methods.common.answering import Continuation, device_type, greedy
from methods.common.fixed_batches import fixed_batches, fixed_width
from methods.common.forward import Model, only_at

Tokens = Sequence[int]


def decode(
    model: Model,
    prompts: Sequence[Tokens],
    *,
    new_tokens: int,
    stop: Collection[int],
    pad: int,
    batch: int = 64,
    shared: Tokens = (),
    against: Sequence[Tokens] | None = None,
    alpha: float = 0.0,
) -> list[list[int]]:
    """Continue prompts greedily.

    Args:
        model: A causal language model.
        prompts: Token ids; none may be empty.
        new_tokens: Tokens of an answer, at most.
        stop: Ids that end an answer; they are not part of it.
        pad: Id to fill rows with.
        batch: Prompts at once, at most.
        shared: Token ids before every prompt, read once.
        against: The same questions without their contexts, for context-aware decoding.
        alpha: α; with 0, ``against`` does not matter.

    Returns:
        The answers in the order of the prompts.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    sides = [prompts, against] if alpha and against is not None else [prompts]
    kinds = [
        _Kind.of(model, [side[row] for side in sides], shared, new_tokens) for row in range(len(prompts))
    ]
    texts = [
        [side[row] if kind.apart else (*shared, *side[row]) for row, kind in enumerate(kinds)]
        for side in sides
    ]
    model.eval()
    with torch.no_grad():
        before = _read(model, shared)
        lengths = [len(prompt) for prompt in texts[0]]
        for part in fixed_batches(lengths, batch, device=device_type(model), kinds=kinds):
            kind = kinds[part.chosen[0]]
            reading = [
                Continuation(model, part.of(rows), pad, shared=before if kind.apart else None, width=width)
                for rows, width in zip(texts, kind.widths, strict=True)
            ]
            rows = greedy(partial(_scores, reading, alpha), part.size, new_tokens, frozenset(stop))
            for index, row in zip(part.chosen, rows, strict=False):
                answers[index] = row
    return answers


@dataclass(frozen=True)
class _Kind:
    """How the sides of a row are read, which rows of one batch have in common.

    Attributes:
        apart: Whether the shared tokens are read once, before them.
        widths: Tokens of each side.
    """

    apart: bool
    widths: tuple[int, ...]

    @classmethod
    def of(cls, model: Model, sides: Sequence[Tokens], shared: Tokens, new_tokens: int) -> _Kind:
        """From the tokens of a row's sides."""
        alone = tuple(fixed_width(len(side)) for side in sides)
        if _fits_window(model, len(shared) + max(alone) + new_tokens):
            return cls(True, alone)
        return cls(False, tuple(fixed_width(len(shared) + len(side)) for side in sides))


def _scores(sides: list[Continuation], alpha: float, tokens: Tensor | None) -> Tensor:
    """Scores of the next token, shape (B, V), with and without the context weighed by α."""
    logs = [side.step(tokens).float().log_softmax(-1) for side in sides]
    return logs[0] if len(logs) == 1 else (1 + alpha) * logs[0] - alpha * logs[1]


def _fits_window(model: Model, length: int) -> bool:
    """Whether no layer forgets tokens.

    Padding between shared examples and prompts takes up positions of a sliding window.
    """
    window = getattr(model.config, "sliding_window", None)
    return window is None or length <= window


def _read(model: Model, shared: Tokens) -> tuple[Any, int] | None:
    """Keys and values of the tokens before every prompt, and their number; None if there are none."""
    if not shared:
        return None
    ids = torch.tensor([list(shared)], device=model.get_input_embeddings().weight.device)
    with only_at(model, torch.tensor([len(shared) - 1], device=ids.device)):
        return model(input_ids=ids, use_cache=True).past_key_values, len(shared)
