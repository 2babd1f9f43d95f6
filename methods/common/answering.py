"""What a language model answers: greedy continuations, and scores of given options.

Rows are read in :mod:`batches of fixed shapes <methods.common.fixed_batches>`, so that on the CPU an
answer does not depend on what else is asked, to the last bit.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.method import ProblemError
from methods.common.examples import Example, collate, filled
from methods.common.fixed_batches import FixedBatch, fixed_batches
from methods.common.forward import (
    Model,
    embed_with_prefix,
    is_encoder_decoder,
    mask_with_prefix,
    only_at,
    target_logits,
)
from methods.common.soft_prompt import SoftPrompt

Tokens = Sequence[int]


def generate(
    model: Model,
    prompts: Sequence[Tokens],
    *,
    new_tokens: int,
    stop: Collection[int],
    pad: int,
    batch: int = 64,
    prefix: SoftPrompt | None = None,
) -> list[list[int]]:
    """The most probable next token again and again (greedy decoding, with a key-value cache).

    Args:
        model: A causal or encoder-decoder model.
        prompts: Token ids with their special tokens; none may be empty.
        new_tokens: Tokens an answer has at most.
        stop: Ids that end an answer; they are not part of it.
        pad: Id to fill rows with.
        batch: Prompts at once, at most.
        prefix: A soft prompt before each input.

    Returns:
        The answers in the order of the prompts.

    Raises:
        ProblemError: If a prompt is empty, or longer than the model's context allows.
    """
    _check_room(model, prompts, new_tokens, prefix)
    decode = _decode_separately if is_encoder_decoder(model) else _continue
    answers: list[list[int]] = [[] for _ in prompts]
    with _evaluating(model):
        for part in fixed_batches([len(prompt) for prompt in prompts], batch, device=device_type(model)):
            answer = decode(model, part.of(prompts), part.width, pad, prefix)
            rows = answer(new_tokens, frozenset(stop))
            for index, row in zip(part.chosen, rows, strict=False):
                answers[index] = row
    return answers


def option_scores(
    model: Model,
    prompts: Sequence[Tokens],
    options: Sequence[Sequence[Tokens]],
    *,
    pad: int,
    batch: int = 64,
    prefix: SoftPrompt | None = None,
    per_token: bool = False,
) -> list[list[float]]:
    """Log-probability of each option after its prompt, in nats.

    Options of a prompt that differ in their last token only share one row of the batch.

    Args:
        model: A causal or encoder-decoder model.
        prompts: Token ids with their special tokens.
        options: For each prompt, the token ids of its options.
        pad: Id to fill rows with.
        batch: Rows at once, at most.
        prefix: A soft prompt before each input.
        per_token: Divide by the number of tokens of the option.

    Returns:
        For each prompt, the scores of its options.

    Raises:
        ProblemError: If a prompt or an option is empty, or both exceed the model's context.
    """
    rows = _shared_rows(prompts, options)
    keys = list(rows)
    _check_room(model, [(*prompt, *shared) for prompt, shared in keys], 1, prefix)
    scores = [[0.0] * len(of_prompt) for of_prompt in options]
    with _evaluating(model):
        for part, targets in _scoring_batches(model, keys, batch, prefix):
            group = [(keys[i], rows[keys[i]]) for i in part.chosen]
            for (prompt, option), value in _score_rows(model, group, part, targets, pad=pad, prefix=prefix):
                length = len(options[prompt][option]) if per_token else 1
                scores[prompt][option] = value / length
    return scores


def device_type(model: Model) -> str:
    """``"cpu"`` or ``"cuda"``: where a model reads."""
    kind: str = model.get_input_embeddings().weight.device.type
    return kind


_Answerer = Callable[[int, frozenset[int]], list[list[int]]]
"""From the most tokens and the stopping ids to the answers of one batch."""
_Key = tuple[tuple[int, ...], tuple[int, ...]]
"""A prompt, and an option without its last token."""
_Last = tuple[int, int, int]
"""Index of the prompt, index of the option, and the option's last token."""


def _shared_rows(prompts: Sequence[Tokens], options: Sequence[Sequence[Tokens]]) -> dict[_Key, list[_Last]]:
    rows: dict[_Key, list[_Last]] = {}
    for i, (prompt, of_prompt) in enumerate(zip(prompts, options, strict=True)):
        for j, option in enumerate(of_prompt):
            if not option:
                raise ProblemError(f"Option {j} of prompt {i} is empty", fix="Give it at least one token.")
            rows.setdefault((tuple(prompt), tuple(option[:-1])), []).append((i, j, option[-1]))
    return rows


