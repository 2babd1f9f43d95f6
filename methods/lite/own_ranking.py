"""Ranking the documents of an index for queries of one's own, and files of what was found."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.method import ProblemError
from methods.lite.late import LateInteraction, LateOptions
from methods.lite.own_encoder import TokenEncoder
from methods.lite.own_index import Index
from methods.lite.tokens import fixed_length, slices

AT_ONCE = 256
"""Documents that are scored at once; of four dimensions, it bounds the memory that ranking takes."""


@dataclass
class Best:
    """The best documents of a query so far.

    Attributes:
        top: How many are kept.
        rows: Their rows in the index.
        scores: Highest first; equal ones in the order of the index.
    """

    top: int
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def offer(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Keep what is among the best."""
        rows, scores = np.concatenate([self.rows, rows]), np.concatenate([self.scores, scores])
        order = np.lexsort((rows, -scores))[: self.top]
        self.rows, self.scores = rows[order], scores[order]


def check_fit(index: Index, late: LateInteraction, encoder: TokenEncoder) -> None:
    """Refuse an encoder or a scorer that an index was not made for.

    Raises:
        ProblemError: Saying which, and what to do.
    """
    made, options = index.made, late.options
    if encoder.identity != made.encoder:
        raise ProblemError(
            "The index holds vectors of another encoder than this one",
            where=f"{encoder.folder}, SHA-256 {encoder.identity[:12]}; index {made.encoder[:12]}",
            fix=f"Give the encoder that was at {made.folder}, or build the index again.",
        )
    if options.encoder and options.encoder != made.encoder:
        raise ProblemError(
            "The scorer was trained on vectors of another encoder than the index holds",
            where=f"SHA-256 {options.encoder[:12]}, index {made.encoder[:12]}",
            fix="Build the index with the scorer's encoder, or train the scorer with the index's.",
        )
    fits = (options.dim, options.document_tokens, options.vectors, options.reduced_by)
    there = (made.dim, made.document_tokens, made.vectors, made.reduction)
    if fits != there:
        raise ProblemError(
            f"The scorer is for {_shape(*fits)}, and the index has {_shape(*there)}",
            where="index",
            fix=f"Build the index with --document-tokens {options.document_tokens}"
            + (f" --vectors {options.vectors} --reduction {options.reduction}" if options.vectors else "")
            + (", and without --vectors." if made.vectors and not options.vectors else "."),
        )


def plain_scorer(index: Index, query_tokens: int) -> LateInteraction:
    """MaxSim for the vectors of an index, without anything learnt."""
    made = index.made
    options = LateOptions(
        dim=made.dim,
        scorer="maxsim",
        query_tokens=query_tokens,
        document_tokens=made.document_tokens,
        vectors=made.vectors,
        reduction=made.reduction,
        project=False,
        scale=False,
    )
    return LateInteraction(options).eval()


@torch.inference_mode()
def rank_all(
    index: Index, late: LateInteraction, queries: Sequence[NDArray[np.float32]], top: int
) -> list[Best]:
    """The best documents of the whole index for each query; the index is read once.

    Args:
        index: The documents.
        late: Scores; see :func:`check_fit`.
        queries: Token vectors of each query, shape (tokens, P).
        top: Documents a query.
    """
    q, q_mask = _asked(late, queries)
    found = [Best(top) for _ in queries]
    for part in slices(len(index), AT_ONCE):
        rows = torch.arange(part.start, part.stop)
        d, d_mask = _on(late, *index.dense(rows))
        for one, best in enumerate(found):
            scores = _scores(late, (q[one], q_mask[one]), (d, d_mask))
            best.offer(rows.numpy(), scores)
    return found


@torch.inference_mode()
def rank_candidates(
    index: Index,
    late: LateInteraction,
    queries: Sequence[NDArray[np.float32]],
    candidates: Sequence[Sequence[int]],
    top: int,
) -> list[Best]:
    """The best of each query's candidates, which are rows of the index."""
    q, q_mask = _asked(late, queries)
    found = [Best(top) for _ in queries]
    for one, (best, listed) in enumerate(zip(found, candidates, strict=True)):
        for part in slices(len(listed), AT_ONCE):
            rows = torch.tensor(listed[part])
            d, d_mask = _on(late, *index.dense(rows))
            best.offer(rows.numpy(), _scores(late, (q[one], q_mask[one]), (d, d_mask)))
    return found


def trec_run(names: Sequence[str], index: Index, found: Sequence[Best], tag: str) -> str:
    """Lines of ``query Q0 document rank score tag``, as trec_eval and ir-measures read them."""
    return "".join(
        f"{name} Q0 {index.ids[row]} {rank} {score:.9g} {tag}\n"
        for name, best in zip(names, found, strict=True)
        for rank, (row, score) in enumerate(zip(best.rows, best.scores, strict=True), 1)
    )


def csv_table(names: Sequence[str], index: Index, found: Sequence[Best]) -> str:
    """The same as a table with the columns query, document, rank and score."""
    table = StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["query", "document", "rank", "score"])
    for name, best in zip(names, found, strict=True):
        for rank, (row, score) in enumerate(zip(best.rows, best.scores, strict=True), 1):
            writer.writerow([name, index.ids[row], rank, f"{score:.9g}"])
    return table.getvalue()


def rows_of(
    index: Index, names: Sequence[str], candidates: Mapping[str, Sequence[tuple[str, int]]], where: str
) -> list[list[int]]:
    """Rows of each query's candidates; a query without any has an empty list.

    Raises:
        ProblemError: If the index lacks a document.
    """
    rows = []
    for name in names:
        listed = candidates.get(name, ())
        for document, line in listed:
            if document not in index.rows:
                raise ProblemError(
                    f"The index has no document '{document}'",
                    where=f"{where}, line {line}",
                    fix="Build the index of all documents that the first stage ranked.",
                )
        rows.append([index.rows[document] for document, _ in listed])
    return rows


def _asked(late: LateInteraction, queries: Sequence[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    matrices = [torch.from_numpy(vectors) for vectors in queries]
    q, mask, _ = fixed_length(matrices, late.options.query_tokens, width=late.options.dim)
    q, mask = _on(late, q, mask)
    return late.ranker.tower.queries(q, mask), mask


def _scores(
    late: LateInteraction, query: tuple[Tensor, Tensor], documents: tuple[Tensor, Tensor]
) -> NDArray[np.float32]:
    """Scores of stored vectors, which are not reduced or normalised any more, shape (n,)."""
    (q, q_mask), (d, d_mask) = query, documents
    found = late.ranker.scorer.candidates(q[None], d[None], q_mask[None], d_mask[None])[0]
    scores: NDArray[np.float32] = found.float().cpu().numpy()
    if not np.isfinite(scores).all():
        raise ProblemError(
            "A score is not finite", where=late.options.scorer, fix="Train with a smaller --rate."
        )
    return scores


def _on(late: LateInteraction, *tensors: Tensor) -> tuple[Tensor, ...]:
    device = next((p.device for p in late.parameters()), torch.device("cpu"))
    return tuple(tensor.to(device) for tensor in tensors)


def _shape(dim: int, tokens: int, vectors: int, reduction: str) -> str:
    fewer = f", {vectors} of them kept by {reduction}" if vectors else ""
    return f"vectors of {dim} dimensions of {tokens} tokens{fewer}"
