"""Fine-tuning of language models, small and exact.

The ``Trainer`` of ``transformers`` was considered. This is here because the experiments need
what it does not give: an optimizer that is handed in (the subject of one of the papers), the exact
mean over target tokens under gradient accumulation, order and evaluation drawn from the trial's
own generators, evaluation by any function in the middle of training, and little overhead on
models whose step takes milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints, ProblemError, affordable
from methods.common.checkpoints import skipped
from methods.common.examples import Batch, Example, collate, pack, stream
from methods.common.forward import Model, is_encoder_decoder, summed_loss, target_logits
from methods.common.loop import Best, Loop
from methods.common.master_weights import in_float32
from methods.common.placing import FEW, is_large, recomputing

Loss = Callable[[Model, Batch, float], Tensor]
"""From model, batch and label smoothing to the loss *summed* over the batch's target tokens."""


@dataclass(frozen=True)
class Recipe:
    """How long and how to train; the optimizer carries the rate.

    Attributes:
        steps: Updates.
        batch: Examples that are drawn together.
        accumulate: Such draws an update.
        at_once: Examples in one forward pass, at most; 0 takes a whole draw, or a few where the
            model is large. It spares memory; the mean over target tokens is the same.
        warmup: Updates of linear warm-up.
        schedule: What the rate does after warm-up, until ``steps``.
        clip: Largest global norm of the gradient; 0 switches clipping off.
        smoothing: Label smoothing.
        every: Validate (and watch) each so many updates; 0 means never.
        watch_every: Watch each so many updates instead, a divisor of ``every``; 0 watches when it validates.
        watch_until: Watch so often until validation has given this score, and when it validates from then on.
        enough: Stop when validation gives this score, the highest that there is: nothing later could be
            kept in place of what has it; None never stops.
        patience: Stop after so many validations without a better score; 0 means never.
        keep: Which weights remain: the last ones, or those of the best validation.
        later: Of equally good validations the latest is the best, not the earliest: where all may be at
            zero, the earliest is no training at all.
        pack: Tokens of a row that several examples share (causal models only); 0 gives each
            example a row of its own.
    """

    steps: int
    batch: int
    accumulate: int = 1
    warmup: int = 0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    clip: float = 0.0
    smoothing: float = 0.0
    every: int = 0
    patience: int = 0
    keep: Literal["last", "best"] = "last"
    pack: int = 0
    at_once: int = 0
    later: bool = False
    watch_every: int = 0
    watch_until: float = math.inf
    enough: float | None = None

    def rate(self, step: int) -> float:
        """Factor on the rate in update ``step``, counted from 0; never 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        if self.schedule == "linear":
            return 1.0 - share
        return 0.5 * (1.0 + math.cos(math.pi * share)) if self.schedule == "cosine" else 1.0


@dataclass
class History:
    """What happened in training.

    Attributes:
        losses: Mean loss of each update in nats a target token, before the update (with label
            smoothing, if there is any).
        scores: Validation scores by update, 0 being before the first.
        best_step: The update with the best validation score (the earliest of equals).
    """

    losses: list[float] = field(default_factory=list)
    scores: dict[int, float] = field(default_factory=dict)
    best_step: int = 0

    @property
    def steps(self) -> int:
        """Updates done."""
        return len(self.losses)

    @property
    def best(self) -> float:
        """The best validation score; minus infinity without validation."""
        return self.scores.get(self.best_step, -math.inf)


@dataclass
class _Run:
    """One call of :func:`fit`, with all that it holds; a part of its checkpoints."""

    model: Model
    optimizer: torch.optim.Optimizer
    recipe: Recipe
    loss: Loss
    pad: int
    validate: Callable[[], float] | None
    watch: Callable[[int], None] | None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.device = self.parameters[0].device
        self.separate = is_encoder_decoder(self.model)
        self.at_once = self.recipe.at_once or (FEW if is_large(self.model) else 0)
        self.best = Best(self.parameters if self.recipe.keep == "best" else ())

    def state_dict(self) -> dict[str, Any]:
        """What validation has found."""
        found = {"scores": self.history.scores, "best_step": self.history.best_step}
        return {**found, "best": self.best.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self.history.scores, self.history.best_step = state["scores"], state["best_step"]
        self.best.load_state_dict(state["best"])


def token_loss(model: Model, batch: Batch, smoothing: float) -> Tensor:
    """Cross-entropy of the target tokens in nats, summed: the default :data:`Loss`."""
    return summed_loss(target_logits(model, batch), batch.gold, smoothing)


def fit(
    model: Model,
    optimizer: torch.optim.Optimizer,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    rng: np.random.Generator,
    pad: int,
    loss: Loss | None = None,
    validate: Callable[[], float] | None = None,
    watch: Callable[[int], None] | None = None,
    progress: Callable[[float, str], None] = lambda _done, _message: None,
    checkpoints: Checkpoints | None = None,
    name: str = "training",
    also: Mapping[str, Any] | None = None,
) -> History:
    """Train the parameters that ``optimizer`` holds; the model changes in place.

    Each update descends on the mean loss of a target token over *all* its accumulated batches. A killed
    training that is called again (``rng`` in the same initial state) goes on as if it had not stopped.

    Args:
        model: A language model of ``transformers``, left in evaluation mode.
        optimizer: Over the parameters to be trained, at its full rate.
        examples: What to learn.
        recipe: How.
        rng: Draws the order of the examples.
        pad: Id to fill rows with.
        loss: Another loss than :func:`token_loss`, for example with a soft prompt.
        validate: Gives a score, higher being better; called each ``recipe.every`` updates, after
            the last one, and before the first.
        watch: Called with the number of updates done: at 0, as often as the recipe says, and at the end.
        progress: Called now and then with the share done and the loss.
        checkpoints: Where the state is kept.
        name: Of this training, for its checkpoints.
        also: Other state that changes with training, such as that of ``watch``.

    Raises:
        DivergedError: If the loss is not finite; names the step, the examples and the last score.
        ProblemError: If something needed for the recipe is missing.
    """
    _check(recipe, validate, optimizer, separate=is_encoder_decoder(model))
    run = _Run(model, in_float32(optimizer), recipe, loss or token_loss, pad, validate, watch)
    with _only_trained(run):
        run.history.losses = Loop(
            run.optimizer,
            _order(examples, recipe, rng, name),
            lambda chunks: _losses(run, chunks),
            recipe.steps,
            schedule=partial(LambdaLR, lr_lambda=recipe.rate),
            clip=recipe.clip,
            watch=lambda done: _look(run, done),
            stop=lambda: _is_over(run),
            progress=progress,
            checkpoints=checkpoints,
            name=name,
            also={"looks": run, "order": rng, **(also or {})},
            where=lambda chunks: _where(run, chunks),
        ).run()
    return run.history


@contextmanager
def _only_trained(run: _Run) -> Iterator[None]:
    """Gradients for exactly the optimizer's parameters; all is left as it was, but for weights."""
    before = {p: p.requires_grad for p in (*run.model.parameters(), *run.parameters)}
    rates = [group["lr"] for group in run.optimizer.param_groups]
    for parameter in run.model.parameters():
        parameter.requires_grad_(requires_grad=False)
    for parameter in run.parameters:
        parameter.requires_grad_(requires_grad=True)
    run.model.train()
    try:
        with recomputing(run.model):
            yield
    finally:
        run.model.eval()
        run.optimizer.zero_grad()
        for group, rate in zip(run.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
            group.pop("initial_lr", None)
        for parameter, needed in before.items():
            parameter.requires_grad_(requires_grad=needed)


def _order(
    examples: Sequence[Example], recipe: Recipe, rng: np.random.Generator, name: str
) -> Callable[[int], Iterator[list[list[Example]]]]:
    """From a number of updates to the draws of those that follow."""
    start = rng.bit_generator.state

    def after(done: int) -> Iterator[list[list[Example]]]:
        # The order of the examples depends on nothing but the generator's initial state.
        kept, rng.bit_generator.state = rng.bit_generator.state, start
        order = skipped(stream(examples, recipe.batch, rng), done * recipe.accumulate)
        if rng.bit_generator.state != kept:
            raise ProblemError(
                "Something else draws from the generator of the order, so the training cannot go on",
                where=name,
                fix="Give `fit` a generator of its own.",
            )
        return ([next(order) for _ in range(recipe.accumulate)] for _ in count())

    return after


def _losses(run: _Run, chunks: Sequence[list[Example]]) -> Iterator[Tensor]:
    """The mean loss of a target token in an update, in summands of one forward pass each."""
    tokens = sum(len(example.target) for chunk in chunks for example in chunk)
    for chunk in chunks:
        size = affordable(run.at_once or len(chunk))
        for start in range(0, len(chunk), size):
            batch = _batch(run, chunk[start : start + size])
            yield run.loss(run.model, batch, run.recipe.smoothing) / tokens


def _batch(run: _Run, chunk: Sequence[Example]) -> Batch:
    if run.recipe.pack:
        return pack(chunk, run.recipe.pack, run.pad, run.device)
    return collate(chunk, run.pad, run.device, separate=run.separate)


def _look(run: _Run, done: int) -> None:
    """Validate and watch the model as it is now, in evaluation mode."""
    history, recipe = run.history, run.recipe
    # The best score is a part of checkpoints, so that a training that goes on looks at the same updates.
    often = recipe.watch_every and history.best < recipe.watch_until
    if not recipe.every or (done % (recipe.watch_every if often else recipe.every) and done != recipe.steps):
        return
    validating = not done % recipe.every or done == recipe.steps
    run.model.eval()
    if run.validate and validating:
        score = history.scores[done] = float(run.validate())
        if run.best.offer(score, later=recipe.later):
            history.best_step = done
    if run.watch:
        run.watch(done)
    if recipe.keep == "best" and (done == recipe.steps or (validating and _is_over(run))):
        run.best.put_back()
    run.model.train()


def _is_over(run: _Run) -> bool:
    """Whether patience is at an end, or nothing better can come."""
    history, recipe = run.history, run.recipe
    if recipe.enough is not None and history.best >= recipe.enough:
        return True
    since = sum(1 for step in history.scores if step > history.best_step)
    return bool(recipe.patience) and since >= recipe.patience


def _where(run: _Run, chunks: Sequence[list[Example]]) -> str:
    """Names the examples of an update, and the last validation score."""
    names = [example.id for chunk in chunks for example in chunk]
    scores = run.history.scores
    last = max(scores, default=None)
    score = "none" if last is None else f"{scores[last]:.4g} after step {last}"
    return f"examples {', '.join(names[:8])}{' …' if len(names) > 8 else ''}; last validation score: {score}"


def _check(
    recipe: Recipe, validate: Callable[[], float] | None, optimizer: torch.optim.Optimizer, *, separate: bool
) -> None:
    needs = recipe.keep == "best" or recipe.patience
    if needs and (validate is None or not recipe.every):
        raise ProblemError(
            "Keeping the best weights or stopping early needs validation",
            fix="Give `validate`, and set `every` in the recipe.",
        )
    if min(recipe.batch, recipe.accumulate) < 1 or min(recipe.steps, recipe.at_once) < 0:
        raise ProblemError(f"The recipe asks for nothing that can be done: {recipe}")
    if recipe.watch_every and recipe.every % recipe.watch_every:
        raise ProblemError(
            "Validation falls between two looks", fix="Let `watch_every` divide `every` in the recipe."
        )
    if recipe.pack and separate:
        raise ProblemError("Examples of an encoder-decoder cannot share rows", fix="Set `pack` to 0.")
    if not any(group["params"] for group in optimizer.param_groups):
        raise ProblemError("The optimizer holds no parameters", fix="Build it over what is to be trained.")
