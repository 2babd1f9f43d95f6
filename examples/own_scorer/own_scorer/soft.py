"""The scorer itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from methods.lite.scorers import Scorer


class SoftMaxSim(Scorer):
    """Σᵢ log Σⱼ exp(β Sᵢⱼ) / β for cosines S: MaxSim in the limit of a large β, which is learnt."""

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.tensor(sharpness).log())

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """Scores, shape (...), of S, shape (..., L1, L2); the masks are zero at padding."""
        sharpness = self.log_sharpness.exp()
        mass = (torch.exp(sharpness * (s - 1)) * d_mask.unsqueeze(-2)).sum(-1)
        return ((1 + mass.clamp(min=1e-10).log() / sharpness) * q_mask).sum(-1)
