"""Scores of answers to questions that begin alike, with what they share read once.

:func:`methods.common.answering.option_scores` reads a prompt again for every option that is longer than one
token, and the items of a tuple once for the best and once for the worst. Here keys and values of the common
beginning are kept, and copied for each of its endings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.method import ProblemError
from methods.common.answering import device_type
from methods.common.examples import filled
from methods.common.fixed_batches import fixed_batches, fixed_width
from methods.common.forward import Model, only_at

Tokens = Sequence[int]
_Key = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Beginning:
    """A text that is read once, and what is asked after it.

    Attributes:
        stem: Token ids that all of it begins with, at least two.
        asked: Pairs of what is read between stem and answer, and the answer's token ids, which are scored.
    """

    stem: Tokens
    asked: tuple[tuple[Tokens, Tokens], ...]

    @cached_property
    def endings(self) -> dict[_Key, list[tuple[int, int]]]:
        """What is read after the stem, and the answers (index, last token) that go on from there."""
        found: dict[_Key, list[tuple[int, int]]] = {}
        for index, (between, answer) in enumerate(self.asked):
            if not answer:
                raise ProblemError(f"Answer {index} is empty", fix="Give it at least one token.")
            found.setdefault((tuple(between), tuple(answer[:-1])), []).append((index, answer[-1]))
        return found

    @property
    def shape(self) -> tuple[int, int, int]:
        """Endings, tokens that hold the longest of them, and scored tokens of an ending, rounded up."""
        longest = max(1 + len(between) + len(shared) for between, shared in self.endings)
        scored = max(1 + len(shared) for _, shared in self.endings)
        return len(self.endings), fixed_width(longest), 1 << (scored - 1).bit_length()


def shared_scores(
    model: Model, beginnings: Sequence[Beginning], *, pad: int, batch: int = 32
) -> list[list[float]]:
    """Log-probability of each answer after its beginning, in nats.

    Args:
        model: A causal language model in evaluation mode.
        beginnings: What is read, and what is asked after it.
        pad: Id to fill rows with.
        batch: Beginnings at once, at most; a batch has as many rows as these have endings.

    Returns:
        For each beginning the scores of its answers.

    Raises:
        ProblemError: If a stem has fewer than two tokens, an answer has none, or the model has no room.
    """
    shapes = [one.shape for one in beginnings]
    _check(model, beginnings, shapes)
    scores = [[0.0] * len(one.asked) for one in beginnings]
    # The last token of a stem is read with each ending: its logits are an ending's first.
    lengths = [len(one.stem) - 1 for one in beginnings]
    with torch.inference_mode():
        for part in fixed_batches(lengths, batch, device=device_type(model), kinds=shapes):
            logs = _read(model, part.of(beginnings), part.width, shapes[part.chosen[0]], pad)
            for row, chosen in enumerate(part.chosen):
                _fill(scores[chosen], beginnings[chosen], logs[row])
    return scores


def _check(model: Model, beginnings: Sequence[Beginning], shapes: Sequence[tuple[int, int, int]]) -> None:
    if min((len(one.stem) for one in beginnings), default=2) < 2:
        raise ProblemError("A stem has fewer than two tokens", fix="Start prompts with the beginning token.")
    room = getattr(model.config, "max_position_embeddings", None)
    needed = max((len(one.stem) + shape[1] for one, shape in zip(beginnings, shapes, strict=True)), default=0)
    if room is not None and needed > room:
        raise ProblemError(f"A prompt with its answers needs {needed} positions, and the model has {room}")


def _read(
    model: Model, group: Sequence[Beginning], width: int, shape: tuple[int, int, int], pad: int
) -> Tensor:
    """Log-probabilities over the vocabulary, shape (B, endings, scored, V)."""
    endings, tail, scored = shape
    device = model.get_input_embeddings().weight.device
    stems = [tuple(one.stem[:-1]) for one in group]
    ids = torch.from_numpy(filled(stems, pad, left=True, width=width)).to(device)
    mask = _shown(stems, width, left=True).to(device)
    first = torch.zeros(1, dtype=torch.long, device=device)  # Nobody reads these logits.
    with only_at(model, first):
        out = model(input_ids=ids, attention_mask=mask, position_ids=_positions(mask, width), use_cache=True)
    cache: Any = out.past_key_values
    cache.batch_repeat_interleave(endings)
    rows = [(one.stem[-1], *between, *shared) for one in group for between, shared in one.endings]
    mask = torch.cat([mask.repeat_interleave(endings, 0), _shown(rows, tail).to(device)], dim=1)
    with only_at(model, _places(group, tail, scored).to(device)):
        out = model(
            input_ids=torch.from_numpy(filled(rows, pad, width=tail)).to(device),
            attention_mask=mask,
            position_ids=_positions(mask, tail),
            past_key_values=cache,
            use_cache=True,
        )
    logs: Tensor = out.logits.float().log_softmax(-1)
    return logs.view(len(group), endings, scored, -1)


def _shown(rows: Sequence[Tokens], width: int, *, left: bool = False) -> Tensor:
    return torch.from_numpy(filled([(1,) * len(row) for row in rows], 0, left=left, width=width))


def _positions(mask: Tensor, width: int) -> Tensor:
    # Padding on the left would get position -1, which is outside the position embeddings.
    return (mask.cumsum(1) - 1).clamp_(min=0)[:, -width:]


def _places(group: Sequence[Beginning], tail: int, scored: int) -> Tensor:
    """Flat positions whose logits predict scored tokens; shorter answers repeat their last one."""
    found: list[int] = []
    for row, (between, shared) in enumerate(key for one in group for key in one.endings):
        found += [row * tail + len(between) + min(step, len(shared)) for step in range(scored)]
    return torch.tensor(found)


def _fill(scores: list[float], one: Beginning, logs: Tensor) -> None:
    """Sum up the scores of one beginning's answers; ``logs`` has shape (endings, scored, V)."""
    for ending, ((_, shared), lasts) in enumerate(one.endings.items()):
        before = sum(float(logs[ending, step, token]) for step, token in enumerate(shared))
        last = logs[ending, len(shared), torch.tensor([token for _, token in lasts], device=logs.device)]
        for (index, _), value in zip(lasts, last.tolist(), strict=True):
            scores[index] = before + value
