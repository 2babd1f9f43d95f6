"""One small, exact training loop for fine-tuning.

The ``Trainer`` of ``transformers`` was considered. This loop is here because the experiments need
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
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from harness.method import Checkpoints, DivergedError, ProblemError
from methods.common.checkpoints import Keeper, skipped
from methods.common.examples import Batch, Example, collate, pack, stream
from methods.common.forward import Model, is_encoder_decoder, summed_loss, target_logits
from methods.common.master_weights import MasterWeights, clip, in_float32
from methods.common.placing import FEW, is_large, recomputing


class Optimizer(Protocol):
    """What the loop asks of an optimizer; every ``torch.optim.Optimizer`` has it."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Change the parameters by their gradients."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def state_dict(self) -> dict[str, Any]:
        """All state, parameters excluded."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state again."""


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
        patience: Stop after so many validations without a better score; 0 means never.
        keep: Which weights remain: the last ones, or those of the best validation.
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
        steps: Updates done.
    """

    losses: list[float] = field(default_factory=list)
    scores: dict[int, float] = field(default_factory=dict)
    best_step: int = 0
    steps: int = 0

    @property
    def best(self) -> float:
        """The best validation score; minus infinity without validation."""
        return self.scores.get(self.best_step, -math.inf)


@dataclass
class _Run:
    """One call of :func:`fit`, with all that it holds."""

    model: Model
    optimizer: Optimizer
    recipe: Recipe
    loss: Loss
    pad: int
    batches: Iterator[list[Example]]
    rng: np.random.Generator
    validate: Callable[[], float] | None
    watch: Callable[[int], None] | None
    progress: Callable[[float, str], None] | None
    history: History = field(default_factory=History)
    best: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.device = self.parameters[0].device
        self.separate = is_encoder_decoder(self.model)
        self.at_once = self.recipe.at_once or (FEW if is_large(self.model) else 0)


def token_loss(model: Model, batch: Batch, smoothing: float) -> Tensor:
    """Cross-entropy of the target tokens in nats, summed: the default :data:`Loss`."""
    return summed_loss(target_logits(model, batch), batch.gold, smoothing)


def fit(
    model: Model,
    optimizer: Optimizer,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    rng: np.random.Generator,
    pad: int,
    loss: Loss | None = None,
    validate: Callable[[], float] | None = None,
    watch: Callable[[int], None] | None = None,
    progress: Callable[[float, str], None] | None = None,
    checkpoints: Checkpoints | None = None,
    name: str = "training",
    also: Mapping[str, Any] | None = None,
) -> History:
    """Train the parameters that ``optimizer`` holds; the model changes in place.

    Each update descends on the mean loss of a target token over *all* its accumulated batches,
    for bfloat16 weights through float32 copies. A killed training that is called again with the
    same arguments (``rng`` in the same initial state) goes on exactly as if it had not stopped.

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
        watch: Called with the number of updates done: at 0, each ``recipe.every``, and at the end.
        progress: Called now and then with the share done and the loss.
        checkpoints: Where the state is kept.
        name: Of this training, for its checkpoints.
        also: Other state that changes with training, such as that of ``watch``: objects with
            ``state_dict`` and ``load_state_dict``.

    Raises:
        DivergedError: If the loss is not finite; names the step, the examples and the last score.
        ProblemError: If something needed for the recipe is missing.
    """
    _check(recipe, validate, optimizer, separate=is_encoder_decoder(model))
    run = _Run(
        model=model,
        optimizer=in_float32(optimizer),
        recipe=recipe,
        loss=loss or token_loss,
        pad=pad,
        batches=stream(examples, recipe.batch, rng),
        rng=rng,
        validate=validate,
        watch=watch,
        progress=progress,
    )
    with _only_trained(run):
        _train(run, _taken_up(run, checkpoints, name, also or {}))
    return run.history


@contextmanager
def _only_trained(run: _Run) -> Iterator[None]:
    """Gradients for exactly the optimizer's parameters; all is left as it was, but for weights."""
    before = {p: p.requires_grad for p in (*run.model.parameters(), *run.parameters)}
    for parameter in run.model.parameters():
        parameter.requires_grad_(requires_grad=False)
    for parameter in run.parameters:
        parameter.requires_grad_(requires_grad=True)
    try:
        with recomputing(run.model):
            yield
    finally:
        run.model.eval()
        run.optimizer.zero_grad()
        for group, rate in zip(run.optimizer.param_groups, run.rates, strict=True):
            group["lr"] = rate
        for parameter, needed in before.items():
            parameter.requires_grad_(requires_grad=needed)


def _train(run: _Run, keeper: Keeper) -> None:
    if keeper.finished:
        return
    if not keeper.done:
        _look(run)
    recipe, history = run.recipe, run.history
    while history.steps < recipe.steps and not _patience_is_over(run):
        if not run.model.training:
            run.model.train()
        history.losses.append(_update(run))
        history.steps += 1
        if recipe.every and (history.steps % recipe.every == 0 or history.steps == recipe.steps):
            _look(run)
        keeper.keep(history.steps, {"history": vars(history), "best": run.best})
        if run.progress and history.steps % 20 == 0:
            run.progress(history.steps / recipe.steps, f"loss {history.losses[-1]:.3f}")
    if recipe.keep == "best":
        with torch.no_grad():
            for parameter, best in zip(run.parameters, run.best, strict=True):
                parameter.copy_(best)
    run.best = []
    keeper.finish(history.steps, {"history": vars(history)}, without=["optimizer"])


