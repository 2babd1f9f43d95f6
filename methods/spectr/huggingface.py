"""Assisted generation of ``transformers``, as an independent arm of single-draft decoding."""

from __future__ import annotations

from copy import copy
from typing import Any

import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from methods.spectr.decoding import Trace
from methods.spectr.ngram import NGram
from methods.spectr.sessions import Sampling


class NGramConfig(PretrainedConfig):
    """Configuration of :class:`NGramForCausalLM`: the vocabulary size only."""

    model_type = "ngram"

    def __init__(self, vocab_size: int = 0, **rest: Any) -> None:
        super().__init__(**rest)
        self.vocab_size = vocab_size


class NGramForCausalLM(PreTrainedModel, GenerationMixin):
    """An :class:`~methods.spectr.ngram.NGram` behind the interface of ``transformers``."""

    config_class = NGramConfig
    _is_stateful = False

    def __init__(self, ngram: NGram) -> None:
        super().__init__(NGramConfig(vocab_size=ngram.width))
        self.ngram = ngram
        # The base class asks its parameters for device and type.
        self.anchor = torch.nn.Parameter(torch.zeros(1), requires_grad=False)
        self.generation_config = GenerationConfig()

    def forward(self, input_ids: torch.Tensor, **_: Any) -> CausalLMOutput:
        """Log-probabilities of the token after the last one, shape (1, 1, V)."""
        law = torch.stack([self.ngram.law(row) for row in input_ids.tolist()])
        return CausalLMOutput(logits=law.clamp(min=torch.finfo(law.dtype).tiny).log().unsqueeze(1))

    def _prepare_cache_for_generation(self, *_: Any, **__: Any) -> bool:
        # The base class would size a cache by layers, of which there are none.
        return False

    def prepare_inputs_for_generation(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> dict[str, Any]:
        """The whole text; there is no cache."""
        return {"input_ids": input_ids}


def assisted(
    target: Any, draft: Any, prompts: list[list[int]], *, length: int, tokens: int, sampling: Sampling
) -> list[Trace]:
    """Decode each prompt with ``generate(assistant_model=…)``.

    Draws from the global generator of PyTorch, since ``generate`` offers no other.

    Args:
        target: The large model.
        draft: The small model, also of ``transformers``.
        prompts: Token ids.
        length: L, kept constant (no confidence threshold, no schedule).
        tokens: New tokens a prompt.
        sampling: Temperature and nucleus.

    Returns:
        One trace a prompt. Blocks are not reported by ``generate``: only their number is exact,
        and the tokens are spread evenly over them.
    """
    options = GenerationConfig(
        do_sample=True,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=0,
        max_new_tokens=tokens,
        pad_token_id=0,
        # An id that does not occur: without one, the model's own would end the text.
        eos_token_id=-1,
    )
    # The draft is shared, and `generate` reads these from it: a shallow copy carries them.
    draft = copy(draft)
    draft.generation_config = GenerationConfig(
        num_assistant_tokens=length,
        num_assistant_tokens_schedule="constant",
        assistant_confidence_threshold=0.0,
    )
    calls: list[int] = []
    hook = target.register_forward_hook(lambda *_: calls.append(1))
    traces = []
    try:
        for prompt in prompts:
            calls.clear()
            ids = torch.tensor([prompt], device=target.device)
            found = target.generate(
                ids, attention_mask=torch.ones_like(ids), generation_config=options, assistant_model=draft
            )
            emitted = found[0, len(prompt) :].tolist()
            traces.append(Trace(list(prompt), emitted, _even(len(emitted), len(calls))))
    finally:
        hook.remove()
    return traces


def _even(total: int, parts: int) -> list[int]:
    return [total // parts + (index < total % parts) for index in range(parts)]
