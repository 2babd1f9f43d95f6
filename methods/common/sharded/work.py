"""What processes that share a model are given: data and functions that can be pickled, no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import safe_open

from harness.method import ProblemError
from methods.common.examples import Example
from methods.common.lora import ALL, add_lora, layers_of, lora_parameters
from methods.common.placing import LARGE
from methods.common.training import Loss, Recipe, token_loss


@dataclass(frozen=True, kw_only=True)
class Work:
    """One training. Functions are those of modules, or partial ones of these, so that they can be pickled.

    Attributes:
        load: Gives the model on the CPU; processes call it one after the other, so that the host holds one
            whole model at a time.
        trained: From the model to what is trained, by name, in a fixed order. What it adds to the model
            (adapters, soft prompts) is small and stays whole in every process; the model's own weights are
            divided.
        optimizer: From pairs of name and parameter to an optimizer. One that looks at more than a number
            of a divided weight at a time goes through :class:`methods.common.sharded.gathered.Gathered`.
        examples: What to learn.
        recipe: How. Early stopping and packed rows are not for models in parts.
        order: Draws the order of the examples, in its initial state.
        pad: Id to fill rows with.
        seed: Of dropout, from which each process has a stream of its own.
        loss: As of :func:`methods.common.training.fit`.
        compute: ``"bfloat16"`` gathers weights and computes in it, while the parts of float32 weights, sums
            of gradients and the optimizer stay float32; ``"stored"`` computes in the types that are loaded.
        at_once: Examples of one pass on one device, at most; 0 takes all of a draw.
        recompute: Whether layers are computed again in the backward pass.
        anchor: L2-SP: so many times the squared distance of divided weights from where they started joins
            the loss.
        threads: CPU threads of each process.

    Raises:
        ProblemError: If the recipe asks for what is not for models in parts.
    """

    load: Callable[[], Any]
    trained: Callable[[Any], dict[str, torch.nn.Parameter]]
    optimizer: Callable[[Sequence[tuple[str, torch.nn.Parameter]]], torch.optim.Optimizer]
    examples: Sequence[Example]
    recipe: Recipe
    order: np.random.Generator
    pad: int
    seed: int
    loss: Loss = token_loss
    compute: Literal["stored", "bfloat16"] = "stored"
    at_once: int = 0
    recompute: bool = True
    anchor: float = 0.0
    threads: int = 1

    def __post_init__(self) -> None:
        recipe = self.recipe
        if recipe.pack or recipe.patience:
            raise ProblemError(
                "A model in parts is trained for all its steps, on rows of one example",
                where="Work",
                fix="Leave out pack and patience, or train on one device.",
            )
        if recipe.keep == "best" and not recipe.every:
            raise ProblemError(
                "Keeping the best weights needs scores on the way",
                where="Work",
                fix="Set `every` in the recipe.",
            )

    @property
    def plan(self) -> list[Any]:
        """What it is, as JSON data: a checkpoint of other work is refused."""
        recipe = self.recipe
        tokens = sum(len(example.prompt) + len(example.target) for example in self.examples)
        numbers = [
            recipe.steps,
            recipe.batch,
            recipe.accumulate,
            recipe.warmup,
            recipe.clip,
            recipe.smoothing,
        ]
        looks = [recipe.every, recipe.keep, self.anchor]
        return [*numbers, recipe.schedule, *looks, self.compute, len(self.examples), tokens, self.seed]


def all_weights(model: Any) -> dict[str, torch.nn.Parameter]:
    """Full fine-tuning: every weight is trained."""
    model.requires_grad_(requires_grad=True)
    return dict(model.named_parameters())


def adapters(
    model: Any, *, rank: int, alpha: float, generator: torch.Generator, roles: Sequence[str] = ALL
) -> dict[str, torch.nn.Parameter]:
    """Low-rank adapters, drawn as on one device; all other weights stay frozen.

    Args:
        model: Of ``transformers``; changed in place.
        rank: Of the factors.
        alpha: Scale times rank.
        generator: Draws the factors. It is left as it is: every call, in every process, draws the same.
        roles: Layers that get adapters, as in :mod:`methods.common.lora`.
    """
    add_lora(model, layers_of(model, roles), rank, alpha, generator.clone_state())
    factors = set(map(id, lora_parameters(model)))
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) in factors}


def is_stored_large(folder: Path) -> bool:
    """Whether training has to spare memory, of a model that is not loaded; see ``methods.common.placing``."""
    found = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            found += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return found >= LARGE
