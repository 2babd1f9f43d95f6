"""Reference computation of a pair's distributions: the whole text at once, without a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from methods.common.causal_lm import probabilities
from methods.spectr.ngram import NGram

if TYPE_CHECKING:
    from methods.spectr.scoring import LawsOf

CHUNK = 32
"""Places whose distributions are formed at once, to bound memory at large vocabularies."""


def pair_laws(
    target: Any, draft: Any, device: str, sampling: tuple[float, float], *, dtype: str = "float32"
) -> LawsOf:
    """A function from a text and places in it to p and q there.

    Args:
        target: A ``Checkpoint``.
        draft: A ``Checkpoint`` or an ``NGram``.
        device: Where the models run.
        sampling: Temperature and nucleus of both.
        dtype: Type of weights and activations; probabilities are float32 in any case.
    """
    large = target.model(device, dtype)
    small = None if isinstance(draft, NGram) else draft.model(device, dtype)

    def laws_of(text: list[int], places: Tensor) -> tuple[Tensor, Tensor]:
        q = model_laws(large, text, places, sampling)
        if small is not None:
            return model_laws(small, text, places, sampling), q
        p = torch.stack([draft.law(text[:place]) for place in places.tolist()])
        return p.to(device), q

    return laws_of


@torch.inference_mode()
def model_laws(model: Any, text: list[int], places: Tensor, sampling: tuple[float, float]) -> Tensor:
    """The distributions (n, V) of the tokens at ``places`` given all tokens before each."""
    ids = torch.tensor([text], device=model.device)
    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    before = places.to(model.device) - 1
    cap = getattr(model.config, "final_logit_softcapping", None)
    laws = []
    for part in hidden[before].split(CHUNK):
        logits = model.get_output_embeddings()(part)
        logits = torch.tanh(logits / cap) * cap if cap else logits
        laws.append(probabilities(logits, temperature=sampling[0], top_p=sampling[1]))
    return torch.cat(laws)
