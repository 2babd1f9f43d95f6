"""One iteration of SpecTr: recursive selection over K drafts of length L.

At each depth the next tokens of the surviving drafts are candidates of a token-level rule; drafts
that begin with the selected token survive. All survivors share one prefix, so p and q at a depth
are common to them, and their tails are still independent draws from p.

Shapes: R rows (requests), K drafts, L draft length, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from methods.spectr.selection import Rule, draw, sample, survivors

Laws = Callable[[int, Tensor, Tensor], Tensor]
"""``laws(i, rows, drafts)``: the distributions (r, V) of the token at depth i (from 0), given the first i
tokens of draft ``drafts[·]`` of row ``rows[·]``. Called only at depths that are visited."""


@dataclass(frozen=True)
class Outcome:
    """What an iteration emitted.

    Attributes:
        tokens: Shape (R, L + 1); only the first ``matched + 1`` of a row count.
        matched: How many emitted tokens lie on a draft, shape (R,); one more was emitted.
        leader: A draft that begins with those tokens, shape (R,).
    """

    tokens: Tensor
    matched: Tensor
    leader: Tensor


def select_block(rule: Rule, drafts: Tensor, p: Laws, q: Laws, uniforms: Tensor) -> Outcome:
    """Select between 1 and L + 1 tokens for each row.

    Args:
        rule: The token-level rule, applied with the number of surviving drafts as k.
        drafts: Independent drafts, shape (R, K, L).
        p: Draft distributions along the drafts.
        q: Target distributions along the drafts, also at depth L.
        uniforms: Shape (R, L + 1, K + 1), uniform on [0, 1).
    """
    count, _, length = drafts.shape
    tokens = drafts.new_full((count, length + 1), -1)
    matched, leader = drafts.new_zeros(count), drafts.new_zeros(count)
    active = torch.ones(drafts.shape[:2], dtype=torch.bool, device=drafts.device)
    rows = torch.arange(count, device=drafts.device)
    for depth in range(length):
        candidates, alive = drafts[rows, :, depth], active[rows]
        leader[rows] = alive.to(torch.int8).argmax(1)
        plan = rule.plan(p(depth, rows, leader[rows]), q(depth, rows, leader[rows]), candidates, alive)
        token = draw(plan, candidates, uniforms[rows, depth])
        tokens[rows, depth] = token
        active[rows] = survivors(alive, candidates, token)
        rows = rows[active[rows].any(1)]
        matched[rows] += 1
        if not len(rows):
            return Outcome(tokens, matched, leader)
    leader[rows] = active[rows].to(torch.int8).argmax(1)
    tokens[rows, length] = sample(q(length, rows, leader[rows]), uniforms[rows, length, -1])
    return Outcome(tokens, matched, leader)
