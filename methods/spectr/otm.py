"""Optimal transport with membership cost: couple X_1 … X_k ~ p with Y ~ q so that Y is often among them.

The largest probability of membership is α_k(p, q). Three forms of the linear program agree: the
paper's with |V|^(k+1) variables, a flow between support sets and tokens, and a minimum over
prefixes of the tokens sorted by q/p. The first two are solved with HiGHS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from torch import Tensor

from harness.method import ProblemError

Floats = NDArray[np.float64]

MAX_TUPLES = 50_000
"""Largest |V|^k for which programs over tuples are set up."""


def optimal_acceptance(p: Tensor, q: Tensor, k: Tensor | int) -> Tensor:
    """α_k = min over H of 1 + q(H) − p(H)^k, attained at a prefix of the tokens sorted by q/p.

    The objective is concave in (p(H), q(H)), so a vertex of their zonotope is optimal; tokens
    that the draft never proposes come last. O(V log V).

    Args:
        p: Draft probabilities, shape (R, V).
        q: Target probabilities, shape (R, V).
        k: Number of candidates, of all rows or shape (R,).

    Returns:
        Shape (R,).
    """
    ratio = torch.where(p > 0, q / p, torch.inf)
    order = ratio.argsort(-1)
    mass_p = p.gather(-1, order).cumsum(-1).clamp(max=1.0)
    mass_q = q.gather(-1, order).cumsum(-1)
    exponent = torch.as_tensor(k, dtype=p.dtype, device=p.device).reshape(-1, 1)
    return (1.0 + mass_q - mass_p**exponent).min(-1).values.clamp(max=1.0)


def full_program(p: Floats, q: Floats, k: int) -> tuple[float, int]:
    """α_k and the number of variables of the paper's linear program over couplings π(x, y).

    One of the equality constraints is redundant; it is left out, because with round-off in the
    marginals the solver would call the program infeasible.

    Raises:
        ProblemError: If |V|^k is too large.
    """
    tuples = _tuples(len(p), k)
    v, n = len(p), len(tuples)
    weights = p[tuples].prod(axis=1)
    member = np.zeros((n, v), dtype=bool)
    member[np.arange(n)[:, None], tuples] = True
    pair = np.arange(n * v)
    rows = np.concatenate([pair // v, n + pair % v])
    constraints = csr_array((np.ones(2 * n * v), (rows, np.tile(pair, 2))), shape=(n + v, n * v))
    marginals = np.concatenate([weights / weights.sum(), q / q.sum()])
    cost = 1.0 - member.ravel().astype(np.float64)
    found = linprog(cost, A_eq=constraints[:-1], b_eq=marginals[:-1], bounds=(0, None), method="highs")
    if not found.success:
        raise ProblemError(f"HiGHS found no optimum: {found.message}", where="optimal transport")
    return 1.0 - float(found.fun), n * v


@dataclass(frozen=True)
class Flow:
    """An optimal plan: which token to emit for which set of candidates.

    Attributes:
        supports: Bit sets of candidate sets, increasing, shape (S,).
        emit: P(Y = y through membership | support), shape (S, V).
        rest: Distribution of Y given no membership, shape (V,).
        value: α_k.
    """

    supports: NDArray[np.int64]
    emit: Floats
    rest: Floats
    value: float


def optimal_flow(p: Floats, q: Floats, k: int) -> Flow:
    """The optimal plan from the maximum flow f(S, y), y ∈ S, between support sets and tokens.

    Maximises Σ f subject to Σ_y f(S, y) ≤ W(S) and Σ_S f(S, y) ≤ q(y), where W(S) is the
    probability that the k candidates have support S.

    Raises:
        ProblemError: If |V|^k is too large.
    """
    return _flow(p.tobytes(), q.tobytes(), k)


@lru_cache(maxsize=4096)
def _flow(p_bytes: bytes, q_bytes: bytes, k: int) -> Flow:
    p, q = np.frombuffer(p_bytes), np.frombuffer(q_bytes)
    tuples = _tuples(len(p), k)
    sets = np.bitwise_or.reduce(np.left_shift(1, tuples), axis=1)
    supports, inverse = np.unique(sets, return_inverse=True)
    weight: Floats = np.bincount(inverse, weights=p[tuples].prod(axis=1)).astype(np.float64)
    row, token = np.nonzero((supports[:, None] >> np.arange(len(p))) & 1)
    edge = np.arange(len(row))
    ends = np.concatenate([row, len(supports) + token])
    shape = (len(supports) + len(p), len(row))
    capacity = csr_array((np.ones(2 * len(row)), (ends, np.tile(edge, 2))), shape=shape)
    found = linprog(
        -np.ones(len(row)), A_ub=capacity, b_ub=np.concatenate([weight, q]), bounds=(0, None), method="highs"
    )
    if not found.success:
        raise ProblemError(f"HiGHS found no optimum: {found.message}", where="optimal transport")
    mass = np.zeros((len(supports), len(p)))
    mass[row, token] = np.clip(found.x, 0.0, None)
    return _feasible(supports, weight, q, mass)


def _feasible(supports: NDArray[np.int64], weight: Floats, q: Floats, mass: Floats) -> Flow:
    """Turn a flow (S, V), feasible up to the solver's tolerance, into conditional distributions.

    The solver may exceed a capacity by 1e-9. Scaling each column to at most q(y) and each row to
    at most W(S) makes the plan feasible to rounding, and so its distribution exact.
    """
    mass = mass * np.minimum(1.0, q / np.maximum(mass.sum(axis=0), 1e-300))
    mass = mass * np.minimum(1.0, weight / np.maximum(mass.sum(axis=1), 1e-300))[:, None]
    rest = np.clip(q - mass.sum(axis=0), 0.0, None)
    left = rest.sum()
    emit = mass / np.where(weight > 0, weight, 1.0)[:, None]
    return Flow(supports, emit, rest / left if left > 0 else q.copy(), float(mass.sum()))


def _tuples(vocabulary: int, k: int) -> NDArray[np.int64]:
    if vocabulary**k > MAX_TUPLES:
        raise ProblemError(
            f"Optimal transport over {vocabulary}^{k} candidate tuples is too large",
            where="OTM-k",
            fix=f"Use K-SEQ, or keep |V|^k at most {MAX_TUPLES}.",
        )
    return np.array(list(product(range(vocabulary), repeat=k)), dtype=np.int64)
