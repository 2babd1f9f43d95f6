"""Optimizers by name, as experiments ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch.optim import Optimizer

from harness.method import ProblemError
from methods.lora_rite.altlora import AltLora
from methods.lora_rite.baselines import Lamb, LoraPlus, MatrixAdagrad, ScaledAdam, ScaledGD, Shampoo
from methods.lora_rite.lars import Lars
from methods.lora_rite.optimizer import LoraRite
from methods.lora_rite.pairs import Pair

Maker = Callable[[list[Pair], float, bool], Optimizer]
"""From pairs, rate and whether all regularisation is off (``plain``) to the optimizer."""


def _tensors(pairs: Sequence[Pair]) -> list[Any]:
    return [factor for pair in pairs for factor in (pair.a, pair.b)]


def rite(kind: type[LoraRite], **options: Any) -> Maker:
    """Makes LoRA-RITE, or a variant of it."""

    def make(pairs: list[Pair], rate: float, plain: bool) -> Optimizer:  # noqa: FBT001
        exact = {"eps": 0.0, "clip": 0.0, "skip": 0.0} if plain else {}
        return kind(pairs, rate, **{**exact, **options})

    return make


def _by_pair(kind: Callable[..., Optimizer], **exact: Any) -> Maker:
    def make(pairs: list[Pair], rate: float, plain: bool) -> Optimizer:  # noqa: FBT001
        return kind(pairs, rate, **(exact if plain else {}))

    return make


def _by_tensor(kind: Callable[..., Optimizer], **exact: Any) -> Maker:
    def make(pairs: list[Pair], rate: float, plain: bool) -> Optimizer:  # noqa: FBT001
        return kind(_tensors(pairs), lr=rate, **(exact if plain else {}))

    return make


MAKERS: dict[str, Maker] = {
    "rite": rite(LoraRite),
    "rite-no-mass": rite(LoraRite, mass=False),
    "rite-sum": rite(LoraRite, betas=(0.0, 0.0), second="sum", rows=False, clip=0.0, skip=0.0),
    "matrix-adagrad": _by_pair(MatrixAdagrad),
    "adam": _by_tensor(torch.optim.Adam, eps=1e-12),
    "lora-plus": _by_pair(LoraPlus, eps=1e-12),
    "scaled-adam": _by_pair(ScaledAdam, eps=0.0, ridge=0.0),
    "shampoo": _by_tensor(Shampoo, eps=0.0, beta=0.0, every=1, decay=1.0),
    "lamb": _by_tensor(Lamb, eps=0.0),
    "lars": _by_tensor(Lars, momentum=0.0),
    "alt-lora": _by_pair(AltLora, ridge=0.0),
    "muon": _by_tensor(partial(torch.optim.Muon, weight_decay=0.0)),
    "gd": _by_tensor(torch.optim.SGD),
    "scaled-gd": _by_pair(ScaledGD),
    "rmsprop": _by_tensor(torch.optim.RMSprop, eps=1e-12),
    "adagrad": _by_tensor(torch.optim.Adagrad, eps=1e-12),
}
"""``rite-sum`` is the paper's theoretical form: no momentum, summed second moment. ``muon`` orthogonalises
the momentum of each factor by itself."""


def make_optimizer(name: str, pairs: list[Pair], rate: float, *, plain: bool = False) -> Optimizer:
    """The optimizer called ``name`` over LoRA pairs.

    Args:
        name: A key of :data:`MAKERS`.
        pairs: What to train.
        rate: Learning rate; of A, where factors differ.
        plain: No clipping, skipping or momentum of a baseline, and the smallest ε: the bare rules
            of which the paper's theory speaks.

    Raises:
        ProblemError: If there is no such optimizer.
    """
    if name not in MAKERS:
        raise ProblemError(
            f"There is no optimizer '{name}'", where="optimizer", fix=f"Choose one of {', '.join(MAKERS)}."
        )
    return MAKERS[name](pairs, rate, plain)
