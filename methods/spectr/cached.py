"""Rows of key-value caches that grow, branch and are cut back to what was kept.

A row's cache is a set of *slots*, each holding the keys and values of one token at its position.
Slots may hold tokens of several branches at once; masks say which slots a new token sees. After
selection only the slots of the surviving branch are kept.

Shapes: R rows, T cached slots, N new tokens, D hidden size, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from harness.method import ProblemError

SLIDING = "sliding_attention"


class CachedRows:
    """A ``transformers`` causal language model with a cache for each of several requests."""

    def __init__(self, model: Any) -> None:
        _check_head(model)
        self.model = model
        self.device = model.device
        self.width, self.size = map(int, model.get_output_embeddings().weight.shape)
        self._layers: list[tuple[Tensor, Tensor]] = []
        self.valid = torch.zeros((0, 0), dtype=torch.bool)
        self.positions = torch.zeros((0, 0), dtype=torch.long)

    def reset(self, rows: int) -> None:
        """Forget everything and start ``rows`` empty rows."""
        self._layers = []
        self.valid = torch.zeros((rows, 0), dtype=torch.bool, device=self.device)
        self.positions = torch.zeros((rows, 0), dtype=torch.long, device=self.device)

    def feed(self, tokens: Tensor, positions: Tensor, visible: Tensor, real: Tensor) -> Tensor:
        """Run new tokens through the model and append their slots.

        Args:
            tokens: Shape (R, N).
            positions: Position of each in its branch, shape (R, N).
            visible: Which new tokens (last axis) each new token sees, shape (R, N, N).
            real: Which are not padding, shape (R, N); padding is never seen by real tokens.

        Returns:
            Last hidden states, shape (R, N, D).
        """
        seen = self.valid.unsqueeze(1).expand(-1, tokens.shape[1], -1)
        mask = torch.cat([seen, visible & real.unsqueeze(1)], dim=2)
        self.positions = torch.cat([self.positions, positions], dim=1)
        self.valid = torch.cat([self.valid, real], dim=1)
        # Made without a configuration, by which layers would drop slots outside their sliding window.
        cache: Any = DynamicCache()
        for index, (keys, values) in enumerate(self._layers):
            cache.update(keys, values, index)
        output = self.model.base_model(
            input_ids=tokens,
            attention_mask=self._masks(mask, positions),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
        self._layers = [(layer.keys, layer.values) for layer in cache.layers]
        hidden: Tensor = output.last_hidden_state
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits, shape (…, V), of hidden states (…, D)."""
        scores: Tensor = self.model.get_output_embeddings()(hidden)
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return torch.tanh(scores / cap) * cap if cap else scores

    def keep(self, rows: Tensor, slots: Tensor) -> None:
        """Re-gather the caches: new row i is row ``rows[i]`` cut to its slots ``slots[i]``.

        Args:
            rows: Row numbers, shape (R',); may repeat.
            slots: Which slots to keep, shape (R', T); those without content never are.
        """
        slots = slots & self.valid[rows]
        if len(rows) == len(self.valid) and bool(slots.all()) and rows.tolist() == list(range(len(rows))):
            return
        most = int(slots.sum(1).max()) if len(slots) else 0
        order = (~slots).to(torch.int8).argsort(dim=1, stable=True)[:, :most]
        self.valid = slots.gather(1, order)
        self.positions = self.positions[rows].gather(1, order)
        self._layers = [
            (_take(keys, rows, order), _take(values, rows, order)) for keys, values in self._layers
        ]

    def _masks(self, mask: Tensor, positions: Tensor) -> Any:
        """Additive masks (R, 1, N, T + N); one for each kind of layer where the model has several.

        Rows of padding see everything, since a softmax over nothing is not a number.
        """
        mask = mask | ~mask.any(2, keepdim=True)
        kinds = set(getattr(self.model.config, "layer_types", None) or ())
        if SLIDING not in kinds:
            return self._additive(mask)
        distance = positions.unsqueeze(2) - self.positions.unsqueeze(1)
        near = mask & (distance < self.model.config.sliding_window)
        named = {"full_attention": mask, SLIDING: near | ~near.any(2, keepdim=True)}
        return {kind: self._additive(named[kind]) for kind in kinds}

    def _additive(self, mask: Tensor) -> Tensor:
        dtype = self.model.dtype
        zero = torch.zeros((), dtype=dtype, device=self.device)
        return torch.where(mask, zero, torch.finfo(dtype).min).unsqueeze(1)


def _take(tensor: Tensor, rows: Tensor, slots: Tensor) -> Tensor:
    """From (R, heads, T, d) the rows (R',) and in each the slots (R', T')."""
    return tensor[rows.unsqueeze(1), :, slots].transpose(1, 2)


def _check_head(model: Any) -> None:
    """Refuse models that scale their logits: here logits are formed from hidden states without a scale.

    Raises:
        ProblemError: If the configuration has such a scale.
    """
    for name in ("logit_scale", "logits_scaling"):
        if getattr(model.config, name, None) not in {None, 1}:
            raise ProblemError(
                f"The model scales its logits ('{name}'), which this decoder does not",
                where=type(model).__name__,
                fix="Use a model whose output layer is linear or soft-capped.",
            )


def check_vocabulary(prompts: list[list[int]], width: int) -> None:
    """Make sure that prompts are not empty and hold only ids that the model knows.

    Raises:
        ProblemError: If one is empty or has an id outside [0, width).
    """
    for number, prompt in enumerate(prompts):
        if not prompt:
            raise ProblemError(
                "A prompt is empty",
                where=f"prompt {number}",
                fix="Begin it with the tokenizer's beginning-of-text token.",
            )
        if min(prompt) < 0 or max(prompt) >= width:
            raise ProblemError(
                f"A prompt has token ids outside the model's {width}", where=f"prompt {number}"
            )
