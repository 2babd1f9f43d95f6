"""Targets and drafts that decode a batch of requests, with their caches.

A *session* holds the contexts of R requests. A target scores K drafts of length L in one call; a
draft proposes them. After selection both are told the outcome and keep only the surviving branch.

Shapes: R requests, K drafts, L draft length, N nodes of a prefix tree, V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from methods.common.causal_lm import probabilities
from methods.spectr.block import Laws, Outcome
from methods.spectr.cached import CachedRows, check_vocabulary
from methods.spectr.selection import sample

TOGETHER = 16
"""Nodes up to which the output layer is asked once for all: it takes hardly longer than for one of them."""


@dataclass(frozen=True)
class Sampling:
    """The transform from logits to probabilities, the same for draft and target."""

    temperature: float = 1.0
    top_p: float = 1.0

    def __call__(self, logits: Tensor) -> Tensor:
        """Probabilities (…, V) of logits (…, V), in float32 or better."""
        return probabilities(logits, temperature=self.temperature, top_p=self.top_p)


class Target(ABC):
    """The large model M_b of a batch of requests."""

    width: int
    """Number of token ids it gives probabilities for."""

    device = torch.device("cpu")
    """Where drafts and random numbers are wanted."""

    @abstractmethod
    def start(self, prompts: list[list[int]]) -> None:
        """Begin new requests; reading the prompts is not counted as a call."""

    @abstractmethod
    def score(self, drafts: Tensor) -> Laws:
        """The target's distributions along drafts (R, K, L), from one call of the model."""

    @abstractmethod
    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """Append what was emitted, and go on with the requests ``rows`` (in that order)."""


class Draft(ABC):
    """The small model M_s of a batch of requests."""

    width: int
    """Number of token ids it gives probabilities for."""

    def watch(self, target: Target) -> None:
        """Told the target of the same requests, before they begin; most drafts do not look at it."""
        del target

    @abstractmethod
    def start(self, prompts: list[list[int]]) -> None:
        """Begin new requests."""

    @abstractmethod
    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """Independent drafts (R, K, L) by inversion of ``uniforms`` (R, K, L), and their distributions."""

    @abstractmethod
    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """As :meth:`Target.commit`."""


class NoDraft(Draft):
    """Proposes nothing: L = 0."""

    def __init__(self, width: int) -> None:
        self.width = width

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`Draft`."""

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """Drafts without tokens, shape (R, K, 0)."""

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            raise AssertionError((depth, rows, branch))

        return uniforms.to(torch.long), laws

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`Draft`."""


@dataclass(frozen=True)
class Tree:
    """Drafts merged into a prefix tree: a shared prefix is scored once.

    Attributes:
        tokens: Tokens of the nodes below the root, shape (R, N).
        depth: Depth of each node, from 1, shape (R, N).
        real: Which nodes exist in a row, shape (R, N).
        visible: Which nodes are ancestors of a node or itself, shape (R, N, N).
        node: Node of the i-th token of each draft, shape (R, K, L).
    """

    tokens: Tensor
    depth: Tensor
    real: Tensor
    visible: Tensor
    node: Tensor


def prefix_tree(drafts: Tensor) -> Tree:
    """Merge drafts (R, K, L); the first of several equal prefixes stands for all."""
    count, branches, length = drafts.shape
    same = (drafts.unsqueeze(2) == drafts.unsqueeze(1)).cumprod(-1)
    owner = same.argmax(2)
    kept = owner == torch.arange(branches, device=drafts.device).view(1, -1, 1)
    number = kept.flatten(1).cumsum(1).view_as(kept) - 1
    node = number.gather(1, owner)
    nodes = int(kept.flatten(1).sum(1).max())
    flat = node.flatten(1)
    depth = torch.arange(1, length + 1, device=drafts.device).expand_as(drafts).flatten(1)
    visible = torch.zeros((count, nodes, nodes), dtype=torch.bool, device=drafts.device)
    row = torch.arange(count, device=drafts.device).view(-1, 1)
    for low in range(length):
        for high in range(low, length):
            visible[row, node[:, :, high], node[:, :, low]] = True
    return Tree(
        tokens=drafts.new_zeros((count, nodes)).scatter(1, flat, drafts.flatten(1)),
        depth=drafts.new_zeros((count, nodes)).scatter(1, flat, depth),
        real=torch.arange(nodes, device=drafts.device) < kept.flatten(1).sum(1, keepdim=True),
        visible=visible,
        node=node,
    )


