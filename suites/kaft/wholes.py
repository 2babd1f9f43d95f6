"""The paper's compound claims, in its own terms."""

from __future__ import annotations

from harness.claims import Claim


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


WHOLES = (
    _whole("C1", "Pretrained and ordinarily finetuned models have low controllability.", "abstract", "low"),
    _whole("C2", "They have low robustness, too.", "abstract", "low"),
    _whole("C3", "Neither improves with model size.", "abstract", "low", "ignoring"),
    _whole(
        "C4",
        "KAFT strongly improves controllability over every baseline.",
        "main table",
        "gain-controllability",
    ),
    _whole("C5", "KAFT keeps or improves robustness at the same time.", "main table", "gain-robustness"),
    _whole("C6", "The gain holds across sizes.", "abstract", "across"),
    _whole(
        "C8", "The counterfactual contexts cause the gain in controllability.", "ablation study", "ablation"
    ),
    _whole("C9", "The irrelevant contexts cause the gain in robustness.", "ablation study", "ablation"),
    _whole("C10", "Unsupporting relevant contexts hurt both.", "ablation on context noise", "noise"),
)
