"""A draft that looks at the target's last hidden state: a small network over frequent token ids.

Before a block the target has read all of the context but its last token. The network sees the target's
hidden state there, how many tokens came since, and the last two tokens; it gives probabilities to some
frequent ids and none to the others. All of this is a function of the prefix, as the law needs it.

Shapes: N contexts, D hidden size of the target, F frequent ids, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from methods.common.draws import generator, integers, normal, permutation
from methods.common.loop import Loop

LAGS = 4
"""Tokens since the hidden state that are told apart; more count as the most."""
_KEPT = 1e-6


@dataclass(frozen=True)
class HiddenMLP:
    """Weights of the network.

    Attributes:
        width: Vocabulary size V of the target.
        ids: Frequent token ids, shape (F,).
        output: The target's output embeddings of those ids, shape (F, D); they stay as they are.
        embeddings: The target's input embeddings, shape (V, D).
        weights: ``first`` (H, 3 D + LAGS), ``bias`` (H,), ``second`` (D, H), ``direct`` (D, 3 D + LAGS).
    """

    width: int
    ids: Tensor
    output: Tensor
    embeddings: Tensor
    weights: dict[str, Tensor]

    def logits(self, hidden: Tensor, lag: Tensor, last: Tensor, before: Tensor) -> Tensor:
        """Logits of the frequent ids, shape (N, F).

        Args:
            hidden: The target's last hidden state before ``lag`` + 1 tokens, shape (N, D).
            lag: Shape (N,).
            last: The last token, shape (N,).
            before: The token before it, shape (N,).
        """
        told = torch.nn.functional.one_hot(lag.clamp(max=LAGS - 1), LAGS)
        seen = (hidden, self.embeddings[last], self.embeddings[before])
        inputs = torch.cat([*(_scaled(part.float()) for part in seen), told], dim=1).to(self.output.dtype)
        inner = torch.nn.functional.gelu(inputs @ self.weights["first"].T + self.weights["bias"])
        state = inner @ self.weights["second"].T + inputs @ self.weights["direct"].T
        return state @ self.output.T


@dataclass(frozen=True)
class HiddenWeights:
    """What was trained, without the target's embeddings.

    Attributes:
        ids: Frequent token ids, shape (F,).
        weights: As in :class:`HiddenMLP`.
    """

    ids: Tensor
    weights: dict[str, Tensor]
    _networks: list[tuple[Any, HiddenMLP]] = field(default_factory=list, repr=False, compare=False)

    def on(self, model: Any) -> HiddenMLP:
        """The network on a target of ``transformers``, in its type; made once for each."""
        for known, network in self._networks:
            if known is model:
                return network
        output = model.get_output_embeddings().weight
        ids = self.ids.to(output.device)
        weights = {name: tensor.to(output.device, output.dtype) for name, tensor in self.weights.items()}
        embeddings = model.get_input_embeddings().weight
        network = HiddenMLP(len(output), ids, output[ids], embeddings, weights)
        self._networks.append((model, network))
        return network

    def save(self, path: Path) -> None:
        """Save as safetensors."""
        from safetensors.torch import save_file

        save_file({"ids": self.ids, **self.weights}, path)


def load_hidden_weights(path: Path) -> HiddenWeights:
    """Read what :meth:`HiddenWeights.save` wrote."""
    from safetensors.torch import load_file

    weights = load_file(path)
    return HiddenWeights(weights.pop("ids"), weights)


@dataclass(frozen=True)
class Lesson:
    """How to train.

    Attributes:
        inner: Units of the inner layer.
        rounds: Times that each context is seen, each time with another lag.
        batch: Contexts an update.
        rate: Largest learning rate of Adam; it falls to zero.
        seed: Of first weights, order and lags.
    """

    inner: int = 1024
    rounds: int = 8
    batch: int = 256
    rate: float = 1e-3
    seed: int = 0


def train_hidden_mlp(
    windows: Tensor,
    hidden: Tensor,
    ids: Tensor,
    model: Any,
    lesson: Lesson,
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> HiddenWeights:
    """Fit the network to the target's own probabilities of the frequent ids.

    Args:
        windows: Token ids of texts, shape (W, T).
        hidden: The target's last hidden states there, shape (W, T, D).
        ids: Frequent token ids, shape (F,).
        model: The target, of ``transformers``.
        lesson: How to train.
        progress: Told the share that is done.
    """
    rng = generator(lesson.seed)
    network, weights = _untrained(ids, model, hidden.shape[2], lesson.inner, rng)
    length = windows.shape[1]
    places = len(windows) * (length - LAGS)
    updates = places // lesson.batch

    def batches(_done: int) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(lesson.rounds):
            order = permutation(places, rng, device=hidden.device)
            for part in torch.split(order, lesson.batch)[:updates]:
                yield part, integers(LAGS, (len(part),), rng, device=hidden.device)

    def loss(batch: tuple[Tensor, Tensor]) -> Tensor:
        part, lag = batch
        row, place = part // (length - LAGS), part % (length - LAGS) + LAGS
        with torch.no_grad():
            # The hidden state at the last token is what the target predicts the next one from.
            wanted = torch.softmax(hidden[row, place].float() @ network.output.T, dim=1)
        logits = network.logits(
            hidden[row, place - 1 - lag], lag, windows[row, place], windows[row, place - 1]
        )
        return torch.nn.functional.cross_entropy(logits, wanted)

    steps = lesson.rounds * updates
    Loop(
        torch.optim.Adam(weights.values(), lr=lesson.rate, fused=True),
        batches,
        loss,
        steps,
        schedule=lambda adam: torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps),
        progress=lambda share, _: progress(share),
        name="draft over the hidden state",
    ).run()
    for tensor in weights.values():
        tensor.requires_grad = False
    return HiddenWeights(ids, {name: tensor.cpu() for name, tensor in weights.items()})


def _untrained(
    ids: Tensor, model: Any, size: int, inner: int, rng: torch.Generator
) -> tuple[HiddenMLP, dict[str, Tensor]]:
    """The network on a target, and the weights of it that learn, where the target is."""
    # The target's own weights stay as they are, whether or not they want gradients.
    output = model.get_output_embeddings().weight.detach()
    embeddings = model.get_input_embeddings().weight.detach()
    first = _first_weights(size, inner, rng)
    weights = {name: tensor.to(output.device).requires_grad_() for name, tensor in first.items()}
    some = ids.to(output.device)
    return HiddenMLP(len(output), some, output[some].float(), embeddings, weights), weights


def _first_weights(size: int, inner: int, rng: torch.Generator) -> dict[str, Tensor]:
    inputs = 3 * size + LAGS
    return {
        "first": normal((inner, inputs), rng) / inputs**0.5,
        "bias": torch.zeros(inner),
        "second": normal((size, inner), rng) / inner**0.5,
        "direct": normal((size, inputs), rng) / inputs**0.5,
    }


def _scaled(values: Tensor) -> Tensor:
    return values * torch.rsqrt(values.square().mean(1, keepdim=True) + _KEPT)