class _Session:
    """Contexts of several requests and their caches."""

    def __init__(self, model: Any, sampling: Sampling) -> None:
        self.rows = CachedRows(model)
        self.width = self.rows.width
        self.sampling = sampling
        self.contexts: list[list[int]] = []
        self.prompt_hidden = torch.empty(0)

    def begin(self, prompts: list[list[int]]) -> None:
        """Read each prompt into the caches, but its last token: that is fed together with what follows."""
        check_vocabulary(prompts, self.width)
        self.contexts = [list(prompt) for prompt in prompts]
        self.rows.reset(len(prompts))
        self.prompt_hidden = torch.zeros((len(prompts), self.rows.size), device=self.rows.device)
        if max(map(len, prompts)) > 1:
            read = self.read([prompt[:-1] for prompt in prompts], [0] * len(prompts))
            some = torch.tensor([len(prompt) > 1 for prompt in prompts], device=read.device)
            self.prompt_hidden = torch.where(some.unsqueeze(1), read, 0.0)

    def read(self, parts: list[list[int]], starts: list[int]) -> Tensor:
        """Feed one piece of text a row, padded on the left; hidden states of the last tokens."""
        most = max(map(len, parts))
        device = self.rows.device
        tokens = torch.tensor([[0] * (most - len(part)) + part for part in parts], device=device)
        pad = torch.tensor([most - len(part) for part in parts], device=device).unsqueeze(1)
        place = torch.arange(most, device=device).unsqueeze(0)
        positions = (torch.tensor(starts, device=device).unsqueeze(1) + place - pad).clamp(min=0)
        causal = torch.ones((most, most), dtype=torch.bool, device=device).tril()
        visible = causal.expand(len(parts), -1, -1)
        return self.rows.feed(tokens, positions, visible, place >= pad)[:, -1]

    def append(self, outcome: Outcome, rows: Tensor) -> None:
        """Append the emitted tokens and keep the contexts of the requests ``rows``."""
        tokens, matched = outcome.tokens.tolist(), outcome.matched.tolist()
        self.contexts = [self.contexts[row] + tokens[row][: matched[row] + 1] for row in rows.tolist()]


class TransformerTarget(_Session, Target):
    """A ``transformers`` causal language model as target.

    Args:
        model: The model.
        sampling: Temperature and nucleus, the same as the draft's.
        scoring: ``"tree"`` merges shared prefixes into one row with tree attention; ``"batch"``
            gives each draft a row of its own. Both give the same distributions.

    Attributes:
        last_hidden: Last hidden states of all that was read of the contexts, shape (R, D): the last token
            is not. Zero where nothing was.
    """

    def __init__(self, model: Any, sampling: Sampling, *, scoring: Literal["tree", "batch"] = "tree") -> None:
        super().__init__(model, sampling)
        self.device = self.rows.device
        self.scoring = scoring
        self.last_hidden = torch.empty(0)
        self._hidden = torch.empty(0)
        self._drafts = torch.empty(0)
        self._before = 0
        self._tree: Tree | None = None

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`Target`."""
        self.begin(prompts)
        self.last_hidden = self.prompt_hidden

    def score(self, drafts: Tensor) -> Laws:
        """See :class:`Target`. Of large trees, logits are computed only for the nodes that are visited."""
        self._drafts, self._before = drafts, self.rows.valid.shape[1]
        if self.scoring == "tree" or drafts.shape[2] == 0:
            return self._score_tree(drafts)
        return self._score_batch(drafts)

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`Target`. Only the slots of the surviving draft's accepted tokens are kept."""
        # Slot ``_before`` holds the last token of the context; the drafts' tokens are behind it.
        leader = self.surviving(outcome)[rows]
        slot = torch.arange(self.rows.valid.shape[1], device=rows.device)
        matched = outcome.matched[rows].unsqueeze(1)
        if self._tree is None:
            kept = slot <= self._before + matched
            row = rows * self._drafts.shape[1] + leader
            self.last_hidden = self._hidden[row, matched.squeeze(1)]
            self.rows.keep(row, kept)
        else:
            kept = (slot <= self._before).expand(len(rows), -1).clone()
            path = self._tree.node[rows, leader]
            root = path.new_full((len(path), 1), -1)
            node = torch.cat([root, path], dim=1).gather(1, matched).squeeze(1) + 1
            self.last_hidden = self._hidden[rows, node]
            on_path = torch.arange(path.shape[1], device=rows.device) < matched
            row, step = on_path.nonzero(as_tuple=True)
            kept[row, self._before + 1 + path[row, step]] = True
            self.rows.keep(rows, kept)
        self.append(outcome, rows)

    def surviving(self, outcome: Outcome) -> Tensor:
        """The draft of each row (R,) whose keys and values are kept."""
        return outcome.leader

    def _score_tree(self, drafts: Tensor) -> Laws:
        tree = self._tree = prefix_tree(drafts) if drafts.shape[2] else _bare_root(drafts)
        count, nodes = tree.tokens.shape
        root = torch.tensor([context[-1:] for context in self.contexts], device=drafts.device)
        tokens = torch.cat([root, tree.tokens], dim=1)
        start = torch.tensor([[len(context) - 1] for context in self.contexts], device=drafts.device)
        positions = torch.cat([start, start + tree.depth], dim=1)
        visible = torch.zeros((count, nodes + 1, nodes + 1), dtype=torch.bool, device=drafts.device)
        visible[:, :, 0] = True
        visible[:, 1:, 1:] = tree.visible
        real = torch.cat([torch.ones_like(root, dtype=torch.bool), tree.real], dim=1)
        hidden = self._hidden = self.rows.feed(tokens, positions, visible, real)
        logits = self.rows.logits(hidden) if tokens.numel() <= TOGETHER else None

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            node = tree.node[rows, branch, depth - 1] + 1 if depth else torch.zeros_like(rows)
            found = self.rows.logits(hidden[rows, node]) if logits is None else logits[rows, node]
            return self.sampling(found)

        return laws

    def _score_batch(self, drafts: Tensor) -> Laws:
        self._tree = None
        count, branches, length = drafts.shape
        spread = torch.arange(count, device=drafts.device).repeat_interleave(branches)
        self.rows.keep(spread, self.rows.valid[spread])
        root = torch.tensor([context[-1] for context in self.contexts], device=drafts.device)
        start = torch.tensor([len(context) - 1 for context in self.contexts], device=drafts.device)
        tokens = torch.cat([root[spread].unsqueeze(1), drafts.flatten(0, 1)], dim=1)
        positions = start[spread].unsqueeze(1) + torch.arange(length + 1, device=drafts.device)
        causal = torch.ones((length + 1, length + 1), dtype=torch.bool, device=drafts.device).tril()
        real = torch.ones_like(tokens, dtype=torch.bool)
        # ``keep`` drops slots that no row uses, so the number of slots may have changed.
        self._before = self.rows.valid.shape[1]
        hidden = self._hidden = self.rows.feed(tokens, positions, causal.expand(len(tokens), -1, -1), real)

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            return self.sampling(self.rows.logits(hidden[rows * branches + branch, depth]))

        return laws


