"""How much memory a model needs on the computing device, from its size and what is done with it.

Estimates for declarations: they decide what is left out before it starts, and what shares a GPU, where
they are limits. A trial that needs more than half of its GPU is never stopped for using more.
"""

from __future__ import annotations

from typing import Literal

Mode = Literal["inference", "adapter", "full"]

MARGIN = 1.1
"""Fragmentation, and buffers that nobody counts."""
FIXED_GB = 1.0
"""The CUDA context, and the libraries' workspaces."""
ADAPTER_SHARE = 0.01
"""Trained numbers of adapters (LoRA of rank 16 on all linear layers, soft prompts) by those of the model."""
_MASTER_BYTES = 4.0
"""Weights in float32, for each trained number that is held in fewer bits."""
_SUM_BYTES = 4.0
"""Gradients of the passes until now in float32, for each such number, where an update takes several."""
_STATE_BYTES = {"adam": 8.0, "adafactor": 0.0}
"""Optimizers' states for each trained number: two moments in float32, or sums over rows and columns."""
_LAYER_BYTES = 34.0
"""Kept for the backward pass, for each token, unit of width and layer (Korthikanti et al. 2022, section 4,
without attention scores, which fused attention does not keep; in 16 bits)."""
_LOGIT_BYTES = 10.0
"""Logits in 16 bits, and their copy and gradient in float32."""


def model_gb(
    billions: float,
    mode: Mode = "inference",
    *,
    optimizer: Literal["adam", "adafactor"] = "adam",
    weight_bytes: float = 2.0,
    passes: int = 1,
    copies: int = 1,
    beside_gb: float = 0.0,
) -> float:
    """Memory in GB for a model of ``billions`` · 10⁹ parameters.

    Args:
        billions: Parameters.
        mode: ``"inference"``: the weights. ``"adapter"``: the weights, and gradients and the optimizer's
            states for an adapter. ``"full"``: those of all weights.
        optimizer: What trains it.
        weight_bytes: Bytes of a weight: 2 for bfloat16, 4 for float32.
        passes: Forward and backward passes of one update.
        copies: How many models of this size are held at once (a reference beside the trained one).
        beside_gb: Activations, caches and logits: see :func:`activations_gb`.
    """
    if billions <= 0 or copies < 1:
        raise ValueError(f"A model needs parameters and a copy, not {billions} and {copies}")
    weights = billions * weight_bytes * copies
    share = {"inference": 0.0, "adapter": ADAPTER_SHARE, "full": 1.0}[mode]
    # Weights in float32 are their own master weights, and their gradients are summed where they are.
    master = _MASTER_BYTES + (_SUM_BYTES if passes > 1 else 0.0) if weight_bytes < _MASTER_BYTES else 0.0
    training = billions * share * (weight_bytes + master + _STATE_BYTES[optimizer])
    return round(MARGIN * (weights + training + beside_gb) + FIXED_GB, 1)


def activations_gb(
    tokens: int, *, width: int, layers: int, vocabulary: int = 0, checkpointed: bool = False
) -> float:
    """Memory in GB that the tokens of one batch take until the backward pass is done.

    Args:
        tokens: Of all rows of the batch together.
        width: Of the model.
        layers: Encoder and decoder together.
        vocabulary: Logits are over it; 0 if they are not kept.
        checkpointed: Whether layers are computed again in the backward pass: then each keeps its input,
            and one layer at a time everything.
    """
    one_layer = tokens * width * _LAYER_BYTES
    kept = one_layer + tokens * width * 2.0 * layers if checkpointed else one_layer * layers
    return (kept + tokens * vocabulary * _LOGIT_BYTES) / 1e9
