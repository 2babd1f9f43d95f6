"""Ranking measures of one query, and metrics over per-query rows.

A ranker gives each candidate of a query a score; a grade says how relevant a candidate is (0: not
at all). Equal scores are not an order. Each measure is therefore given twice: as its expectation
when ties are broken at random (in closed form; the column that verdicts read), and pessimistically,
ties going against the more relevant candidate (the same column with ``_low`` behind its name).

Measures follow ``trec_eval``: relevant means a grade above 0, nDCG has linear gains and the
discount 1 / log2(1 + rank), and relevant documents that no candidate list holds still count in the
ideal ranking, in average precision and in recall.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import Metric, ProblemError, mean_of

Floats = NDArray[np.float64]
Ties = Literal["expected", "pessimistic"]
CUT = 10
"""The usual cut-off rank of MRR and nDCG."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Candidates of equal score.

    Attributes:
        before: Candidates that rank above them.
        size: How many they are.
        relevant: How many of them are relevant.
        found: Relevant candidates above them.
        gain: Mean of their grades, at least 0.
    """

    before: int
    size: int
    relevant: int
    found: int
    gain: float


def rank_query(
    scores: Sequence[float] | Floats,
    grades: Sequence[float] | Floats,
    *,
    cuts: Sequence[int] = (CUT,),
    unretrieved: Sequence[float] = (),
) -> dict[str, float]:
    """All measures of one query's ranking.

    Args:
        scores: Shape (n,); higher ranks first. Infinite scores are allowed.
        grades: Shape (n,): relevance of each candidate; negative ones count as 0.
        cuts: Ranks k of ``rr<k>``, ``ndcg<k>`` and ``recall<k>``.
        unretrieved: Grades of relevant documents that are not among the candidates.

    Returns:
        ``rr<k>``, ``ndcg<k>``, ``recall<k>`` for each cut, and ``ap``; each also with ``_low``.

    Raises:
        ProblemError: If a score is no number, the lengths differ, a cut is below 1, or nothing is
            relevant.
    """
    values, gains, missed = _checked(scores, grades, cuts, unretrieved)
    # The last key counts first: by score, and the least relevant first among equal scores.
    order = np.lexsort((gains, -values))
    ranked, sorted_gains = values[order].tolist(), gains[order].tolist()
    ideal = sorted([*sorted_gains, *missed.tolist()], reverse=True)
    expected = _measures(_groups(ranked, sorted_gains), ideal, cuts)
    ties = len(set(ranked)) < len(ranked)
    alone = _groups(list(range(len(ranked))), sorted_gains) if ties else []
    pessimistic = _measures(alone, ideal, cuts) if ties else expected
    return expected | {f"{name}_low": value for name, value in pessimistic.items()}


def rank_queries(
    ids: Sequence[str],
    scores: Iterable[Sequence[float] | Floats],
    grades: Iterable[Sequence[float] | Floats],
    *,
    cuts: Sequence[int] = (CUT,),
    unretrieved: Iterable[Sequence[float]] | None = None,
) -> dict[str, list[float] | list[str]]:
    """One row a query: ``unit_id`` and the columns of :func:`rank_query`.

    Raises:
        ProblemError: As :func:`rank_query`, naming the query.
    """
    missed = unretrieved if unretrieved is not None else [()] * len(ids)
    rows = []
    for name, values, relevance, outside in zip(ids, scores, grades, missed, strict=True):
        try:
            rows.append(rank_query(values, relevance, cuts=cuts, unretrieved=outside))
        except ProblemError as error:
            raise ProblemError(error.what, where=f"query '{name}'", fix=error.fix) from error
    columns = {column: [row[column] for row in rows] for column in (rows[0] if rows else {})}
    return {"unit_id": list(ids), **columns}


def mrr(at: int = CUT, *, ties: Ties = "expected") -> Metric:
    """Mean reciprocal rank of the first relevant candidate, 0 below rank ``at``."""
    return _mean(f"rr{at}", f"MRR@{at}", ties)


def ndcg(at: int = CUT, *, ties: Ties = "expected") -> Metric:
    """Normalised discounted cumulative gain of the first ``at`` candidates."""
    return _mean(f"ndcg{at}", f"nDCG@{at}", ties)


def average_precision(*, ties: Ties = "expected") -> Metric:
    """Mean average precision."""
    return _mean("ap", "MAP", ties)


def recall(at: int, *, ties: Ties = "expected") -> Metric:
    """Share of the relevant documents among the first ``at`` candidates."""
    return _mean(f"recall{at}", f"recall@{at}", ties)


def _mean(column: str, name: str, ties: Ties) -> Metric:
    if ties == "pessimistic":
        column, name = f"{column}_low", f"{name} (ties against the relevant)"
    return mean_of(column, better="higher", name=name, worst=0.0)


def _checked(
    scores: Sequence[float] | Floats,
    grades: Sequence[float] | Floats,
    cuts: Sequence[int],
    unretrieved: Sequence[float],
) -> tuple[Floats, Floats, Floats]:
    values = np.asarray(scores, dtype=np.float64)
    gains = np.clip(np.asarray(grades, dtype=np.float64), 0, None)
    missed = np.clip(np.asarray(unretrieved, dtype=np.float64), 0, None)
    if values.ndim != 1 or values.shape != gains.shape:
        raise ProblemError(
            f"Scores of shape {values.shape} do not belong to grades of shape {gains.shape}",
            where="ranking",
            fix="Give one score and one grade for each candidate of the query.",
        )
    if np.isnan(values).any() or np.isnan(gains).any() or np.isnan(missed).any():
        raise ProblemError(
            f"{int(np.isnan(values).sum())} of {len(values)} scores are not numbers",
            where="ranking",
            fix="A ranker that diverged has no ranking: lower its learning rate, or look for masked "
            "tokens that leave nothing to compare.",
        )
    if any(cut < 1 for cut in cuts):
        raise ProblemError(f"Cuts are ranks from 1 on, not {list(cuts)}", where="ranking")
    if not (gains > 0).any() and not (missed > 0).any():
        raise ProblemError(
            "The query has no relevant document, so its measures are undefined",
            where="ranking",
            fix="Leave such queries out and report how many they are.",
        )
    return values, gains, missed


def _groups(ranked: Sequence[float], gains: Sequence[float]) -> list[_Group]:
    """Groups of equal neighbours in a ranking, best first."""
    size = len(ranked)
    starts = [place for place in range(size) if not place or ranked[place] != ranked[place - 1]]
    groups, found = [], 0
    for start, end in pairwise([*starts, size]):
        held = gains[start:end]
        relevant = sum(gain > 0 for gain in held)
        groups.append(_Group(start, end - start, relevant, found, math.fsum(held) / (end - start)))
        found += relevant
    return groups


def _measures(groups: list[_Group], ideal: Sequence[float], cuts: Sequence[int]) -> dict[str, float]:
    relevant = sum(gain > 0 for gain in ideal)
    result = {}
    for k in cuts:
        most = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(ideal[:k], 1))
        result[f"rr{k}"] = _reciprocal_rank(groups, k)
        result[f"ndcg{k}"] = _gained(groups, k) / most
        result[f"recall{k}"] = sum(_relevant_within(group, k) for group in groups) / relevant
    result["ap"] = sum(_precisions(group) for group in groups if group.relevant) / relevant
    return result


def _reciprocal_rank(groups: list[_Group], k: int) -> float:
    """E[1 / rank of the first relevant], 0 below rank k.

    In a group of n with r relevant, the first of them is the j-th with probability
    C(n - j, r - 1) / C(n, r).
    """
    group = next((group for group in groups if group.relevant), None)
    if group is None:
        return 0.0
    n, r = group.size, group.relevant
    last = min(n - r + 1, k - group.before)
    orders = math.comb(n, r)
    return sum(math.comb(n - j, r - 1) / orders / (group.before + j) for j in range(1, last + 1))


def _gained(groups: list[_Group], k: int) -> float:
    """E[DCG@k]: each rank of a group holds the group's mean gain on average."""
    total = 0.0
    for group in groups:
        last = min(k, group.before + group.size)
        total += sum(group.gain / math.log2(1 + rank) for rank in range(group.before + 1, last + 1))
    return total


def _relevant_within(group: _Group, k: int) -> float:
    """Expected number of the group's relevant candidates down to rank k."""
    return group.relevant * min(group.size, max(0, k - group.before)) / group.size


def _precisions(group: _Group) -> float:
    """Expected sum of the precisions at the ranks of the group's relevant candidates.

    The j-th place is relevant with probability r / n; if it is, (r - 1)(j - 1) / (n - 1) of the
    places before it in the group are, on average.
    """
    n, r = group.size, group.relevant
    above = group.found + 1
    each = (r - 1) / max(1, n - 1)
    return sum(r / n * (above + each * (j - 1)) / (group.before + j) for j in range(1, n + 1))
