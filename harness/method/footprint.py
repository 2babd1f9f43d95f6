"""What a model takes on GPUs, part by part, and how many of them it needs.

Decimal GB. A part is an estimate from the model's shape and what is done with it; the sum is told with a
margin. See :mod:`harness.method.sizes` for the single number that a declaration limits a trial to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.errors import SuiteError
from harness.method.references import Resource
from harness.method.shapes import Shape
from harness.method.sizes import FIXED_GB, MARGIN

GB = 1e9
MOST_GPUS = 64
"""More are not counted: a model that needs them does not fit by sharding alone."""
_MASTER = 4.0
"""A weight in float32, for each trained number that is held in fewer bits."""
_MOMENTS = 8.0
"""AdamW's two moments in float32."""
_WHOLE = 20.0
"""A number of a matrix that is updated as a whole: weight, gradient, and three more of its size."""
_FEW_BITS = 2.0
"""Bytes of what is computed with."""
_LOGIT = 10.0
"""A logit in 16 bits, and its copy and gradient in float32."""

Kind = Literal["inference", "adapter", "prompt", "full"]


@dataclass(frozen=True, kw_only=True)
class Use:
    """What an arm does with a model.

    Attributes:
        model: The model, whose ``config.json`` gives its shape.
        kind: ``"inference"``, or what is trained: low-rank adapters, a soft prompt, or all weights.
        rank: Of adapters.
        everywhere: Adapters on all linear layers; else on queries and values.
        length: Vectors of a soft prompt.
        optimizer: What trains it.
        weight_bytes: Bytes of a weight: 2 for bfloat16, 4 for float32.
        rows: Examples in one forward pass.
        tokens: Of a row, prompt and answer.
        targets: Tokens of a row whose logits are computed.
        passes: Forward and backward passes of one update.
        checkpointed: Whether layers are computed again in the backward pass.

    Raises:
        SuiteError: If a size is not positive, or what is trained has none.
    """

    model: Resource
    kind: Kind = "inference"
    rank: int = 0
    everywhere: bool = True
    length: int = 0
    optimizer: Literal["adam", "adafactor"] = "adam"
    weight_bytes: float = 2.0
    rows: int = 1
    tokens: int = 512
    targets: int = 32
    passes: int = 1
    checkpointed: bool = True

    def __post_init__(self) -> None:
        lacking = {"adapter": self.rank < 1, "prompt": self.length < 1}.get(self.kind, False)
        if lacking or min(self.rows, self.tokens, self.targets, self.passes) < 1 or self.weight_bytes <= 0:
            raise SuiteError(
                f"The use of '{self.model.name}' as '{self.kind}' has a size that is not positive",
                where="Use",
                fix="Adapters need rank, prompts length; rows, tokens, targets and passes are 1 or more.",
            )

    def trained(self, shape: Shape) -> int:
        """Trained numbers."""
        if self.kind == "adapter":
            return shape.adapter(self.rank, everywhere=self.everywhere)
        return {"full": shape.parameters, "prompt": self.length * shape.width}.get(self.kind, 0)


