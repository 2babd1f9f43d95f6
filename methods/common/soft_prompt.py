"""Soft prompts (Lester et al. 2021, arXiv:2104.08691): trained vectors before the input.

Our own thin module, and not ``peft``: two-stage methods freeze a prompt, train the model under it
and drop it for other inputs, and one batch may hold several prompts. The tests compare it with
``peft``'s prompt tuning.

The vectors live in the space that the model's input embeddings give (so with Gemma's scale), enter
the encoder of an encoder-decoder or the beginning of a causal model's row, take the first p
positions and are seen by every token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.draws import fill_uniform
from methods.common.examples import Batch
from methods.common.forward import Model, summed_loss, target_logits


class SoftPrompt(nn.Module):
    """p trained vectors.

    Attributes:
        weight: Shape (p, d), float32.
    """

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        if length < 0 or width < 1:
            raise ProblemError(f"A soft prompt cannot have {length} vectors of width {width}")
        self.weight = nn.Parameter(torch.zeros(length, width))

    def forward(self) -> Tensor:
        """The vectors, shape (p, d)."""
        return self.weight


def from_tokens(model: Model, tokens: list[int]) -> SoftPrompt:
    """A soft prompt that reads exactly like the given tokens."""
    layer = model.get_input_embeddings()
    ids = torch.tensor(tokens, dtype=torch.long, device=layer.weight.device)
    with torch.no_grad():
        return _with(layer(ids))


def from_vocabulary(
    model: Model, length: int, rng: np.random.Generator, *, among: int | None = None
) -> SoftPrompt:
    """Starts at the embeddings of ``length`` different tokens, drawn at random.

    Args:
        model: The language model.
        length: p.
        rng: Draws the tokens.
        among: Draw among the first so many ids (in most vocabularies the commonest); all if None.

    Raises:
        ProblemError: If there are fewer tokens than vectors.
    """
    size = min(among or len(model.get_input_embeddings().weight), len(model.get_input_embeddings().weight))
    if length > size:
        raise ProblemError(
            f"{length} different tokens cannot be drawn from {size}", fix="Shorten the prompt."
        )
    return from_tokens(model, rng.choice(size, size=length, replace=False).tolist())


def uniform(model: Model, length: int, generator: torch.Generator, bound: float = 0.5) -> SoftPrompt:
    """Starts uniformly within ±``bound``, the default of the public prompt-tuning code."""
    layer = model.get_input_embeddings()
    values = fill_uniform(torch.empty(length, layer.weight.shape[1]), -bound, bound, generator)
    return _with(values.to(layer.weight.device))


def prompted_loss(prompt: SoftPrompt) -> Callable[[Model, Batch, float], Tensor]:
    """The loss of :func:`~methods.common.training.fit` with the prompt before each input.

    Whether prompt, model or both are trained depends on the optimizer's parameters alone.
    """

    def loss(model: Model, batch: Batch, smoothing: float) -> Tensor:
        return summed_loss(target_logits(model, batch, prompt()), batch.gold, smoothing)

    return loss


def own_prompt_loss(
    prompts: Mapping[str, SoftPrompt], group: Callable[[str], str]
) -> Callable[[Model, Batch, float], Tensor]:
    """As :func:`prompted_loss`, each example with the prompt of its own group (task).

    Args:
        prompts: Of equal length, by group.
        group: From an example's id to its group.
    """
    order = list(prompts)

    def loss(model: Model, batch: Batch, smoothing: float) -> Tensor:
        stack = torch.stack([prompts[name]() for name in order])
        chosen = stack[[order.index(group(name)) for name in batch.names]]
        return summed_loss(target_logits(model, batch, chosen), batch.gold, smoothing)

    return loss


def _with(values: Tensor) -> SoftPrompt:
    prompt = SoftPrompt(*values.shape)
    prompt.weight = nn.Parameter(values.detach().float().clone())
    return prompt
