"""LoRA-RITE with one part broken; size, cost and state are unchanged."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.lora_rite.optimizer import LoraRite


class Untransported(LoraRite):
    """Moments are not carried over as the partner's basis turns: P is taken to be I."""

    def transport(self, basis: Tensor, previous: Tensor) -> Tensor:
        """The identity, but 0 at the first step."""
        started = previous.abs().amax((1, 2), keepdim=True) > 0
        unit = torch.eye(basis.shape[-1], dtype=basis.dtype, device=basis.device)
        return unit.expand(len(basis), -1, -1) * started


class Misaligned(LoraRite):
    """Steps are mapped back from another basis than the one in which they were computed.

    The columns of M are shifted by one before M R^(−ᵀ), so steps keep their size in the partner's
    basis and lose their direction.
    """

    def back(self, moment: Tensor, inverse: Tensor) -> Tensor:
        """M with its columns shifted, mapped back."""
        return moment.roll(1, dims=-1) @ inverse.mT