@dataclass(frozen=True)
class Footprint:
    """Memory on one GPU that holds everything, by part, in GB.

    Attributes:
        parameters: Of the model.
        weights: Of the model, and of what is trained beside it.
        gradients: Of trained numbers, with their sum over several passes.
        optimizer: Its states, and float32 copies of weights in fewer bits.
        activations: What one pass keeps until its backward pass is done, logits included.
    """

    parameters: int
    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All parts, with a margin for fragmentation and what a process holds on a GPU besides."""
        return MARGIN * (self.weights + self.gradients + self.optimizer + self.activations) + FIXED_GB


def footprint(shape: Shape, use: Use) -> Footprint:
    """The memory of a use, by part.

    With P parameters, T trained numbers, w bytes of a weight and A passes of an update (Rajbhandari et al.
    2020, section 3, for mixed precision; adapters and prompts are float32)::

        weights   = w P + 4 T          (T beside the model; nothing where T is the model itself)
        gradients = g T + 4 T [A > 1 and g < 4]          g: bytes of a trained weight
        optimizer = 8 T + 4 T [g < 4]                    AdamW: two moments; copies in float32
                  ≈ 8 T / width + 4 T [g < 4]            Adafactor: sums over rows and columns
        activations = tokens · (layers · s + targets' share of 10 V)
                    = tokens · (layers · 2 width + s + …)           with layers computed again

    and s of :meth:`harness.method.shapes.Shape.saved_bytes`. Inference keeps keys and values instead.
    """
    trained, full = use.trained(shape), use.kind == "full"
    bytes_each = use.weight_bytes if full else _MASTER
    small = bytes_each < _MASTER
    states = _MOMENTS if use.optimizer == "adam" else 2 * _MASTER / shape.width
    return Footprint(
        parameters=shape.parameters,
        weights=(use.weight_bytes * shape.parameters + (0.0 if full else _MASTER * trained)) / GB,
        gradients=trained * (bytes_each + (_MASTER if small and use.passes > 1 else 0.0)) / GB,
        optimizer=trained * (states + (_MASTER if small else 0.0)) / GB,
        activations=activations(shape, use, use.rows) / GB,
    )


def activations(shape: Shape, use: Use, rows: int) -> float:
    """Bytes that a pass over ``rows`` rows keeps; see :func:`footprint`."""
    tokens = rows * use.tokens
    logits = rows * use.targets * shape.vocabulary
    if use.kind == "inference":
        # Four tensors of each width that live at once in one layer, keys and values of all layers, and
        # the logits of the last tokens. What an encoder reads is kept by the decoder's layers.
        live = _FEW_BITS * 4 * (shape.width + shape.ffn)
        cache = 2 * _FEW_BITS * shape.layers * shape.kv_heads * shape.head_dim
        return tokens * (cache + live) + rows * shape.vocabulary * _LOGIT
    each = shape.saved_bytes(use.tokens)
    layers = each + _FEW_BITS * shape.width * shape.stacked if use.checkpointed else each * shape.stacked
    return tokens * layers + logits * _LOGIT


def on_each(shape: Shape, use: Use, gpus: int) -> float:
    """GB on each of ``gpus`` GPUs that share a model.

    The model is divided; in full training its float32 weights, their gradients and states. Adapters and
    prompts are whole everywhere, with all of theirs. A process that trains gathers two layers at a time in
    16 bits, and the embeddings (Zhao et al. 2023, section 3), and takes its part of the rows, at least one.
    Once these are gone, Adafactor gathers one matrix at a time, of which the embeddings are the largest.
    """
    whole = footprint(shape, use)
    if gpus == 1:
        return whole.total
    if use.kind == "inference":
        return MARGIN * (whole.weights / gpus + whole.activations) + FIXED_GB
    full, trained = use.kind == "full", use.trained(shape)
    own = trained * (2 * _MASTER + (_MOMENTS if use.optimizer == "adam" else 2 * _MASTER / shape.width)) / GB
    state = own / gpus if full else own + use.weight_bytes * shape.parameters / GB / gpus
    gathered = _FEW_BITS * (2 * shape.largest_block + shape.embeddings * (2 if full else 1)) / GB
    passing = activations(shape, use, math.ceil(use.rows / gpus)) / GB + gathered
    matrix = shape.vocabulary * (shape.embedded or shape.width)
    updating = _WHOLE * matrix / GB if full and use.optimizer == "adafactor" else 0.0
    return MARGIN * (state + max(passing, updating)) + FIXED_GB


def gpus_needed(shape: Shape, use: Use, gpu_gb: float) -> int | None:
    """The fewest GPUs of ``gpu_gb`` GB that hold a use; None where :data:`MOST_GPUS` do not."""
    counts = range(1, MOST_GPUS + 1)
    return next((count for count in counts if on_each(shape, use, count) <= gpu_gb), None)
