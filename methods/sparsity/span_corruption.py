"""Bytes as tokens, and the pre-training task of T5: fill in spans that were cut out.

Ids are those of ByT5 (Xue et al., 2022, arXiv:2105.13626): padding, end, unknown, 256 bytes, then
sentinels. Spans follow T5 (Raffel et al., 2020, arXiv:1910.10683, section 3.1.4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError

PAD = 0
"""Fills rows, and starts the decoder."""
END = 1
FIRST_BYTE = 3
SENTINELS = 125
VOCABULARY = FIRST_BYTE + 256 + SENTINELS

Ids = NDArray[np.int64]


def encode(text: str) -> Ids:
    """The UTF-8 bytes of a text as ids, without an end, shape (n,)."""
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64) + FIRST_BYTE


def corrupt_spans(
    ids: Ids, rng: np.random.Generator, *, share: float = 0.15, mean_span: float = 3.0
) -> tuple[Ids, Ids]:
    """Cut random spans out of a sequence.

    Args:
        ids: A sequence, shape (n,), n ≥ 2.
        rng: Chooses the spans.
        share: Share of tokens cut out; at least one is, and one stays.
        mean_span: Mean length of a span in tokens.

    Returns:
        The encoder's input, where the i-th span is replaced by the i-th sentinel, and the target:
        each sentinel followed by its span. Both end with the end token.

    Raises:
        ProblemError: If the sequence is too short, or so long that the sentinels run out.
    """
    if len(ids) < 2:
        raise ProblemError(f"A sequence of {len(ids)} tokens has no span to spare", fix="Give at least 2.")
    cut = min(max(round(len(ids) * share), 1), len(ids) - 1)
    spans = max(round(cut / mean_span), 1)
    spans = min(spans, cut, len(ids) - cut)
    if spans > SENTINELS:
        raise ProblemError(
            f"{spans} spans need more than {SENTINELS} sentinels", fix="Give a shorter sequence."
        )
    kept, lost = _parts(len(ids) - cut, spans, rng), _parts(cut, spans, rng)
    source: list[Ids] = []
    target: list[Ids] = []
    place = 0
    for number, (stay, go) in enumerate(zip(kept, lost, strict=True)):
        sentinel = np.array([VOCABULARY - 1 - number])
        source += [ids[place : place + stay], sentinel]
        target += [sentinel, ids[place + stay : place + stay + go]]
        place += stay + go
    end = np.array([END])
    return np.concatenate([*source, end]), np.concatenate([*target, end])


def padded(rows: list[Ids]) -> Ids:
    """Rows of different lengths as one array, shape (B, longest), filled with padding at the end."""
    table = np.full((len(rows), max(map(len, rows))), PAD, dtype=np.int64)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table


def _parts(total: int, parts: int, rng: np.random.Generator) -> Ids:
    """``total`` as a sum of ``parts`` positive numbers, all such sums equally likely."""
    inner = np.sort(rng.permutation(total - 1)[: parts - 1]) + 1
    return np.diff(np.concatenate([[0], inner, [total]]))
