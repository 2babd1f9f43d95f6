"""A local model that reads the examples that many prompts begin with once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from methods.common.answering import Continuation
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

    def begin(self, prefix: str) -> None:
        """Expect prompts that begin with another text from now on."""
        self.prefix = prefix
        self._read.clear()

    def _run(
        self, prompts: list[list[int]], new_tokens: int, processor: FirstScores, ended: Ended | None = None
    ) -> list[list[int]]:
        common = self._common(prompts, new_tokens)
        if not common:
            return super()._run(prompts, new_tokens, processor, ended)
        ends = torch.tensor(_end_ids(self.model, self.tokenizer), dtype=torch.long, device=self._device)
        with torch.inference_mode():
            shared = (self._cache(prompts[0][:common]), common)
            side = Continuation(self.model, [row[common:] for row in prompts], self._pad, shared=shared)
            seen = torch.full((len(prompts), max(map(len, prompts))), self._pad, device=self._device)
            start = seen.shape[1]
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

    def _common(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> int:
        """Tokens of the prefix that all prompts begin with; one token of each prompt stays its own."""
        if not self.prefix or is_encoder_decoder(self.model):
            return 0
        window = getattr(self.model.config, "sliding_window", None)
        # Padding stands between the prefix and a prompt, but no place is beyond the longest row.
        if window is not None and max(map(len, prompts)) + new_tokens > window:
            return 0
        before = self.tokenizer.encode(self.prefix)
        common = min(len(before), *(len(row) - 1 for row in prompts))
        while common and any(list(row[:common]) != before[:common] for row in prompts):
            common -= 1
        return common

    def _cache(self, tokens: Sequence[int]) -> Any:
        """Keys and values of the tokens before every prompt."""
        if len(tokens) not in self._read:
            ids = torch.tensor([list(tokens)], device=self._device)
            with only_at(self.model, torch.tensor([len(tokens) - 1], device=self._device)):
                self._read[len(tokens)] = self.model(input_ids=ids, use_cache=True).past_key_values
        return self._read[len(tokens)]
