"""Greedy answers of causal models: after shared few-shot examples, and context-aware.

Context-aware decoding (Shi et al., 2023, arXiv:2305.14739) takes the token with the largest

    (1 + α) · log p(· | context, question) − α · log p(· | question),

which needs two passes side by side. Examples that all prompts share are read once.

Shapes: B rows, T positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from methods.common.answering import Continuation, by_length, greedy
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
        batch: Prompts at once.
        shared: Token ids before every prompt, read once.
        against: The same questions without their contexts, for context-aware decoding.
        alpha: α; with 0, ``against`` does not matter.

    Returns:
        The answers in the order of the prompts.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    if not _fits_window(model, len(shared) + max(map(len, prompts), default=0) + new_tokens):
        prompts = [(*shared, *prompt) for prompt in prompts]
        against = None if against is None else [(*shared, *prompt) for prompt in against]
        shared = ()
    model.eval()
    with torch.no_grad():
        before = _read(model, shared)
        for chosen in by_length([len(prompt) for prompt in prompts], batch):
            sides = [Continuation(model, [prompts[i] for i in chosen], pad, shared=before)]
            if alpha and against is not None:
                sides.append(Continuation(model, [against[i] for i in chosen], pad, shared=before))
            rows = greedy(partial(_scores, sides, alpha), len(chosen), new_tokens, frozenset(stop))
            for index, row in zip(chosen, rows, strict=True):
                answers[index] = row
    return answers


def _scores(sides: list[Continuation], alpha: float, tokens: Tensor | None) -> Tensor:
    """Scores of the next token, shape (B, V), with and without the context weighed by α."""
    logs = [side.step(tokens).float().log_softmax(-1) for side in sides]
    return logs[0] if len(logs) == 1 else (1 + alpha) * logs[0] - alpha * logs[1]


def _fits_window(model: Model, length: int) -> bool:
    """Whether no layer forgets tokens.

    Padding stands between shared examples and prompts, where it would use up a sliding window.
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
