"""Sessions that are broken on purpose, for :mod:`methods.spectr.sabotage`."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.method import ProblemError
from methods.spectr.block import Laws, Outcome
from methods.spectr.sessions import Draft, Target, TransformerTarget

Pair = tuple[Target, Draft]


def stale_cache(target: Target, draft: Draft) -> Pair:
    """The target keeps the keys and values of the first draft, whichever survived."""
    return _transformer(target, StaleCache), draft


def no_cache(target: Target, draft: Draft) -> Pair:
    """The target reads the whole text again at every call."""
    return _transformer(target, NoCache), draft


def copied_drafts(target: Target, draft: Draft) -> Pair:
    """The K drafts are copies of one."""
    return target, Copied(draft)


def shuffled_draft(target: Target, draft: Draft) -> Pair:
    """The tokens of the draft's distribution are renamed, so that it knows nothing of the target's."""
    return target, Shuffled(draft)


class StaleCache(TransformerTarget):
    """See :func:`stale_cache`."""

    def surviving(self, outcome: Outcome) -> Tensor:
        """The first draft."""
        return torch.zeros_like(outcome.leader)


class NoCache(TransformerTarget):
    """See :func:`no_cache`."""

    def score(self, drafts: Tensor) -> Laws:
        """Forget all keys and values first."""
        self.begin(self.contexts)
        return super().score(drafts)


class Copied(Draft):
    """A draft whose K proposals are the first one, K times."""

    def __init__(self, inner: Draft) -> None:
        self.inner = inner
        self.width = inner.width

    def watch(self, target: Target) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.inner.watch(target)

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.inner.start(prompts)

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """Inversion of the same numbers gives the same drafts."""
        return self.inner.propose(uniforms[:, :1].expand_as(uniforms).contiguous())

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.inner.commit(outcome, rows)


class Shuffled(Draft):
    """A draft whose tokens are renamed by a fixed rotation of the vocabulary."""

    def __init__(self, inner: Draft) -> None:
        self.inner = inner
        self.width = inner.width
        self.shift = inner.width // 2

    def watch(self, target: Target) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.inner.watch(target)

    def start(self, prompts: list[list[int]]) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.inner.start(prompts)

    def propose(self, uniforms: Tensor) -> tuple[Tensor, Laws]:
        """Rename tokens and distributions alike, so that drafts still follow the distributions given."""
        drafts, laws = self.inner.propose(uniforms)

        def renamed(depth: int, rows: Tensor, branch: Tensor) -> Tensor:
            return laws(depth, rows, branch).roll(self.shift, dims=-1)

        return (drafts + self.shift) % self.width, renamed

    def commit(self, outcome: Outcome, rows: Tensor) -> None:
        """See :class:`~methods.spectr.sessions.Draft`."""
        self.inner.commit(outcome, rows)


def _transformer(target: Target, kind: type[TransformerTarget]) -> TransformerTarget:
    if not isinstance(target, TransformerTarget):
        raise ProblemError(
            "This sabotage breaks the cache of a transformer",
            where=type(target).__name__,
            fix="Use it in an experiment with language models.",
        )
    return kind(target.rows.model, target.sampling, scoring=target.scoring)
