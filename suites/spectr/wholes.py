"""The paper's compound claims, in its own terms."""

from __future__ import annotations

from harness.claims import Claim


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim in the paper's words; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


WHOLES = (
    _whole("C1", "SpecTr decodes 2.13 times faster than plain sampling.", "abstract", "speedup-k8-l8"),
    _whole(
        "C2",
        "SpecTr decodes 1.37 times faster than speculative decoding with one draft.",
        "abstract",
        "speedup-over-sd",
    ),
    _whole(
        "C3",
        "SpecTr emits more tokens for each call of the target than one draft does.",
        "main table",
        "tau-k8-l8",
        "tau-k1-l8",
    ),
    _whole("C6", "More candidates raise the optimal acceptance probability.", "section on OTM", "monotone"),
    _whole(
        "C11", "Block efficiency grows with K and L, and time gains less than it does.", "discussion", "trend"
    ),
)
