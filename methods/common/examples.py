"""Training examples as token ids, and the tensors a model reads.

Shapes: B rows, T positions of a row (of the encoder's input, for an encoder-decoder), S positions
of the labels (S = T for a causal model), N target tokens in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.method import ProblemError

ItemT = TypeVar("ItemT")

IGNORED = -100
"""Label of positions that no loss is taken of, as everywhere in PyTorch."""


@dataclass(frozen=True)
class Example:
    """One input with the answer to be learnt.

    Attributes:
        id: Names the example in errors.
        prompt: Token ids that are read; no loss is taken of them.
        target: Token ids to be produced, with the token that ends the answer.
    """

    id: str
    prompt: tuple[int, ...]
    target: tuple[int, ...]


@dataclass
class Cut:
    """What happens to prompts that are too long, and how often it did.

    Attributes:
        keep: The part of the prompt's text that stays; special tokens always stay.
        cut: Prompts that were cut so far.
        tokens: Tokens that were cut off so far.
    """

    keep: Literal["end", "start"] = "end"
    cut: int = 0
    tokens: int = 0

    def __call__(self, tokens: Sequence[int], room: int) -> list[int]:
        """At most ``room`` of the tokens."""
        surplus = len(tokens) - room
        if surplus <= 0:
            return list(tokens)
        self.cut += 1
        self.tokens += surplus
        return list(tokens[surplus:] if self.keep == "end" else tokens[:room])


def encode(tokenizer: Any, name: str, prompt: str, target: str, *, limit: int, cut: Cut) -> Example:
    """Tokenise a prompt and its target.

    The prompt starts with the tokenizer's beginning token if it has one, and ends with its end
    token where the tokenizer puts one after every input (T5). The target ends with the end token.

    Args:
        tokenizer: Of ``transformers``.
        name: Becomes the example's id.
        prompt: Text that is read.
        target: Text to be produced; a causal model needs its leading space here, if any.
        limit: Tokens of prompt and target together, at most.
        cut: Policy and counter for prompts that are too long.

    Raises:
        ProblemError: If the tokenizer has no end token, or the target alone exceeds ``limit``.
    """
    answer = (*tokenizer(target, add_special_tokens=False)["input_ids"], end_token(tokenizer))
    return Example(name, prompt_tokens(tokenizer, prompt, limit - len(answer), cut, where=name), answer)


def prompt_tokens(tokenizer: Any, prompt: str, room: int, cut: Cut, *, where: str = "") -> tuple[int, ...]:
    """Ids of a prompt with its special tokens, at most ``room``; see :func:`encode`.

    Raises:
        ProblemError: If there is no room for a single token of text.
    """
    head, tail = special_tokens(tokenizer)
    room -= len(head) + len(tail)
    if room < 1:
        raise ProblemError(
            "No token of the prompt fits beside its target and the special tokens",
            where=where,
            fix="Raise the limit, or leave out examples with such long targets.",
        )
    return (*head, *cut(tokenizer(prompt, add_special_tokens=False)["input_ids"], room), *tail)


def special_tokens(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What stands before and after the text of every prompt."""
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    added = tokenizer("")["input_ids"]
    head = () if begin is None else (int(begin),)
    tail = (int(end),) if added and added[-1] == end and end != begin else ()
    return head, tail


def end_token(tokenizer: Any) -> int:
    """Id of the token that ends an answer.

    Raises:
        ProblemError: If the tokenizer has none.
    """
    if tokenizer.eos_token_id is None:
        raise ProblemError(
            "The tokenizer has no end-of-sequence token, so no answer could ever end",
            where=str(getattr(tokenizer, "name_or_path", "")),
            fix="Use the model's own tokenizer, or set its eos_token.",
        )
    return int(tokenizer.eos_token_id)


def pad_token(tokenizer: Any) -> int:
    """Id to fill rows with; the end token where there is none (masks hide it)."""
    return end_token(tokenizer) if tokenizer.pad_token_id is None else int(tokenizer.pad_token_id)


@dataclass(frozen=True)
class Batch:
    """What one forward pass reads.

    Attributes:
        ids: Shape (B, T).
        labels: Shape (B, S), :data:`IGNORED` outside the targets. For a causal model they stand
            at their own place in ``ids``, so the place before predicts them.
        mask: Shape (B, T), 1 for tokens and 0 for padding.
        names: The examples' ids, in order.
        places: Shape (N,): flat index into (B, S) of the positions that predict the targets.
        gold: Shape (N,): the target tokens.
        owner: Shape (N,): which of ``names`` a target token belongs to.
        positions: Shape (B, T) where several examples share a row: the position of each token
            in its own example. None otherwise.
        separate: Whether targets are a decoder's, not part of ``ids``.
    """

    ids: Tensor
    labels: Tensor
    mask: Tensor
    names: tuple[str, ...]
    places: Tensor
    gold: Tensor
    owner: Tensor
    positions: Tensor | None = None
    separate: bool = False


