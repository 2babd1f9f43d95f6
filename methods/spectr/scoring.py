"""From generated text to unit rows: tokens a call, acceptance by depth, overlaps and ranks.

Distributions are recomputed here from the finished text without any cache, so that nothing the decoder
computed is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from methods.common.draws import uniform
from methods.spectr import kseq
from methods.spectr.decoding import Trace
from methods.spectr.law import transform
from methods.spectr.otm import optimal_acceptance

Columns = dict[str, list[Any]]
LawsOf = Callable[[list[int], Tensor], tuple[Tensor, Tensor]]
"""From a text and places (n,) in it to p and q of the tokens at those places, each (n, V)."""


@dataclass(frozen=True)
class Unit:
    """A prompt's trace under its identifier."""

    id: str
    trace: Trace


def block_rows(units: Sequence[Unit]) -> Columns:
    """Columns ``tokens`` and ``calls``: block efficiency is the ratio of their sums."""
    return {
        "unit_id": [unit.id for unit in units],
        "tokens": [len(unit.trace.tokens) for unit in units],
        "calls": [len(unit.trace.blocks) for unit in units],
    }


def depth_rows(units: Sequence[Unit], length: int) -> Columns:
    """How many blocks of a prompt reached each depth, and how many went on past it."""
    rows: Columns = {"unit_id": [], "depth": [], "reached": [], "passed": []}
    for unit in units:
        for depth in range(1, length + 1):
            rows["unit_id"].append(unit.id)
            rows["depth"].append(depth)
            rows["reached"].append(sum(block >= depth for block in unit.trace.blocks))
            rows["passed"].append(sum(block > depth for block in unit.trace.blocks))
    return rows


def overlap_rows(units: Sequence[Unit], laws_of: LawsOf, count: int, most: int) -> Columns:
    """Sums over the contexts at which blocks began, for K = ``count``.

    Columns: ``contexts``; ``overlap`` (Σ α₁, the acceptance of a single draft); ``optimum``
    (Σ α_K); ``selected`` (Σ p_acc of K-SEQ at ρ*); ``error``, ``tolerance``, ``case``,
    ``confirmed`` for the guarantee p_acc ≥ (1 − (1 − 1/K)^K) α_K at the worst context.

    Args:
        units: The prompts.
        laws_of: Recomputes p and q.
        count: K.
        most: Contexts a prompt to look at, from its first block on.
    """
    names = ("unit_id", "contexts", "overlap", "optimum", "selected")
    rows: Columns = {name: [] for name in (*names, "error", "tolerance", "case", "confirmed")}
    for unit in units:
        starts = _starts(unit.trace)[:most]
        p, q = laws_of(unit.trace.prompt + unit.trace.tokens, starts)
        optimum = optimal_acceptance(p, q, count)
        tries = torch.full((len(starts),), count, device=p.device)
        beta = kseq.trial_acceptance(p, q, kseq.division_factor(p, q, tries))
        selected = kseq.acceptance(beta, tries)
        short = float((kseq.guarantee(count) * optimum - selected).max())
        sums = (torch.minimum(p, q).sum(-1), optimum, selected)
        values = (unit.id, len(starts), *(float(value.sum()) for value in sums))
        for name, value in zip(names, values, strict=True):
            rows[name].append(value)
        rows["error"].append(max(0.0, short))
        rows["tolerance"].append(1e-4)
        rows["case"].append(unit.id)
        rows["confirmed"].append(short > 1e-4)
    return rows


def floor_rows(units: Sequence[Unit], exact: LawsOf, rounded: LawsOf, most: int) -> Columns:
    """Sums of the total variation between two computations of q: the noise floor of the rank test.

    Args:
        units: The prompts.
        exact: Distributions in float32.
        rounded: Distributions in the type that was decoded in.
        most: Contexts a prompt to look at.
    """
    rows: Columns = {"unit_id": [], "contexts": [], "variation": []}
    for unit in units:
        starts = _starts(unit.trace)[:most]
        text = unit.trace.prompt + unit.trace.tokens
        left, right = exact(text, starts)[1], rounded(text, starts)[1]
        rows["unit_id"].append(unit.id)
        rows["contexts"].append(len(starts))
        rows["variation"].append(float((left - right).abs().sum()) / 2)
    return rows


def rank_rows(units: Sequence[Unit], laws_of: LawsOf, generator: torch.Generator) -> Columns:
    """Columns ``depth`` and ``pit``: randomised ranks of all emitted tokens, uniform under q."""
    rows: Columns = {"unit_id": [], "depth": [], "pit": []}
    for unit in units:
        trace = unit.trace
        text = trace.prompt + trace.tokens
        places = torch.arange(len(trace.prompt), len(text))
        p, q = laws_of(text, places)
        uniforms = uniform((len(places),), generator, dtype=torch.float64, device=q.device)
        token = torch.tensor(text)[places].to(q.device)
        rows["pit"] += transform(token, p, q, uniforms).tolist()
        rows["depth"] += [depth for block in trace.blocks for depth in range(1, block + 1)]
        rows["unit_id"] += [unit.id] * len(places)
    return rows


def _starts(trace: Trace) -> Tensor:
    """Places in the whole text at which blocks began, shape (n,)."""
    lengths = torch.tensor([len(trace.prompt), *trace.blocks[:-1]])
    return lengths.cumsum(0)
