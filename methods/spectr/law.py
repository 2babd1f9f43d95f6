"""Does the output follow the target's distribution? Exact enumeration, and a test on emitted tokens.

Shapes: N particles (branches of an enumeration), K drafts, L draft length, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from methods.spectr.selection import Rule, plan_law, survivors


def token_law(rule: Rule, p: Tensor, q: Tensor, k: int) -> tuple[Tensor, float]:
    """The exact distribution of one selected token, and the probability that it is among the candidates.

    Enumerates all V^k candidate tuples through the rule's own plan.

    Args:
        rule: The rule.
        p: Draft probabilities, shape (V,).
        q: Target probabilities, shape (V,).
        k: Number of candidates.
    """
    candidates = torch.cartesian_prod(*[torch.arange(len(p))] * k).reshape(-1, k)
    weight = p[candidates].prod(1)
    candidates, weight = candidates[weight > 0], weight[weight > 0]
    rows = (len(candidates), len(p))
    plan = rule.plan(
        p.expand(rows), q.expand(rows), candidates, torch.ones_like(candidates, dtype=torch.bool)
    )
    joint = weight.unsqueeze(1) * plan_law(plan, candidates)
    member = torch.zeros(rows, dtype=torch.bool).scatter_(1, candidates, value=True)
    return joint.sum(0), float(joint[member].sum())


@dataclass(frozen=True)
class SequenceLaw:
    """The exact distribution of the tokens after a context.

    Attributes:
        law: P(y_1 … y_{L+1}), shape (V,) * (L + 1).
        block_efficiency: Expected number of tokens that the iteration emits.
    """

    law: Tensor
    block_efficiency: float


def sequence_law(
    rule: Rule, draft: Tensor, target: Tensor, start: int, *, count: int, length: int
) -> SequenceLaw:
    """The distribution of the next L + 1 tokens when one SpecTr iteration is followed by plain sampling.

    Enumerates all V^(KL) draft tuples and all outcomes of each selection.

    Args:
        rule: The token-level rule.
        draft: Transition matrix of the draft, shape (V, V).
        target: Transition matrix of the target, shape (V, V).
        start: The context, one state.
        count: K.
        length: L.
    """
    drafts, weight = _draft_tuples(draft, start, count, length)
    active = torch.ones(drafts.shape[:2], dtype=torch.bool)
    tokens = drafts.new_empty((len(drafts), 0))
    expected = 0.0
    for depth in range(length + 1):
        going = active.any(1)
        expected += float(weight[going].sum())
        context = tokens[:, -1] if depth else drafts.new_full((len(drafts),), start)
        law = target[context].clone()
        if depth < length:
            candidates = drafts[going, :, depth]
            plan = rule.plan(draft[context[going]], target[context[going]], candidates, active[going])
            law[going] = plan_law(plan, candidates)
        particle, token = (weight.unsqueeze(1) * law).nonzero(as_tuple=True)
        weight = weight[particle] * law[particle, token]
        drafts, tokens = drafts[particle], torch.cat([tokens[particle], token.unsqueeze(1)], dim=1)
        if depth < length:
            active = survivors(active[particle], drafts[:, :, depth], token)
    return SequenceLaw(_histogram(tokens, weight, len(draft)), expected)


def plain_law(target: Tensor, start: int, tokens: int) -> Tensor:
    """The distribution of the next ``tokens`` tokens under plain sampling, shape (V,) * tokens."""
    law = target[start]
    for _ in range(tokens - 1):
        law = law.unsqueeze(-1) * target
    return law


def transform(token: Tensor, p: Tensor, q: Tensor, uniforms: Tensor) -> Tensor:
    """Randomised probability integral transform of emitted tokens, uniform if they follow q.

    F(y−) + u q(y), with the tokens ordered by q/p: wrong samplers shift mass along that ratio.

    Args:
        token: Emitted tokens, shape (N,).
        p: Draft probabilities at their contexts, shape (N, V).
        q: Target probabilities there, shape (N, V).
        uniforms: Shape (N,).

    Returns:
        Shape (N,), in [0, 1].
    """
    ratio = torch.where(p > 0, q / p.clamp(min=torch.finfo(p.dtype).tiny), torch.inf)
    index = token.unsqueeze(1)
    mine = ratio.gather(1, index)
    earlier = torch.arange(q.shape[1], device=q.device) < index
    before = torch.where((ratio < mine) | ((ratio == mine) & earlier), q, 0.0).sum(1)
    return (before + uniforms.to(q.dtype) * q.gather(1, index).squeeze(1)).clamp(0.0, 1.0)


def _draft_tuples(draft: Tensor, start: int, count: int, length: int) -> tuple[Tensor, Tensor]:
    vocabulary = len(draft)
    flat = torch.cartesian_prod(*[torch.arange(vocabulary)] * (count * length))
    drafts = flat.reshape(-1, count, length)
    before = torch.cat([drafts.new_full((len(drafts), count, 1), start), drafts[:, :, :-1]], dim=2)
    weight = draft[before, drafts].flatten(1).prod(1)
    return drafts[weight > 0], weight[weight > 0]


def _histogram(tokens: Tensor, weight: Tensor, vocabulary: int) -> Tensor:
    places = vocabulary ** torch.arange(tokens.shape[1] - 1, -1, -1)
    size = vocabulary ** tokens.shape[1]
    law = torch.zeros(size, dtype=weight.dtype).index_add(0, (tokens * places).sum(1), weight)
    return law.reshape((vocabulary,) * tokens.shape[1])