def collate(
    examples: Sequence[Example],
    pad: int,
    device: str | torch.device = "cpu",
    *,
    separate: bool = False,
    width: int = 0,
    targets: int = 0,
) -> Batch:
    """Examples as rows, padded on the right.

    Args:
        examples: At least one.
        pad: Id to fill rows with.
        device: Where the tensors go.
        separate: Whether the model is an encoder-decoder, which reads prompts and targets apart.
        width: Tokens of a row, at least.
        targets: Tokens of a row of separate targets, at least.

    Raises:
        ProblemError: If an example has no target, or a causal one no prompt.
    """
    _check(examples)
    if separate:
        prompts = [example.prompt for example in examples]
        ids = filled(prompts, pad, width=width)
        mask = filled([(1,) * len(prompt) for prompt in prompts], 0, width=width)
        labels = filled([example.target for example in examples], IGNORED, width=targets)
        places = np.flatnonzero(labels != IGNORED)
    else:
        ids = filled([example.prompt + example.target for example in examples], pad, width=width)
        labels = np.full_like(ids, IGNORED)
        mask = np.zeros_like(ids)
        for row, example in enumerate(examples):
            start, stop = len(example.prompt), len(example.prompt) + len(example.target)
            labels[row, start:stop] = ids[row, start:stop]
            mask[row, :stop] = 1
        places = np.flatnonzero(labels != IGNORED) - 1
    owner = np.repeat(np.arange(len(examples)), [len(example.target) for example in examples])
    return _on_device(examples, (ids, labels, mask, places, owner), None, device, separate=separate)


def pack(examples: Sequence[Example], length: int, pad: int, device: str | torch.device = "cpu") -> Batch:
    """Several examples a row, for causal models: less padding, the same loss.

    Positions restart with each example, and the forward pass lets no token see another example,
    so the loss equals that of :func:`collate` up to rounding. Examples go, longest first, into
    the first row with room (first-fit decreasing).

    Args:
        examples: At least one.
        length: Tokens a row, at most.
        pad: Id to fill rows with.
        device: Where the tensors go.

    Raises:
        ProblemError: If an example is longer than ``length``, or lacks prompt or target.
    """
    _check(examples)
    rows = _fit_rows(examples, length)
    width = max(sum(_length(examples[index]) for index in row) for row in rows)
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    labels, mask = np.full_like(ids, IGNORED), np.zeros_like(ids)
    positions, owners = np.zeros_like(ids), np.zeros_like(ids)
    for number, row in enumerate(rows):
        start = 0
        for index in row:
            example = examples[index]
            stop = start + _length(example)
            ids[number, start:stop] = example.prompt + example.target
            labels[number, start + len(example.prompt) : stop] = example.target
            mask[number, start:stop] = 1
            positions[number, start:stop] = np.arange(stop - start)
            owners[number, start:stop] = index
            start = stop
    places = np.flatnonzero(labels != IGNORED) - 1
    arrays = (ids, labels, mask, places, owners.reshape(-1)[places])
    return _on_device(examples, arrays, positions, device, separate=False)


def stream(examples: Sequence[ItemT], batch: int, rng: np.random.Generator) -> Iterator[list[ItemT]]:
    """Endless batches of exactly ``batch`` examples (or other items), reshuffled in each pass over the data.

    A batch at the end of a pass is filled up from the next one.

    Raises:
        ProblemError: If there are no examples.
    """
    if not examples:
        raise ProblemError("There are no examples to train on", fix="Check how the data were filtered.")
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting += rng.permutation(len(examples)).tolist()
        yield [examples[index] for index in waiting[:batch]]
        del waiting[:batch]


def filled(
    rows: Sequence[Sequence[int]], fill: int, *, left: bool = False, width: int = 0
) -> NDArray[np.int64]:
    """Rows of different lengths as one array, filled up on the right (or left), at least to ``width``."""
    width = max(width, *(len(row) for row in rows))
    out = np.full((len(rows), width), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        if row:
            out[index, slice(width - len(row), None) if left else slice(len(row))] = row
    return out


def _length(example: Example) -> int:
    return len(example.prompt) + len(example.target)


def _check(examples: Sequence[Example]) -> None:
    for example in examples:
        if not example.target or not example.prompt:
            part = "prompt" if example.target else "target"
            raise ProblemError(
                f"An example has an empty {part}",
                where=example.id,
                fix="Start prompts with the beginning token and end targets with the end token.",
            )


def _fit_rows(examples: Sequence[Example], length: int) -> list[list[int]]:
    rows: list[list[int]] = []
    room: list[int] = []
    for index in sorted(range(len(examples)), key=lambda i: -_length(examples[i])):
        needed = _length(examples[index])
        if needed > length:
            raise ProblemError(
                f"An example of {needed} tokens does not fit into a row of {length}",
                where=examples[index].id,
                fix="Pack into longer rows, or encode with a smaller limit.",
            )
        row = next((number for number, free in enumerate(room) if free >= needed), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(length)
        rows[row].append(index)
        room[row] -= needed
    return rows


def _on_device(
    examples: Sequence[Example],
    arrays: tuple[NDArray[np.int64], ...],
    positions: NDArray[np.int64] | None,
    device: str | torch.device,
    *,
    separate: bool,
) -> Batch:
    ids, labels, mask, places, owner = (torch.from_numpy(array) for array in arrays)
    gold = labels.reshape(-1)[places if separate else places + 1]
    return Batch(
        ids=ids.to(device),
        labels=labels.to(device),
        mask=mask.to(device),
        names=tuple(example.id for example in examples),
        places=places.to(device),
        gold=gold.to(device),
        owner=owner.to(device),
        positions=None if positions is None else torch.from_numpy(positions).to(device),
        separate=separate,
    )
