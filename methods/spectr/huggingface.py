"""Assisted generation of ``transformers``, as an independent arm of single-draft decoding."""

from __future__ import annotations

from copy import copy
from typing import Any

import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from methods.spectr.decoding import Trace
from methods.spectr.hidden_mlp import HiddenMLP
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


class HiddenForCausalLM(PreTrainedModel, GenerationMixin):
    """A :class:`~methods.spectr.hidden_mlp.HiddenMLP` behind the interface of ``transformers``.

    What the target read last is kept by a hook; the first text that is asked about afterwards is the one that
    a block begins at. Before the target's first call it sees nothing of it.
    """

    config_class = NGramConfig
    _is_stateful = False

    def __init__(self, network: HiddenMLP) -> None:
        super().__init__(NGramConfig(vocab_size=network.width))
        self.network = network
        # Generation moves texts to where its parameters are.
        where = network.output.device
        self.anchor = torch.nn.Parameter(torch.zeros(1, device=where), requires_grad=False)
        self.generation_config = GenerationConfig()
        self.forget()

    def watch(self, target: Any) -> Any:
        """Look at what the target reads, until the handle that is returned is removed."""

        def look(module: Any, _: Any, options: dict[str, Any], output: Any) -> None:
            del module
            self._read = output.last_hidden_state[0]
            cache = options.get("past_key_values")
            self._end, self._root = (cache.get_seq_length() if cache is not None else len(self._read)), 0

        handle: Any = target.base_model.register_forward_hook(look, with_kwargs=True)
        return handle

    def forget(self) -> None:
        """Begin a new text."""
        self._read = torch.zeros((0, self.network.output.shape[1]))
        self._end = self._root = 0

    def hidden(self, text: torch.Tensor) -> torch.Tensor:
        """The target's hidden state before the last token of where this block began, shape (1, D).

        Args:
            text: Shape (T,).
        """
        self._root = self._root or len(text)
        place = self._root - 2 - (self._end - len(self._read))
        if 0 <= place < len(self._read):
            found: torch.Tensor = self._read[place : place + 1]
            return found
        return torch.zeros_like(self.network.output[:1])

    def forward(self, input_ids: torch.Tensor, **_: Any) -> CausalLMOutput:
        """Log-probabilities of the token after the last one, shape (1, 1, V)."""
        text = input_ids[0]
        hidden = self.hidden(text)
        lag = torch.full_like(text[-1:], len(text) - self._root)
        before = text[-2:-1] if len(text) > 1 else text * 0
        logits = self.network.logits(hidden, lag, text[-1:], before).float()
        law = torch.full((1, self.network.width), torch.finfo(logits.dtype).min, device=text.device)
        return CausalLMOutput(logits=law.index_copy_(1, self.network.ids, logits).unsqueeze(1))

    def _prepare_cache_for_generation(self, *_: Any, **__: Any) -> bool:
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
    hooks = [target.register_forward_hook(lambda *_: calls.append(1))]
    if isinstance(draft, HiddenForCausalLM):
        hooks.append(draft.watch(target))
    traces = []
    try:
        for prompt in prompts:
            calls.clear()
            if isinstance(draft, HiddenForCausalLM):
                draft.forget()
            ids = torch.tensor([prompt], device=target.device)
            found = target.generate(
                ids, attention_mask=torch.ones_like(ids), generation_config=options, assistant_model=draft
            )
            emitted = found[0, len(prompt) :].tolist()
            traces.append(Trace(list(prompt), emitted, _even(len(emitted), len(calls))))
    finally:
        for hook in hooks:
            hook.remove()
    return traces


def _even(total: int, parts: int) -> list[int]:
    return [total // parts + (index < total % parts) for index in range(parts)]
