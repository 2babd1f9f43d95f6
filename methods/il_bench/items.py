"""Labelled texts with anonymous labels, in exact splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.method import ProblemError

SYMBOLS: tuple[str, ...] = ("foo", "bar", "baz", "qux", "quux", "corge", "grault", "garply", "waldo", "fred")
"""Label names that mean nothing, so that nothing can be known about them."""


@dataclass(frozen=True)
class Item:
    """One input with its label.

    Attributes:
        id: Unique in its benchmark.
        text: What a language model reads.
        label: One of the benchmark's labels.
        values: The symbols behind the text, by variable, where there are any.
    """

    id: str
    text: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """A task with its splits.

    Attributes:
        name: Short name.
        question: What is asked, in a sentence.
        labels: All labels, in an order that means nothing.
        train: For learning and selection.
        validation: For choosing between programs and settings.
        test: For scores.
        shifted: Further test sets by the name of what changed.
    """

    name: str
    question: str
    labels: tuple[str, ...]
    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    test: tuple[Item, ...]
    shifted: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that labels are known, splits apart and everything there.

        Raises:
            ProblemError: If not.
        """
        everything = [*self.train, *self.validation, *self.test]
        strange = sorted({item.label for item in everything} - set(self.labels))
        repeated = [name for name, count in Counter(item.id for item in everything).items() if count > 1]
        if strange or repeated or not self.train or not self.test:
            raise ProblemError(
                f"labels without a name: {strange}; repeated items: {repeated[:3]}; "
                f"{len(self.train)} items to learn from, {len(self.test)} to test",
                where=self.name,
                fix="Name every label, give each item one split, and leave no split empty.",
            )


def anonymous(classes: Sequence[str], rng: np.random.Generator) -> dict[str, str]:
    """Meaningless names for classes, shuffled by the seed.

    Raises:
        ProblemError: If there are more classes than names.
    """
    if len(classes) > len(SYMBOLS):
        raise ProblemError(
            f"{len(classes)} classes and {len(SYMBOLS)} symbols", where="labels", fix="Use fewer classes."
        )
    order = rng.permutation(len(classes))
    return {str(classes[place]): SYMBOLS[number] for number, place in enumerate(order)}


def majority(items: Sequence[Item], labels: Sequence[str]) -> str:
    """The most frequent label; of several, the one named first in ``labels``."""
    counts = Counter(item.label for item in items)
    return max(labels, key=lambda label: (counts[label], -labels.index(label)))
