"""Whether an answer is right: the exact oracle, and a judge that reads (card §5, §8)."""

from __future__ import annotations

import re
from collections.abc import Collection

_REFUSAL = re.compile(
    r"\b(unknown|unsure|unclear|cannot|can't|could not|no (?:answer|information)|not (?:known|sure|found)|"
    r"do(?:es)? not know|don't know|ill[- ]formed|nobody)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|isn't|never|neither|except|rather than|instead of)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)
_HEDGE = re.compile(r"\b(or|maybe|perhaps|possibly|either|might|one of)\b", re.IGNORECASE)


def normalised(text: str) -> str:
    """Lower-case words; numbers are one word with and without separators of thousands."""
    if "," in text:
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return " ".join(re.findall(r"\w+", text.lower()))


def mentioned(text: str, names: Collection[str]) -> set[str]:
    """The names that occur in a text as whole words, the longer first."""
    rest, found = f" {normalised(text)} ", set()
    for name in sorted(names, key=len, reverse=True):
        words = f" {normalised(name)} "
        if words in rest:
            found.add(name)
            rest = rest.replace(words, "  ")
    return found


def exactly_right(answer: str, reference: str) -> bool:
    """Whether an answer is the reference and nothing else, up to case and punctuation."""
    return normalised(answer) == normalised(reference)


def implies(answer: str, reference: str, names: Collection[str]) -> bool:
    """Whether an answer commits to the reference: the rule judge.

    A refusal, a denial of the reference, and a choice between several names do not.

    Args:
        answer: In free form.
        reference: The right name.
        names: All names that could be meant.
    """
    found = mentioned(answer, {*names, reference})
    if reference not in found or _REFUSAL.search(answer):
        return False
    places = [match.start() for match in re.finditer(re.escape(reference), answer, flags=re.IGNORECASE)]
    if places and all(_NEGATION.search(answer[:place]) for place in places):
        return False
    others = found - {reference}
    return not others or not (_HEDGE.search(answer) or _listed(answer, reference, others))


def _listed(answer: str, reference: str, others: Collection[str]) -> bool:
    """Whether the reference stands in an enumeration with other names."""
    names = "|".join(re.escape(name) for name in sorted(others, key=len, reverse=True))
    own = re.escape(reference)
    link = r"\s*(?:,|;|/|\band\b)\s*(?:and\s+)?"
    pattern = rf"(?:{own}{link}(?:{names}))|(?:(?:{names}){link}{own})"
    return re.search(pattern, answer, flags=re.IGNORECASE) is not None
