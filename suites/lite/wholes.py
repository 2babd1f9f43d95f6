"""The paper's compound claims, in its own terms."""

from __future__ import annotations

from harness.claims import Claim


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim in the paper's words; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


WHOLES = (
    _whole(
        "C1",
        "A scorer learnt on token similarities ranks better than the sum of maxima.",
        "in-domain table",
        "mrr-msmarco-lite",
        "mrr-msmarco-maxsim",
    ),
    _whole(
        "C3",
        "Late interaction nearly closes the gap between a dual encoder and a cross-encoder.",
        "in-domain table",
        "mrr-msmarco-de",
        "mrr-msmarco-lite",
        "mrr-msmarco-ce",
    ),
    _whole(
        "C5",
        "With a quarter of the storage, LITE is faster than ColBERT and still ranks better.",
        "abstract",
        "storage",
        "mrr-lite-50",
        "latency-lite-50",
    ),
    _whole(
        "C7",
        "The loss matters more than the scorer, and LITE gains most with plain labels.",
        "loss ablation on NQ",
        "loss-one-hot-lite",
        "loss-one-hot-maxsim",
    ),
    _whole(
        "C9",
        "Aligning each query token with its k best matches does not help.",
        "ablation of aligned tokens",
        "top-1",
        "top-2",
        "top-4",
        "top-8",
    ),
    _whole(
        "C11",
        "LITE is a universal approximator of scoring functions, even with two query and two document "
        "vectors.",
        "theory section",
        "universal",
    ),
    _whole(
        "C12",
        "A dot product in too few dimensions cannot approximate some scoring functions, LITE can.",
        "theory section",
        "de-bound",
    ),
)