def _update(run: _Run) -> float:
    """One update.

    Returns:
        The mean loss of a target token.
    """
    recipe, step = run.recipe, run.history.steps
    chunks = [next(run.batches) for _ in range(recipe.accumulate)]
    tokens = sum(len(example.target) for chunk in chunks for example in chunk)
    run.optimizer.zero_grad()
    total = 0.0
    passes = _passes(chunks, run.at_once)
    for chunk in passes:
        batch = _batch(run, chunk)
        loss = run.loss(run.model, batch, recipe.smoothing) / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        value = loss.item()
        if not math.isfinite(value):
            raise _diverged(run, batch)
        total += value
        if len(passes) > 1 and isinstance(run.optimizer, MasterWeights):
            run.optimizer.collect()
    if recipe.clip:
        clip(run.optimizer, run.parameters, recipe.clip)
    for group, rate in zip(run.optimizer.param_groups, run.rates, strict=True):
        group["lr"] = rate * recipe.rate(step)
    run.optimizer.step()
    return total


def _passes(chunks: Sequence[list[Example]], at_once: int) -> list[list[Example]]:
    """What each forward pass reads."""
    if not at_once:
        return list(chunks)
    return [chunk[i : i + at_once] for chunk in chunks for i in range(0, len(chunk), at_once)]


def _batch(run: _Run, chunk: Sequence[Example]) -> Batch:
    if run.recipe.pack:
        return pack(chunk, run.recipe.pack, run.pad, run.device)
    return collate(chunk, run.pad, run.device, separate=run.separate)


def _look(run: _Run) -> None:
    """Validate and watch the model as it is now, in evaluation mode."""
    history, recipe = run.history, run.recipe
    run.model.eval()
    if run.validate and recipe.every:
        score = float(run.validate())
        first = not history.scores
        history.scores[history.steps] = score
        if first or score > history.best:
            history.best_step = history.steps
            if recipe.keep == "best":
                # On the host: a second copy of a large model does not fit beside the first.
                run.best = [parameter.detach().to("cpu", copy=True) for parameter in run.parameters]
    if run.watch and recipe.every:
        run.watch(history.steps)


def _patience_is_over(run: _Run) -> bool:
    since = sum(1 for step in run.history.scores if step > run.history.best_step)
    return bool(run.recipe.patience) and since >= run.recipe.patience


def _taken_up(run: _Run, checkpoints: Checkpoints | None, name: str, also: Mapping[str, Any]) -> Keeper:
    """Go on where a checkpoint was written, if there is one."""
    start = run.rng.bit_generator.state
    parts = {"weights": run.parameters, "optimizer": run.optimizer, "order": run.rng, **also}
    keeper = Keeper(checkpoints, name, parts, [run.rates, run.recipe.steps, run.recipe.batch])
    if keeper.done:
        run.history = History(**keeper.notes["history"])
        run.best = keeper.notes.get("best", [])
    if not keeper.finished:
        # The order of the examples depends on nothing but the generator's initial state.
        kept = run.rng.bit_generator.state
        run.rng.bit_generator.state = start
        skipped(run.batches, keeper.done * run.recipe.accumulate)
        if run.rng.bit_generator.state != kept:
            raise ProblemError(
                "Something else draws from the generator of the order, so the training cannot go on",
                where=name,
                fix="Give `fit` a generator of its own.",
            )
    return keeper


def _diverged(run: _Run, batch: Batch) -> DivergedError:
    history = run.history
    last = max(history.scores, default=None)
    score = "none" if last is None else f"{history.scores[last]:.4g} after step {last}"
    return DivergedError(
        f"The loss of step {history.steps + 1} is not finite; last validation score: {score}",
        where=f"examples {', '.join(batch.names[:8])}{' …' if len(batch.names) > 8 else ''}",
        fix="Lower the learning rate, warm up longer, or clip the gradient.",
    )


def _check(
    recipe: Recipe, validate: Callable[[], float] | None, optimizer: Optimizer, *, separate: bool
) -> None:
    needs = recipe.keep == "best" or recipe.patience
    if needs and (validate is None or not recipe.every):
        raise ProblemError(
            "Keeping the best weights or stopping early needs validation",
            fix="Give `validate`, and set `every` in the recipe.",
        )
    if min(recipe.batch, recipe.accumulate) < 1 or min(recipe.steps, recipe.at_once) < 0:
        raise ProblemError(f"The recipe asks for nothing that can be done: {recipe}")
    if recipe.pack and separate:
        raise ProblemError("Examples of an encoder-decoder cannot share rows", fix="Set `pack` to 0.")
    if not any(group["params"] for group in optimizer.param_groups):
        raise ProblemError("The optimizer holds no parameters", fix="Build it over what is to be trained.")
