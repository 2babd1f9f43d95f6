"""State-wise behaviour cloning of toy policies: −log π(a* | s), summed over target tokens (card §3.4).

Agents of all sizes and from all data are trained until the same rule says that they have settled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints, ProblemError
from methods.common.checkpoints import skipped
from methods.common.examples import stream
from methods.common.loop import Loop, last_tenth
from methods.rest_react.compact import KINDS, PAD, VOCABULARY, Compact
from methods.rest_react.muon import Muon
from methods.rest_react.toy_transformer import CONTEXT, REPLY, Shape, ToyTransformer
from methods.rest_react.training_data import StepExample

_SORTED_TOGETHER = 4
"""Batches whose examples are sorted by length, to save padding."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Cloning:
    """How to train: Muon with AdamW, at full rate until the loss has settled, then at a falling one.

    The loss has settled once its mean over ``window`` updates lies less than ``least`` below that of as many
    updates before. The rate then falls to 0 in a straight line, over ``cooling`` times the updates so far.

    Attributes:
        steps: Updates, at most: where nothing has settled, the rate falls in time for this number.
        batch: Examples an update.
        rate: Largest learning rate.
        warmup: Updates of warm-up, at most a quarter of those at full rate.
        decay: Weight decay.
        clip: Largest norm of the gradient.
        window: Updates that the loss is averaged over.
        least: Fall of the loss from window to window with which training goes on, in nats a target token.
        cooling: Updates with a falling rate, for each update before.
    """

    steps: int = 1000
    batch: int = 64
    rate: float = 4e-3
    warmup: int = 50
    decay: float = 0.01
    clip: float = 1.0
    window: int = 100
    least: float = 0.03
    cooling: float = 0.3

    @property
    def full(self) -> int:
        """Updates at full rate, at most."""
        return max(1, int(self.steps / (1 + self.cooling)))


@dataclass(frozen=True)
class Fit:
    """How a training went.

    Attributes:
        loss: Mean of the last tenth of the updates, in nats a target token.
        updates: How many there were.
        fall: How much the loss still fell from window to window when the rate began to; NaN if there were
            not two windows by then.
    """

    loss: float
    updates: int
    fall: float


class Settling:
    """Says from the losses so far at which rate training goes on, and when it is over.

    Args:
        cloning: The rule.
    """

    def __init__(self, cloning: Cloning) -> None:
        self._rule = cloning
        self._losses: list[float] = []
        self._settled: int | None = None

    def heard(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss of the next update, noted."""
        self._losses.append(float(loss.detach()))
        done = len(self._losses)
        if self._settled is None and (done >= self._rule.full or self._flat(done)):
            self._settled = done
        return loss

    def _flat(self, done: int) -> bool:
        # A comparison with NaN is false: before two windows nothing has settled.
        return done % self._rule.window == 0 and self._fall(done) < self._rule.least

    def _fall(self, done: int) -> float:
        width = self._rule.window
        if done < 2 * width:
            return math.nan
        last = np.mean(self._losses[done - width : done])
        return float(np.mean(self._losses[done - 2 * width : done - width]) - last)

    @property
    def fall(self) -> float:
        """Of the loss when it was taken to have settled; NaN before."""
        return math.nan if self._settled is None else self._fall(self._settled)

    def factor(self, done: int) -> float:
        """Of the largest rate, for the update after ``done`` ones."""
        warmup = max(1, min(self._rule.warmup, self._rule.full // 4))
        if self._settled is None:
            return min(1.0, (done + 1) / warmup)
        return max(0.0, 1.0 - (done - self._settled + 1) / (self._cooling(self._settled) + 1))

    def _cooling(self, settled: int) -> int:
        return min(math.ceil(self._rule.cooling * settled), self._rule.steps - settled)

    def over(self) -> bool:
        """Whether the rate has come down."""
        settled = self._settled
        return settled is not None and len(self._losses) >= settled + self._cooling(settled)

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints."""
        return {"losses": self._losses, "settled": self._settled}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self._losses, self._settled = list(state["losses"]), state["settled"]


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
) -> tuple[ToyTransformer, Fit]:
    """A network from scratch.

    Args:
        rows: What to learn.
        hidden: Width.
        cloning: How.
        generator: Draws the first weights.
        order: Draws the order of the examples.
        progress: Called now and then with the share of the most updates done.
        checkpoints: Where the state is kept.

    Returns:
        The network in evaluation mode, and how its training went.

    Raises:
        DivergedError: If the loss is not finite.
    """
    network = ToyTransformer(Shape(len(VOCABULARY), hidden, pivots=KINDS), generator)
    settling = Settling(cloning)
    losses = Loop(
        Muon(network.matrices, network.others, rate=cloning.rate, decay=cloning.decay),
        # The order depends on nothing but the generator's initial state.
        partial(skipped, batches(rows.ends[rows.place], cloning.batch, order)),
        lambda chosen: settling.heard(step_loss(network, rows, chosen)),
        cloning.steps,
        schedule=partial(LambdaLR, lr_lambda=settling.factor),
        clip=cloning.clip,
        stop=settling.over,
        progress=progress,
        checkpoints=checkpoints,
        name=f"policy of width {hidden}",
        also={"settling": settling},
    ).run()
    return network.eval(), Fit(last_tenth(losses), len(losses), settling.fall)


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