class TransformerDraft(_Session, Draft):
    """A ``transformers`` causal language model as draft: L serial steps with K rows a request."""

    def __init__(self, model: Any, sampling: Sampling) -> None:
        super().__init__(model, sampling)
        self._cached: list[int] = []
        self._shape = (0, 0)
        self._before = 0

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`Draft`."""
        self.begin(prompts)
        self._cached = [len(prompt) - 1 for prompt in prompts]

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """See :class:`Draft`."""
        count, branches, length = uniforms.shape
        parts = [context[done:] for context, done in zip(self.contexts, self._cached, strict=True)]
        first = self.sampling(self.rows.logits(self.read(parts, self._cached)))
        self._shape, self._before = (branches, length), self.rows.valid.shape[1]
        spread = torch.arange(count, device=uniforms.device).repeat_interleave(branches)
        along = [first[spread]]
        drafts = [sample(along[0], uniforms[:, :, 0].flatten())]
        if length > 1:
            self.rows.keep(spread, self.rows.valid[spread])
            self._before = self.rows.valid.shape[1]
        start = torch.tensor([len(context) for context in self.contexts], device=uniforms.device)[spread]
        for depth in range(1, length):
            along.append(self._step(drafts[-1], start + depth - 1))
            drafts.append(sample(along[-1], uniforms[:, :, depth].flatten()))

        def laws(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            return along[depth][rows * branches + branch]

        return torch.stack(drafts, dim=1).view(count, branches, length), laws

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`Draft`. The last drafted token was never read, so it is read next time."""
        branches, length = self._shape
        slot = torch.arange(self.rows.valid.shape[1], device=rows.device)
        read = outcome.matched[rows].clamp(max=length - 1)
        source = rows if length == 1 else rows * branches + outcome.leader[rows]
        self.rows.keep(source, slot < self._before + read.unsqueeze(1))
        self._cached = [
            len(self.contexts[row]) + done for row, done in zip(rows.tolist(), read.tolist(), strict=True)
        ]
        self.append(outcome, rows)

    def _step(self, tokens: Tensor, positions: Tensor) -> Tensor:
        one = torch.ones((len(tokens), 1, 1), dtype=torch.bool, device=tokens.device)
        hidden = self.rows.feed(tokens.unsqueeze(1), positions.unsqueeze(1), one, one[:, :, 0])
        return self.sampling(self.rows.logits(hidden[:, 0]))


def _bare_root(drafts: Tensor) -> Tree:
    empty = drafts.new_zeros((len(drafts), 0))
    none = torch.zeros((len(drafts), 0), dtype=torch.bool, device=drafts.device)
    return Tree(empty, empty, none, none.unsqueeze(2), drafts)
