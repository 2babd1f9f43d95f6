"""The paper's compound claims, in its own terms."""

from __future__ import annotations

from harness.claims import Claim


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


WHOLES = (
    _whole("C3", "Fine-tuning learns the output format first.", "Figures 3 and 7", "cosine-mlp-300"),
    _whole(
        "C4",
        "On the target ProMoT is on par with fine-tuning and better than prompt tuning.",
        "Table 2",
        "rte-target-ft",
        "rte-target-promot",
        "rte-target-pt",
    ),
    _whole(
        "C5",
        "Tuned on entailment, ProMoT forgets much less than fine-tuning and even gains on other tasks.",
        "Table 3",
        "rte-avg1-pretrained",
        "rte-avg1-ft",
        "rte-avg1-promot",
    ),
    _whole(
        "C6",
        "Tuned on translation, ProMoT forgets much less than fine-tuning and even gains on other tasks.",
        "Table 4",
        "en-fr-avg1-pretrained",
        "en-fr-avg1-ft",
        "en-fr-avg1-promot",
    ),
)
