"""State-wise behaviour cloning of toy policies: −log π(a* | s), summed over target tokens (card §3.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import OneCycleLR

from harness.method import Checkpoints, ProblemError
from methods.common.checkpoints import skipped
from methods.common.examples import stream
from methods.common.loop import Loop, last_tenth
from methods.rest_react.compact import KINDS, PAD, VOCABULARY, Compact
from methods.rest_react.toy_transformer import CONTEXT, REPLY, Shape, ToyTransformer
from methods.rest_react.training_data import StepExample

_SORTED_TOGETHER = 4
"""Batches whose examples are sorted by length, to save padding."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Cloning:
    """How to train: AdamW with linear warm-up and cosine decay.

    Attributes:
        steps: Updates.
        batch: Examples an update.
        rate: Largest learning rate.
        warmup: Updates of warm-up.
        decay: Weight decay.
        clip: Largest norm of the gradient.
    """

    steps: int = 600
    batch: int = 64
    rate: float = 3e-3
    warmup: int = 50
    decay: float = 0.01
    clip: float = 1.0


@dataclass(frozen=True)
class Rows:
    """Examples as padded tokens, equal ones once: without names many states are the same.

    Attributes:
        ids: Prompt and action, shape (U, T).
        starts: Tokens of each prompt, shape (U,).
        ends: Tokens of prompt and action, shape (U,).
        place: Which of the U rows each of the N examples is, shape (N,).
    """

    ids: Ids
    starts: Ids
    ends: Ids
    place: Ids


def fits(example: StepExample, compact: Compact) -> bool:
    """Whether a policy can read the state of an example and write its action."""
    prompt = compact.encode(example.state)
    action = compact.encode_action(prompt, example.target)
    return len(prompt.tokens) <= CONTEXT and len(action) <= REPLY


def tokenised(examples: Sequence[StepExample], compact: Compact) -> Rows:
    """Examples about one world.

    Raises:
        ProblemError: If there are none, or one is too long.
    """
    if not examples:
        raise ProblemError("There are no steps to learn from", fix="Check how the data were filtered.")
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    place = []
    for example in examples:
        prompt = compact.encode(example.state)
        pair = (prompt.tokens, compact.encode_action(prompt, example.target))
        if len(pair[0]) > CONTEXT or len(pair[1]) > REPLY:
            raise ProblemError(
                f"A state of {len(pair[0])} tokens and its action of {len(pair[1])}: a policy reads "
                f"{CONTEXT} and writes {REPLY} tokens",
                where=example.state,
                fix="Allow fewer searches or show fewer results.",
            )
        place.append(known.setdefault(pair, len(known)))
    ends = np.array([len(prompt) + len(action) for prompt, action in known])
    ids = np.full((len(known), int(ends.max())), PAD, dtype=np.int64)
    for row, (prompt_ids, action) in enumerate(known):
        ids[row, : ends[row]] = prompt_ids + action
    return Rows(ids, np.array([len(prompt) for prompt, _ in known]), ends, np.array(place))


def train_network(
    rows: Rows,
    hidden: int,
    cloning: Cloning,
    *,
    generator: torch.Generator,
    order: np.random.Generator,
    progress: Callable[[float, str], None] = lambda done, message: None,
    checkpoints: Checkpoints | None = None,
) -> tuple[ToyTransformer, float]:
    """A network from scratch.

    Args:
        rows: What to learn.
        hidden: Width.
        cloning: How.
        generator: Draws the first weights.
        order: Draws the order of the examples.
        progress: Called now and then with the share done.
        checkpoints: Where the state is kept.

    Returns:
        The network in evaluation mode, and the mean loss of the last tenth of the updates in nats
        a target token.

    Raises:
        DivergedError: If the loss is not finite.
    """
    network = ToyTransformer(Shape(len(VOCABULARY), hidden, pivots=KINDS), generator)
    warmup = min(0.5, cloning.warmup / cloning.steps)
    losses = Loop(
        torch.optim.AdamW(
            network.parameters(),
            lr=cloning.rate,
            betas=(0.9, 0.98),
            weight_decay=cloning.decay,
            fused=True,
        ),
        # The order depends on nothing but the generator's initial state.
        partial(skipped, batches(rows.ends[rows.place], cloning.batch, order)),
        lambda chosen: step_loss(network, rows, chosen),
        cloning.steps,
        schedule=partial(OneCycleLR, max_lr=cloning.rate, total_steps=cloning.steps, pct_start=warmup),
        clip=cloning.clip,
        progress=progress,
        checkpoints=checkpoints,
        name=f"policy of width {hidden}",
    ).run()
    return network.eval(), last_tenth(losses)


def step_loss(network: ToyTransformer, rows: Rows, chosen: Ids) -> torch.Tensor:
    """Mean loss over the target tokens of some examples, in nats; equal ones are computed once."""
    distinct, counts = np.unique(rows.place[chosen], return_counts=True)
    width = int(rows.ends[distinct].max())
    ids = rows.ids[distinct, :width]
    columns = np.arange(width)
    # A token is predicted at the place before it.
    target = (columns >= rows.starts[distinct, None]) & (columns < rows.ends[distinct, None])
    places = np.flatnonzero(target)
    weights = np.repeat(counts, target.sum(axis=1)).astype(np.float32)
    scores = network(torch.from_numpy(ids), torch.from_numpy(places - 1))
    losses = cross_entropy(scores, torch.from_numpy(ids.reshape(-1)[places]), reduction="none")
    return (losses * torch.from_numpy(weights)).sum() / float(weights.sum())


def batches(lengths: Ids, size: int, order: np.random.Generator) -> Iterator[Ids]:
    """Endless batches of places, reshuffled in each pass, of similar lengths within a batch."""
    for taken in map(np.array, stream(range(len(lengths)), size * _SORTED_TOGETHER, order)):
        by_length = taken[np.argsort(lengths[taken], kind="stable")].reshape(_SORTED_TOGETHER, size)
        yield from by_length[order.permutation(_SORTED_TOGETHER)]
