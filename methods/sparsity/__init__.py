"""Activation sparsity and Top-k transformers (Li et al., 2023, "The Lazy Neuron Phenomenon").

Every MLP block of every model here is :class:`ReluMlp`, f(x) = V · select(σ(Kᵀx)), where the
selection is an :class:`Activation` of ``methods.sparsity.activation``: ``Relu()``, ``TopK(16)`` and
others. What a block's second layer sees is counted at that place, exactly::

    from methods.sparsity import ActivationCounter, TopK, VisionTransformer, VitSize

    model = VisionTransformer(VitSize(layers=3), activation=TopK(16), generator=generator)
    with ActivationCounter(model) as counter:
        logits = model(images)  # images (B, channels, side, side)
    counts = counter.take()  # and starts again at zero
    counts.nnz_percent, counts.nnz_percents, counts.layers[0].rates, counts.layers[0].percentile(95)

``activation`` and ``sizes`` import no PyTorch, so declarations may name them. What is named here is
imported when it is first used (types are in the stub beside this file): declarations of experiments
live in this package, too, and a fingerprint follows imports.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "ActivationCounter": "counting",
    "Counts": "counting",
    "DecoderLm": "text_models",
    "EncoderDecoder": "text_models",
    "LmSize": "sizes",
    "Mixer": "mixer",
    "MixerSize": "sizes",
    "MlpSize": "sizes",
    "PretrainedCounter": "hooks",
    "Relu": "activation",
    "ReluMlp": "mlp",
    "SparseSecondLayer": "sparse_layer",
    "TopK": "activation",
    "TwoLayer": "two_layer",
    "VisionTransformer": "vit",
    "VitSize": "sizes",
    "top_k": "topk",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
