"""The second layer of an MLP block, reading only the rows of active neurons.

The result equals the dense product up to the rounding of another order of summation. Rows are
gathered and added up in one pass (``embedding_bag``), without a copy of the gathered rows.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from harness.method import ProblemError


class SparseSecondLayer:
    """V a + b from the active entries of a, for inference on CPU and CUDA."""

    def __init__(self, layer: nn.Linear) -> None:
        """Copy a second layer's weights, so that the weights of a neuron lie side by side.

        Args:
            layer: Its weight is V, shape (d_out, d_ff).
        """
        self.rows = layer.weight.detach().mT.contiguous()
        bias: Tensor | None = layer.bias
        self.bias = None if bias is None else bias.detach().clone()

    @torch.no_grad()
    def __call__(self, a: Tensor) -> Tensor:
        """The output for activation maps with any number of active entries.

        Args:
            a: Shape (..., d_ff).

        Returns:
            Shape (..., d_out).

        Raises:
            ProblemError: If ``a`` has another width than the layer.
        """
        if a.shape[-1] != len(self.rows):
            raise ProblemError(f"Activations of width {a.shape[-1]} do not fit {len(self.rows)} neurons")
        width = a.shape[-1]
        flat = a.reshape(-1)
        places = _active(flat)
        starts = torch.searchsorted(places, torch.arange(0, len(flat), width, device=a.device))
        out = embedding_bag(
            places % width, self.rows, starts, mode="sum", per_sample_weights=flat.index_select(0, places)
        )
        return self._biased(out).reshape(*a.shape[:-1], -1)

    @torch.no_grad()
    def padded(self, values: Tensor, neurons: Tensor) -> Tensor:
        """The output where each token names the same number of entries, as Top-k gives them.

        Args:
            values: Entries of a, zero where a slot is not needed, shape (..., k).
            neurons: The neurons that they belong to, each at most once a token, shape (..., k).

        Returns:
            Shape (..., d_out).
        """
        k = values.shape[-1]
        out = embedding_bag(
            neurons.reshape(-1, k), self.rows, mode="sum", per_sample_weights=values.reshape(-1, k)
        )
        return self._biased(out).reshape(*values.shape[:-1], -1)

    def _biased(self, out: Tensor) -> Tensor:
        return out if self.bias is None else out + self.bias


def _active(flat: Tensor) -> Tensor:
    """Places of non-zero entries in ascending order, shape (n,)."""
    if flat.is_cuda or flat.dtype not in (torch.float32, torch.float64):
        return flat.nonzero().squeeze(-1)
    # On a CPU NumPy finds them in a third of the time.
    return torch.from_numpy(np.flatnonzero(flat.numpy(force=True) != 0))
