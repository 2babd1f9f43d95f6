"""A local model that reads the examples that many prompts begin with once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from methods.common.answering import Continuation
from methods.common.fixed_batches import fixed_width
from methods.common.forward import is_encoder_decoder, only_at
from methods.common.language_model.drawing import Ended, FirstScores
from methods.common.language_model.local import LocalModel, _end_ids

_STEP = 64
"""Where prompts begin in several ways, beginnings are filled up to multiples of as many tokens."""


@dataclass
class PrefixModel(LocalModel):
    """Samples and distributions as of :class:`LocalModel`, up to rounding, at less cost.

    Options are scored as there. Encoder-decoder models, and prompts longer than a sliding window,
    are read whole.

    Attributes:
        prefixes: What prompts begin with: an instruction and solved examples. Prompts that begin
            otherwise are read whole. With one, it alone stands before a batch; with several, prompts
            with different ones share batches, so that few questions to each of many still fill them.
    """

    prefixes: tuple[str, ...] = field(default=(), kw_only=True)
    _read: dict[tuple[int, ...], Any] = field(default_factory=dict, kw_only=True, repr=False)
    _known: list[list[int]] = field(default_factory=list, kw_only=True, repr=False)

    def begin(self, *prefixes: str) -> None:
        """Expect prompts that begin with other texts from now on; their keys and values are all held."""
        self.prefixes = prefixes
        self._read.clear()
        self._known.clear()

    def _run(
        self, prompts: list[list[int]], new_tokens: int, processor: FirstScores, ended: Ended | None = None
    ) -> list[list[int]]:
        # Prompts of a batch are all read whole, or none is.
        common = [self._before(prompt, new_tokens) for prompt in prompts]
        if not common[0]:
            return super()._run(prompts, new_tokens, processor, ended)
        ends = torch.tensor(_end_ids(self.model, self.tokenizer), dtype=torch.long, device=self._device)
        with torch.inference_mode():
            rest = [row[known:] for row, known in zip(prompts, common, strict=True)]
            width = fixed_width(max(map(len, rest)))
            if len(self.prefixes) == 1:
                shared = (self._cache(prompts[0][: common[0]]), common[0])
                side = Continuation(self.model, rest, self._pad, shared=shared, width=width)
            else:
                length = self._kind(common[0])
                caches = [self._cache(row[:known]) for row, known in zip(prompts, common, strict=True)]
                shared = (_side_by_side(caches, length), length)
                side = Continuation(self.model, rest, self._pad, shared=shared, width=width, known=common)
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
        """Tokens of a prefix that a prompt begins with; one token of each prompt stays its own.

        Less than half of the prefix is not worth a batch of its own.
        """
        if not self.prefixes or is_encoder_decoder(self.model):
            return 0
        longest = 0
        for known in self._prefix_ids():
            most = min(len(known), len(prompt) - 1)
            common = next((place for place in range(most) if prompt[place] != known[place]), most)
            if 2 * common >= len(known):
                longest = max(longest, common)
        window = getattr(self.model.config, "sliding_window", None)
        # Padding stands before and behind the prefix, where it takes up places of the window.
        taken = self._kind(longest) + fixed_width(len(prompt) - longest) + new_tokens
        return 0 if window is not None and taken > window else longest

    def _kind(self, before: int) -> int:
        """Tokens that stand before a batch, padding included."""
        return before if len(self.prefixes) < 2 else -(-before // _STEP) * _STEP

    def _prefix_ids(self) -> list[list[int]]:
        if not self._known:
            self._known.extend(self.tokenizer.encode(prefix) for prefix in self.prefixes)
        return self._known

    def _cache(self, tokens: Sequence[int]) -> Any:
        """Keys and values of the tokens before a prompt."""
        key = tuple(tokens)
        if key not in self._read:
            ids = torch.tensor([list(tokens)], device=self._device)
            with only_at(self.model, torch.tensor([len(tokens) - 1], device=self._device)):
                self._read[key] = self.model(input_ids=ids, use_cache=True).past_key_values
        return self._read[key]


def _side_by_side(caches: Sequence[Any], length: int) -> Any:
    """One cache with a row for each, filled up on the left to ``length`` tokens."""
    found = copy.deepcopy(caches[0])
    for number, layer in enumerate(found.layers):
        rows = [cache.layers[number] for cache in caches]
        for name in ("keys", "values"):
            parts = [getattr(row, name) for row in rows]
            filled = [functional.pad(part, (0, 0, length - part.shape[-2], 0)) for part in parts]
            setattr(layer, name, torch.cat(filled))
        if hasattr(layer, "cumulative_length"):
            # Layers with a sliding window count what they have read apart from what they hold.
            layer.cumulative_length = length
    return found
