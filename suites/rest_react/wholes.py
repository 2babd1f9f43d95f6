"""The paper's compound claims, in its own terms."""

from __future__ import annotations

from harness.claims import Claim


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


WHOLES = (
    _whole(
        "C1",
        "Iterated self-improvement makes an agent of the same size better.",
        "Table 1, Figure 1",
        "t1-gen0-l",
        "t1-gen1-l",
        "t1-gen2-l",
    ),
    _whole(
        "C2",
        "The agent's own data distil it into much smaller models of comparable performance.",
        "abstract",
        "smaller",
    ),
    _whole("C3", "Distillation improves with the generation of the data.", "Table 1"),
    _whole("C4", "The gains hold in human evaluation and on an untouched test set.", "Table 2"),
    _whole("C7", "Two trajectories a question help, and four add nothing.", "Table 3"),
    _whole("C9", "Better data also make evaluations spread less.", "Tables 1 and 3"),
    _whole(
        "C10",
        "Self-critique gives a small gain, more for larger models, that self-improvement leaves as it is.",
        "Figure 4, Table 4",
        "self-critique",
    ),
    _whole("C11", "Feedback on single steps suffices: no labels are needed.", "section 6", "no-labels"),
    _whole("C12", "Ranking the samples of each step improves the data.", "section 3.5", "ranker"),
)
