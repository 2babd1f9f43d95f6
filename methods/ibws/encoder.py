"""An encoder with a scalar head, trained to rank texts.

Shapes: B texts in a batch, T tokens, d hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints, ProblemError
from methods.common.checkpoints import skipped
from methods.common.fixed_batches import fixed_batches
from methods.common.loop import Loop
from methods.common.minilm import Encoder, mean_pooled
from methods.ibws.designs import Floats
from methods.ibws.ranking import standardised


class ScalarHead(nn.Module):
    """An encoder whose mean-pooled output a linear layer maps to one score."""

    def __init__(self, encoder: nn.Module, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(width, 1)
        # Drawn with NumPy, so that the start is the same on every device.
        self.head.weight.data = torch.as_tensor(rng.normal(0, 0.02, (1, width)), dtype=torch.float32)
        nn.init.zeros_(self.head.bias)

    def forward(self, **tokens: Tensor) -> Tensor:
        """Scores, shape (B,)."""
        hidden = self.encoder(**tokens).last_hidden_state
        scores: Tensor = self.head(mean_pooled(hidden, tokens["attention_mask"])).squeeze(-1)
        return scores


def mse_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean squared error of the scores."""
    return (scores - labels).square().mean()


def pairwise_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean of log(1 + exp(-(f_i - f_j))) over pairs with label i > label j."""
    return _mean_over_pairs(nn.functional.softplus(-_differences(scores)), labels)


def margin_loss(scores: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Mean of max(0, m - (f_i - f_j)) over pairs with label i > label j."""
    return _mean_over_pairs((margin - _differences(scores)).clamp(min=0), labels)


def listnet_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy from the softmax of the labels to the softmax of the scores (ListNet)."""
    return -(labels.softmax(0) * scores.log_softmax(0)).sum()


def _differences(scores: Tensor) -> Tensor:
    return scores[:, None] - scores[None, :]


def _mean_over_pairs(values: Tensor, labels: Tensor) -> Tensor:
    ordered = labels[:, None] > labels[None, :]
    # A batch of equal labels orders nothing; its loss is 0 but keeps its graph.
    return (values * ordered).sum() / ordered.sum().clamp(min=1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": mse_loss,
    "pairwise": pairwise_loss,
    "margin": margin_loss,
    "listnet": listnet_loss,
}


@dataclass(frozen=True)
class Training:
    """How a ranker is trained.

    Attributes:
        loss: ``mse``, ``pairwise``, ``margin`` or ``listnet``.
        epochs: Passes over the training texts.
        batch: Texts in a batch.
        rate: Peak learning rate of AdamW; it rises over the first tenth of the steps, then falls
            linearly.
        decay: Weight decay.
        longest: Tokens after which a text is cut.
    """

    loss: str = "pairwise"
    epochs: int = 3
    batch: int = 32
    rate: float = 5e-5
    decay: float = 0.01
    longest: int = 128


def train_ranker(
    encoder: Encoder,
    texts: Sequence[str],
    labels: Floats,
    training: Training,
    rng: np.random.Generator,
    *,
    device: str,
    progress: Callable[[float, str], None],
    checkpoints: Checkpoints | None = None,
) -> ScalarHead:
    """Fine-tune all weights of ``encoder`` and a new head.

    Args:
        encoder: Changed in place; give a private copy.
        texts: m texts.
        labels: Shape (m,); z-scored here.
        training: The recipe.
        rng: Start of the head and order of the texts.
        device: Where to train.
        progress: Told the share of steps done and the loss.
        checkpoints: Where the state is kept.

    Raises:
        DivergedError: If the loss is not finite.
        ProblemError: If the loss is unknown.
    """
    if training.loss not in LOSSES:
        raise ProblemError(
            f"There is no loss '{training.loss}'", where="loss", fix=f"Use one of {', '.join(LOSSES)}."
        )
    model = ScalarHead(encoder.model, encoder.model.config.hidden_size, rng).to(device).train()
    steps = training.epochs * -(-len(texts) // training.batch)
    targets = torch.tensor(standardised(labels), dtype=torch.float32, device=device)

    def loss(chosen: NDArray[np.intp]) -> Tensor:
        tokens = _tokens(encoder.tokenizer, [texts[i] for i in chosen], training.longest, device)
        return LOSSES[training.loss](model(**tokens), targets[torch.as_tensor(chosen, device=device)])

    Loop(
        torch.optim.AdamW(model.parameters(), lr=training.rate, weight_decay=training.decay),
        # The order depends on nothing but the generator's state after the head was drawn.
        partial(skipped, _batches(len(texts), training, rng)),
        loss,
        steps,
        schedule=partial(LambdaLR, lr_lambda=lambda step: _warm_then_linear(step, steps)),
        clip=1.0,
        progress=progress,
        checkpoints=checkpoints,
        name="ranker",
    ).run()
    return model.eval()


def score_texts(
    model: ScalarHead, tokenizer: Any, texts: Sequence[str], *, batch: int, longest: int
) -> Floats:
    """Scores of texts, shape (t,)."""
    device = model.head.weight.device
    scores = np.zeros(len(texts))
    lengths = [len(row) for row in tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]]
    with torch.inference_mode():
        for part in fixed_batches(lengths, batch, device=device.type, room=longest):
            tokens = _tokens(tokenizer, part.of(texts), part.width, device, filled=True)
            found = model(**tokens).double().cpu().numpy()
            scores[list(part.chosen)] = found[: len(part.chosen)]
    return scores


def _warm_then_linear(step: int, steps: int) -> float:
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else (steps - step) / max(1, steps - warm)


def _batches(size: int, training: Training, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    for _ in range(training.epochs):
        order = rng.permutation(size)
        yield from (order[start : start + training.batch] for start in range(0, size, training.batch))


def _tokens(
    tokenizer: Any, texts: list[str], longest: int, device: str | torch.device, *, filled: bool = False
) -> dict[str, Tensor]:
    padding = "max_length" if filled else "longest"
    encoded = tokenizer(texts, padding=padding, truncation=True, max_length=longest, return_tensors="pt")
    return {name: value.to(device) for name, value in encoded.items()}
