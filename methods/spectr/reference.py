"""Reference computation of a pair's distributions: the whole text at once, without a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from methods.common.causal_lm import probabilities
from methods.spectr.hidden_mlp import HiddenMLP, HiddenWeights
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
        draft: A ``Checkpoint``, an ``NGram`` or ``HiddenWeights``, whose law is the one at the beginning of
            a block.
        device: Where the models run.
        sampling: Temperature and nucleus of both.
        dtype: Type of weights and activations; probabilities are float32 in any case.
    """
    large = target.model(device, dtype)
    small = None if isinstance(draft, NGram | HiddenWeights) else draft.model(device, dtype)

    def laws_of(text: list[int], places: Tensor) -> tuple[Tensor, Tensor]:
        q = model_laws(large, text, places, sampling)
        if small is not None:
            return model_laws(small, text, places, sampling), q
        if isinstance(draft, HiddenWeights):
            return hidden_laws(draft.on(large), large, text, places, sampling), q
        p = torch.stack([draft.law(text[:place]) for place in places.tolist()])
        return p.to(device), q

    return laws_of


@torch.inference_mode()
def model_laws(model: Any, text: list[int], places: Tensor, sampling: tuple[float, float]) -> Tensor:
    """The distributions (n, V) of the tokens at ``places`` given all tokens before each."""
    hidden = _read(model, text)
    before = places.to(model.device) - 1
    cap = getattr(model.config, "final_logit_softcapping", None)
    laws = []
    for part in torch.split(hidden[before], CHUNK):
        logits = model.get_output_embeddings()(part)
        logits = torch.tanh(logits / cap) * cap if cap else logits
        laws.append(probabilities(logits, temperature=sampling[0], top_p=sampling[1]))
    return torch.cat(laws)


@torch.inference_mode()
def hidden_laws(
    network: HiddenMLP, model: Any, text: list[int], places: Tensor, sampling: tuple[float, float]
) -> Tensor:
    """The distributions (n, V) of a network at ``places``, if a block began at each."""
    states = torch.nn.functional.pad(_read(model, text), (0, 0, 1, 0))
    ids = torch.tensor([0, *text], device=states.device)
    here = places.to(states.device)
    logits = network.logits(states[here - 1], torch.zeros_like(here), ids[here], ids[here - 1])
    law = probabilities(logits, temperature=sampling[0], top_p=sampling[1])
    return law.new_zeros((len(law), network.width)).index_copy_(1, network.ids, law)


def _read(model: Any, text: list[int]) -> Tensor:
    """The last hidden states of a text, shape (T, D)."""
    ids = torch.tensor([text], device=model.device)
    hidden: Tensor = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    return hidden
