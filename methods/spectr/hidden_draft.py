"""Drafting with a network over the target's last hidden state."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.method import ProblemError
from methods.spectr.block import Laws, Outcome
from methods.spectr.hidden_mlp import HiddenMLP
from methods.spectr.selection import sample
from methods.spectr.sessions import Draft, Sampling, Target, TransformerTarget


class HiddenDraft(Draft):
    """A :class:`HiddenMLP` as draft: one small product for each depth, and the target's cache for memory.

    Args:
        model: The network.
        sampling: Temperature and nucleus, the same as the target's.
    """

    def __init__(self, model: HiddenMLP, sampling: Sampling) -> None:
        self.model = model
        self.sampling = sampling
        self.width = model.width
        self.contexts: list[list[int]] = []
        self._target: TransformerTarget | None = None

    def watch(self, target: Target) -> None:
        """See :class:`Draft`.

        Raises:
            ProblemError: If the target has no hidden states.
        """
        if not isinstance(target, TransformerTarget):
            raise ProblemError(
                "This draft looks at the hidden states of a transformer",
                where=type(target).__name__,
                fix="Use it with the target that it was trained on.",
            )
        self._target = target

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`Draft`."""
        self.contexts = [list(prompt) for prompt in prompts]

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """See :class:`Draft`."""
        count, branches, length = uniforms.shape
        tails = [[0, *context][-2:] for context in self.contexts]
        before, last = torch.tensor(tails, device=uniforms.device).unbind(1)
        hidden = self._hidden()
        spread = torch.arange(count, device=uniforms.device).repeat_interleave(branches)
        along: list[Tensor] = []
        drafts: list[Tensor] = []
        for depth in range(length):
            found = self._law(hidden, depth, last, before)
            # All drafts of a request have one root.
            along.append(found if depth else found[spread])
            index = sample(along[-1], uniforms[:, :, depth].flatten())
            drafts.append(self.model.ids[index])
            if not depth:
                hidden, last = hidden[spread], last[spread]
            before, last = last, drafts[-1]

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            some = along[depth][rows * branches + branch]
            dense = some.new_zeros((len(rows), self.width))
            return dense.index_copy_(1, self.model.ids, some)

        return torch.stack(drafts, dim=1).view(count, branches, length), laws

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`Draft`."""
        tokens, matched = outcome.tokens.tolist(), outcome.matched.tolist()
        self.contexts = [self.contexts[row] + tokens[row][: matched[row] + 1] for row in rows.tolist()]

    def _hidden(self) -> Tensor:
        if self._target is None:
            raise ProblemError("The draft was not told its target", where="HiddenDraft", fix="Call watch().")
        return self._target.last_hidden

    def _law(self, hidden: Tensor, depth: int, last: Tensor, before: Tensor) -> Tensor:
        lag = torch.full_like(last, depth)
        return self.sampling(self.model.logits(hidden, lag, last, before))
