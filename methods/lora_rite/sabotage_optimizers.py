"""LoRA-RITE with one part broken, for :mod:`methods.lora_rite.sabotage`; size, cost and state stay."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.lora_rite.optimizer import LoraRite


class Untransported(LoraRite):
    """Moments are not carried over as the partner's basis turns: P is taken to be I."""

    def transport(self, turn: Tensor) -> Tensor:
        """The identity, but 0 at the first step."""
        started = turn.abs().amax((1, 2)) > 0
        unit = torch.eye(turn.shape[-1], dtype=turn.dtype, device=turn.device)
        return started[:, None, None] * unit


class Misaligned(LoraRite):
    """Steps are mapped back from another basis than the one in which they were computed.

    The columns of M are shifted by one before M R^(−ᵀ), so steps keep their size in the partner's
    basis and lose their direction.
    """

    def back(self, inverse: Tensor) -> Tensor:
        """R^(−ᵀ) with its rows shifted, which is equivalent to shifting the columns of M."""
        return inverse.mT.roll(1, dims=-2)


class Uneven(LoraRite):
    """One factor takes sixteen times the steps of the other, relative to their sizes."""

    def back(self, inverse: Tensor) -> Tensor:
        """R^(−ᵀ), four times as large for the pairs' second half and a quarter for the first."""
        found = super().back(inverse)
        half = len(found) // 2
        return torch.cat([found[:half] / 4.0, found[half:] * 4.0])
