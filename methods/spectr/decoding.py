"""Decoding: autoregressive (L = 0), speculative (K = 1) and SpecTr (K drafts), with one loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from harness.method import ProblemError
from methods.common import draws
from methods.common.causal_lm import check_same_width
from methods.spectr.block import Outcome, select_block
from methods.spectr.selection import Rule
from methods.spectr.sessions import Draft, NoDraft, Target


@dataclass(frozen=True)
class BlockSize:
    """K and L.

    Attributes:
        drafts: K, the number of drafts, at least 1.
        length: L, their length; 0 is plain autoregressive sampling.

    Raises:
        ProblemError: If either is too small.
    """

    drafts: int
    length: int

    def __post_init__(self) -> None:
        """Check the values."""
        if self.drafts < 1:
            raise ProblemError(
                f"K = {self.drafts} drafts cannot be selected from",
                where="drafts",
                fix="Set K to 1 for speculative decoding or more for SpecTr.",
            )
        if self.length < 0:
            raise ProblemError(
                f"L = {self.length} is not a draft length",
                where="length",
                fix="Set L to at least 1, or to 0 for plain autoregressive sampling.",
            )


@dataclass
class Trace:
    """What was generated for one prompt.

    Attributes:
        prompt: Its token ids.
        tokens: Emitted token ids, with the whole of the last block.
        blocks: Number of tokens that each target call emitted; sums to ``len(tokens)``.
    """

    prompt: list[int]
    tokens: list[int] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)


def generate(
    target: Target,
    draft: Draft,
    rule: Rule,
    prompts: list[list[int]],
    block: BlockSize,
    *,
    tokens: int,
    generator: torch.Generator,
    ended: Callable[[Trace], bool] | None = None,
) -> list[Trace]:
    """Decode all prompts together until each has at least ``tokens`` new tokens.

    End-of-text tokens are ordinary tokens. A block is never cut: whether another one is begun
    depends only on what was emitted before, so the distribution of the emitted tokens is untouched.

    Args:
        target: The large model M_b.
        draft: The small model M_s; not asked for anything where L = 0.
        rule: Token-level selection.
        prompts: Token ids of the prompts.
        block: K and L.
        tokens: Least number of new tokens a prompt.
        generator: The only source of randomness, on the CPU.
        ended: Asked after each block whether a text has ended, instead of ``tokens``.

    Raises:
        ProblemError: If the models do not fit each other or a prompt does not fit them.
    """
    check_same_width(draft.width, target.width, where="draft and target")
    drafting = draft if block.length else NoDraft(target.width)
    traces = [Trace(list(prompt)) for prompt in prompts]
    drafting.watch(target)
    target.start(prompts)
    drafting.start(prompts)
    going = list(traces)

    def enough(trace: Trace) -> bool:
        return len(trace.tokens) >= tokens if ended is None else ended(trace)

    while going:
        outcome = _iterate(target, drafting, rule, (len(going), block), generator)
        emitted = zip(going, outcome.tokens.tolist(), outcome.matched.tolist(), strict=True)
        for trace, found, matched in emitted:
            trace.tokens += found[: matched + 1]
            trace.blocks.append(matched + 1)
        rows = [row for row, trace in enumerate(going) if not enough(trace)]
        going = [going[row] for row in rows]
        if going:
            index = torch.tensor(rows, device=target.device)
            target.commit(outcome, index)
            drafting.commit(outcome, index)
    return traces


def _iterate(
    target: Target,
    draft: Draft,
    rule: Rule,
    size: tuple[int, BlockSize],
    generator: torch.Generator,
) -> Outcome:
    rows, block = size

    def uniform(*shape: int) -> torch.Tensor:
        return draws.uniform(shape, generator, dtype=torch.float64, device=target.device)

    drafts, p = draft.propose(uniform(rows, block.drafts, block.length))
    choices = uniform(rows, block.length + 1, block.drafts + 1)
    return select_block(rule, drafts, p, target.score(drafts), choices)
