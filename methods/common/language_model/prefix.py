"""A local model that reads the examples that many prompts begin with once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from methods.common.answering import Continuation
from methods.common.fixed_batches import fixed_width
from methods.common.forward import is_encoder_decoder, only_at
from methods.common.language_model.drawing import Ended, FirstScores
from methods.common.language_model.local import LocalModel, _end_ids


@dataclass
class PrefixModel(LocalModel):
    """Samples and distributions as of :class:`LocalModel`, up to rounding, at less cost.

    Options are scored as there. Encoder-decoder models, and prompts longer than a sliding window,
    are read whole.

    Attributes:
        prefix: What prompts begin with: an instruction and solved examples. Prompts that begin
            otherwise are read whole.
    """

    prefix: str = field(default="", kw_only=True)
    _read: dict[int, Any] = field(default_factory=dict, kw_only=True, repr=False)
    _known: list[int] = field(default_factory=list, kw_only=True, repr=False)

    def begin(self, prefix: str) -> None:
        """Expect prompts that begin with another text from now on."""
        self.prefix = prefix
        self._read.clear()
        self._known.clear()

    def _run(
        self, prompts: list[list[int]], new_tokens: int, processor: FirstScores, ended: Ended | None = None
    ) -> list[list[int]]:
        # All prompts of a batch have as many tokens in common with the prefix.
        common = self._before(prompts[0], new_tokens)
        if not common:
            return super()._run(prompts, new_tokens, processor, ended)
        ends = torch.tensor(_end_ids(self.model, self.tokenizer), dtype=torch.long, device=self._device)
        with torch.inference_mode():
            shared = (self._cache(prompts[0][:common]), common)
            rest = [row[common:] for row in prompts]
            width = fixed_width(max(map(len, rest)))
            side = Continuation(self.model, rest, self._pad, shared=shared, width=width)
            start = self._start(prompts)
            seen = torch.full((len(prompts), start), self._pad, device=self._device)
            done = torch.zeros(len(prompts), dtype=torch.bool, device=self._device)
            tokens = None
            for _ in range(new_tokens):
                chosen = processor(seen, side.step(tokens)).argmax(-1)
                tokens = torch.where(done, self._pad, chosen)
                seen = torch.cat([seen, tokens[:, None]], dim=1)
                done = done | torch.isin(tokens, ends)
                done = done if ended is None else done | ended(seen, None)
                if done.all():
                    break
        rows: list[list[int]] = seen[:, start:].tolist()
        return rows

    @property
    def _device(self) -> torch.device:
        device: torch.device = self.model.get_input_embeddings().weight.device
        return device

    def _before(self, prompt: Sequence[int], new_tokens: int) -> int:
        """Tokens of the prefix that a prompt begins with; one token of each prompt stays its own.

        Less than half of the prefix is not worth a batch of its own.
        """
        if not self.prefix or is_encoder_decoder(self.model):
            return 0
        known = self._prefix_ids()
        most = min(len(known), len(prompt) - 1)
        common = next((place for place in range(most) if prompt[place] != known[place]), most)
        if 2 * common < len(known):
            return 0
        window = getattr(self.model.config, "sliding_window", None)
        # Padding stands between the prefix and a prompt, where it takes up places of the window.
        if window is not None and common + fixed_width(len(prompt) - common) + new_tokens > window:
            return 0
        return common

    def _prefix_ids(self) -> list[int]:
        if not self._known:
            self._known.extend(self.tokenizer.encode(self.prefix))
        return self._known

    def _cache(self, tokens: Sequence[int]) -> Any:
        """Keys and values of the tokens before every prompt."""
        if len(tokens) not in self._read:
            ids = torch.tensor([list(tokens)], device=self._device)
            with only_at(self.model, torch.tensor([len(tokens) - 1], device=self._device)):
                self._read[len(tokens)] = self.model(input_ids=ids, use_cache=True).past_key_values
        return self._read[len(tokens)]
