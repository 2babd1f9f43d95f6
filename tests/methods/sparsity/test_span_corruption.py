"""Span corruption: nothing is lost, and about as much is cut out as was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.sparsity.span_corruption import END, PAD, SENTINELS, VOCABULARY, corrupt_spans, encode, padded

FIRST_SENTINEL = VOCABULARY - SENTINELS


def restored(source: np.ndarray, target: np.ndarray) -> list[int]:
    """Put the spans of the target back where their sentinels stand."""
    spans: dict[int, list[int]] = {}
    for token in target[:-1]:
        if token >= FIRST_SENTINEL:
            spans[int(token)] = current = []
        else:
            current.append(int(token))
    whole: list[int] = []
    for token in source[:-1]:
        whole += spans.pop(int(token)) if token >= FIRST_SENTINEL else [int(token)]
    assert spans == {}
    return whole


@given(
    length=st.integers(2, 600),
    share=st.floats(0.01, 0.6),
    mean_span=st.floats(1.0, 8.0),
    seed=st.integers(0, 1000),
)
def test_source_and_target_restore_the_text(length: int, share: float, mean_span: float, seed: int) -> None:
    ids = np.random.default_rng(seed).integers(3, 259, size=length)
    try:
        source, target = corrupt_spans(ids, np.random.default_rng(seed), share=share, mean_span=mean_span)
    except ProblemError:
        assert round(length * share) / mean_span > SENTINELS
        return
    assert restored(source, target) == ids.tolist()
    assert source[-1] == target[-1] == END
    lost = (target < FIRST_SENTINEL).sum() - 1
    assert lost == min(max(round(length * share), 1), length - 1)
    sentinels = [int(token) for token in source if token >= FIRST_SENTINEL]
    assert sentinels == list(range(VOCABULARY - 1, VOCABULARY - 1 - len(sentinels), -1))


def test_spans_have_the_length_asked_for_and_fall_everywhere() -> None:
    ids, rng = np.full(200, 7), np.random.default_rng(0)
    starts = np.zeros(200)
    for _ in range(300):
        source, target = corrupt_spans(ids, rng)
        sentinels = np.flatnonzero(source >= FIRST_SENTINEL)
        assert len(sentinels) == 10
        assert len(target) == 30 + 10 + 1
        starts[sentinels] += 1
    quarters = starts[1:161].reshape(4, 40).sum(1)
    assert quarters.min() > 0.7 * quarters.max()


def test_bytes_are_ids_and_rows_are_filled() -> None:
    assert encode("aé").tolist() == [100, 198, 172]
    table = padded([encode("a"), encode("abc")])
    assert table.tolist() == [[100, PAD, PAD], [100, 101, 102]]


def test_bad_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ProblemError, match="1 tokens"):
        corrupt_spans(np.array([5]), rng)
    with pytest.raises(ProblemError, match="sentinels"):
        corrupt_spans(np.full(2000, 5), rng, share=0.5, mean_span=1.0)