def _scoring_batches(
    model: Model, keys: Sequence[_Key], batch: int, prefix: SoftPrompt | None
) -> Iterator[tuple[FixedBatch, int]]:
    """Batches of rows, each with the number of positions per row that the output layer reads."""
    separate = is_encoder_decoder(model)
    room = getattr(model.config, "max_position_embeddings", None)
    if room is not None and prefix is not None:
        room -= len(prefix.weight)
    lengths = [len(prompt) + (0 if separate else len(shared) + 1) for prompt, shared in keys]
    # A power of two, since the output layer must see a fixed number of positions, too; at least four,
    # so that most options of a prompt share a batch.
    places = [max(4, 1 << len(shared).bit_length()) for _, shared in keys]
    for part in fixed_batches(lengths, batch, device=device_type(model), room=room, kinds=places):
        yield part, places[part.chosen[0]]


def _score_rows(
    model: Model,
    group: Sequence[tuple[_Key, list[_Last]]],
    part: FixedBatch,
    targets: int,
    *,
    pad: int,
    prefix: SoftPrompt | None,
) -> Iterator[tuple[tuple[int, int], float]]:
    # The last token of an option is predicted and never read, so any id may stand in for it.
    chosen = [Example("", prompt, (*shared, pad)) for (prompt, shared), _ in group]
    examples = [*chosen, *chosen[:1] * (part.size - len(chosen))]
    device = model.get_input_embeddings().weight.device
    separate = is_encoder_decoder(model)
    data = collate(examples, pad, device, separate=separate, width=part.width, targets=targets)
    lengths = torch.tensor([len(example.target) for example in examples])
    starts = torch.tensor([0 if separate else len(example.prompt) - 1 for example in examples])
    starts += torch.arange(len(examples)) * (data.labels if separate else data.ids).shape[1]
    # Shorter targets repeat their last position.
    steps = torch.minimum(torch.arange(targets), lengths[:, None] - 1)
    places = (starts[:, None] + steps).flatten().to(device)
    gold = torch.from_numpy(filled([example.target for example in examples], pad, width=targets)).to(device)
    logits = target_logits(model, replace(data, places=places), None if prefix is None else prefix()).float()
    norms = logits.logsumexp(-1)
    logs = (logits.gather(1, gold.reshape(-1, 1))[:, 0] - norms).view(len(examples), targets)
    # All but the last token of each row; its alternatives are added below.
    last = (torch.arange(targets) >= lengths[:, None] - 1).to(device)
    before = logs.masked_fill(last, 0.0).sum(1)
    row = torch.tensor([number for number, (_, lasts) in enumerate(group) for _ in lasts])
    flat = [one for _, lasts in group for one in lasts]
    place = (row * targets + lengths[row] - 1).to(device)
    tokens = torch.tensor([token for _, _, token in flat], device=device)
    values = (before[row.to(device)] + logits[place, tokens] - norms[place]).tolist()
    yield from zip([(i, j) for i, j, _ in flat], values, strict=True)


def _continue(
    model: Model, prompts: list[Tokens], width: int, pad: int, prefix: SoftPrompt | None
) -> _Answerer:
    return partial(greedy, Continuation(model, prompts, pad, prefix=prefix, width=width).step, len(prompts))


class Continuation:
    """A causal model that reads prompts, padded on the left, and then token after token.

    Args:
        model: A causal language model, in evaluation mode and without gradients.
        prompts: Token ids; none may be empty.
        pad: Id to fill rows with.
        prefix: A soft prompt before each.
        shared: Keys and values of tokens that stand before every prompt, and the number of these.
        width: Tokens of a row, at least, without the soft prompt.
        known: Where every prompt has a row of its own in ``shared``, how many tokens of it are no padding.
    """

    def __init__(
        self,
        model: Model,
        prompts: Sequence[Tokens],
        pad: int,
        *,
        prefix: SoftPrompt | None = None,
        shared: tuple[Any, int] | None = None,
        width: int = 0,
        known: Sequence[int] | None = None,
    ) -> None:
        device = model.get_input_embeddings().weight.device
        length = 0 if prefix is None else len(prefix.weight)
        # The soft prompt must touch the text, so its places are padded together with the text.
        rows = [(pad,) * length + tuple(prompt) for prompt in prompts]
        width += length
        ids = torch.from_numpy(filled(rows, pad, left=True, width=width)).to(device)
        shown = filled([(1,) * len(row) for row in rows], 0, left=True, width=width)
        mask = torch.from_numpy(shown).to(device)
        self._model = model
        self._first = (
            {"input_ids": ids} if prefix is None else {"inputs_embeds": _inserted(model, ids, mask, prefix)}
        )
        self._mask, self._cache = mask, None
        if shared is not None:
            before, count = shared
            places = torch.arange(count, 0, -1, device=device)
            visible = torch.tensor([count] * len(rows) if known is None else known, device=device)
            seen = (places <= visible[:, None]).to(mask.dtype)
            self._mask = torch.cat([seen, mask], dim=1)
            self._cache = before
            if known is None:
                # The cache grows in place, and other batches start from the same one.
                self._cache = copy.deepcopy(before)
                self._cache.batch_repeat_interleave(len(rows))
        self._width = ids.shape[1]

    def step(self, tokens: Tensor | None) -> Tensor:
        """Logits of the next token, shape (B, V), after reading ``tokens`` (B,), or first the prompts."""
        inputs = self._first if tokens is None else {"input_ids": tokens[:, None]}
        width = self._width if tokens is None else 1
        rows = len(self._mask)
        if tokens is not None:
            self._mask = torch.cat([self._mask, self._mask.new_ones(rows, 1)], dim=1)
        # Padding on the left would get position -1, which is outside the position embeddings.
        positions = (self._mask.cumsum(1) - 1).clamp_(min=0)[:, -width:]
        last = torch.arange(1, rows + 1, device=self._mask.device) * width - 1
        with only_at(self._model, last):
            out = self._model(
                **inputs,
                attention_mask=self._mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
            )
        self._cache = out.past_key_values
        logits: Tensor = out.logits
        return logits


