"""Losses over the candidates of a query (card, section 3.5): the positive is candidate 0.

Arguments: student scores s and teacher scores t, shape (Q, n + 1); each loss is a mean over queries.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from torch import Tensor
from torch.nn.functional import kl_div, log_softmax, softmax

LossName: TypeAlias = Literal["one-hot", "kl", "margin-mse"]


def one_hot(s: Tensor) -> Tensor:
    """Softmax cross-entropy on the positive."""
    return -log_softmax(s, dim=-1)[:, 0].mean()


def kl(s: Tensor, t: Tensor, temperature: float = 1.0) -> Tensor:
    """KL(softmax(t/T) ‖ softmax(s/T)) over positive and negatives."""
    # kl_div(x, y) is KL(y ‖ exp x), and its "mean" would divide by the candidates, too.
    return kl_div(log_softmax(s / temperature, -1), softmax(t / temperature, -1), reduction="batchmean")


def margin_mse(s: Tensor, t: Tensor) -> Tensor:
    """Mean over negatives of ((s₀ − sᵢ) − (t₀ − tᵢ))²."""
    return (((s[:, :1] - s[:, 1:]) - (t[:, :1] - t[:, 1:])) ** 2).mean()


def loss_of(name: LossName, s: Tensor, t: Tensor) -> Tensor:
    """The loss called ``name``."""
    if name == "one-hot":
        return one_hot(s)
    return kl(s, t) if name == "kl" else margin_mse(s, t)
