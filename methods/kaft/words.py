"""What counts as following a context and as avoiding it (card, section 3.2).

Both metrics compare sets of unigrams, with strict thresholds: a recall of exactly .8 does not
follow, an overlap of exactly .5 does not avoid. Counts are compared as integers, so that a
threshold is never missed by rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "against",
        "all",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "did",
        "do",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "herself",
        "him",
        "himself",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "just",
        "me",
        "more",
        "most",
        "my",
        "myself",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "ours",
        "ourselves",
        "out",
        "over",
        "own",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "theirs",
        "them",
        "themselves",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "you",
        "your",
        "yours",
        "yourself",
        "yourselves",
    ]
)
"""Common English function words; the paper does not print its list."""

FROM_CONTEXT = "(from context)"
IRRELEVANT = "(irrelevant context)"
EMPTY = "(empty context)"
TAGS = (FROM_CONTEXT, IRRELEVANT, EMPTY)
"""Provenance tags after the answer in KAFT's targets."""

_WORD = re.compile(r"[a-z0-9]+")
_TAG = re.compile(r"\s*\(?\b(?:from|irrelevant|empty) context\b\)?\s*$", re.IGNORECASE)


def unigrams(text: str) -> list[str]:
    """U(s): lower-case words of letters and digits, without stop words."""
    return [word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS]


def strip_tag(prediction: str) -> str:
    """The answer without its provenance tag.

    Left in, a tag would dilute the overlap and make a copied distractor look robust.
    """
    return _TAG.sub("", prediction.strip()).strip()


def recall(prediction: str, answer: str) -> float:
    """Share of the answer's unigrams that are in the prediction; 0 if the answer has none."""
    hits, total = _recalled(prediction, answer)
    return hits / total if total else 0.0


def follows(prediction: str, answer: str) -> bool:
    """Whether a prediction gives the answer: recall strictly above .8."""
    hits, total = _recalled(prediction, answer)
    return 5 * hits > 4 * total


def overlap(prediction: str, context: str) -> float:
    """Share of the prediction's unigrams that are in the context; 0 if the prediction has none."""
    hits, total = _overlapping(prediction, context)
    return hits / total if total else 0.0


def avoids(prediction: str, context: str) -> bool:
    """Whether a prediction is not taken from a context: overlap strictly below .5.

    A prediction without unigrams avoids everything; :func:`is_empty` tells it apart.
    """
    hits, total = _overlapping(prediction, context)
    return not total or 2 * hits < total


def is_empty(prediction: str) -> bool:
    """Whether a prediction has no unigrams once its tag is gone."""
    return not unigrams(strip_tag(prediction))


def same(left: str, right: str) -> bool:
    """Whether two answers have the same unigrams in the same order, tags aside."""
    return unigrams(strip_tag(left)) == unigrams(strip_tag(right))


def gives_any(prediction: str, aliases: Iterable[str]) -> bool:
    """Whether a prediction follows one of several names of an answer."""
    return any(follows(prediction, alias) for alias in aliases)


def _recalled(prediction: str, answer: str) -> tuple[int, int]:
    said, asked = set(unigrams(strip_tag(prediction))), unigrams(answer)
    return sum(word in said for word in asked), len(asked)


def _overlapping(prediction: str, context: str) -> tuple[int, int]:
    words, known = unigrams(strip_tag(prediction)), set(unigrams(context))
    return sum(word in known for word in words), len(words)