def _decode_separately(
    model: Model, prompts: list[Tokens], width: int, pad: int, prefix: SoftPrompt | None
) -> _Answerer:
    device = model.get_input_embeddings().weight.device
    ids = torch.from_numpy(filled(prompts, pad, width=width)).to(device)
    shown = filled([(1,) * len(prompt) for prompt in prompts], 0, width=width)
    mask = torch.from_numpy(shown).to(device)
    if prefix is None:
        encoded = model.get_encoder()(input_ids=ids, attention_mask=mask)
    else:
        mask = mask_with_prefix(mask, len(prefix.weight))
        embedded = embed_with_prefix(model, ids, prefix())
        encoded = model.get_encoder()(inputs_embeds=embedded, attention_mask=mask)
    state: dict[str, Any] = {"cache": None}
    begin = torch.full((len(prompts),), int(model.config.decoder_start_token_id), device=device)

    def step(tokens: Tensor | None) -> Tensor:
        out = model(
            encoder_outputs=encoded,
            attention_mask=mask,
            decoder_input_ids=(begin if tokens is None else tokens)[:, None],
            past_key_values=state["cache"],
            use_cache=True,
        )
        state["cache"] = out.past_key_values
        logits: Tensor = out.logits[:, -1]
        return logits

    return partial(greedy, step, len(prompts))


def greedy(
    step: Callable[[Tensor | None], Tensor], rows: int, new_tokens: int, stop: frozenset[int]
) -> list[list[int]]:
    """Take the best token again and again, until all rows have stopped.

    Args:
        step: From the last tokens, shape (B,), or None at first, to scores of the next, (B, V).
        rows: B.
        new_tokens: Tokens of an answer, at most.
        stop: Ids that end an answer; they are not part of it.

    Returns:
        The B answers as token ids.
    """
    answers: list[list[int]] = [[] for _ in range(rows)]
    going = set(range(rows))
    tokens: Tensor | None = None
    for _ in range(new_tokens):
        tokens = step(tokens).argmax(-1)
        for row, token in enumerate(tokens.tolist()):
            if row in going and token in stop:
                going.remove(row)
            elif row in going:
                answers[row].append(token)
        if not going:
            break
    return answers


def _inserted(model: Model, ids: Tensor, mask: Tensor, prefix: SoftPrompt) -> Tensor:
    """Input vectors of left-padded rows whose first p visible places are the soft prompt's."""
    vectors: Tensor = model.get_input_embeddings()(ids).clone()
    starts = mask.argmax(1)
    for row, start in enumerate(starts.tolist()):
        vectors[row, start : start + len(prefix.weight)] = prefix().to(vectors.dtype)
    return vectors


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """Evaluation mode without gradients; the model's mode is restored."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def _check_room(model: Model, prompts: Sequence[Tokens], new_tokens: int, prefix: SoftPrompt | None) -> None:
    longest = max((len(prompt) for prompt in prompts), default=0)
    shortest = min((len(prompt) for prompt in prompts), default=1)
    if not shortest:
        raise ProblemError("A prompt is empty", fix="Start prompts with the beginning token.")
    if is_encoder_decoder(model):
        return
    room = getattr(model.config, "max_position_embeddings", None)
    needed = longest + new_tokens + (0 if prefix is None else len(prefix.weight))
    if room is not None and needed > room:
        raise ProblemError(
            f"A prompt with its answer needs {needed} positions, and the model has {room}",
            fix="Encode the prompts with a smaller limit (`examples.Cut` counts what is cut).",
        )
