"""Placeholders for names, so that a small model learns to match and copy instead of memorising.

Entities become E1, E2, … and relations R1, R2, … in the order in which a prompt mentions them
(card §9). Names that a prompt does not mention cannot be written.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Names:
    """Placeholders of one prompt."""

    to: dict[str, str] = field(default_factory=dict)

    def hide(self, text: str) -> str:
        """Names that have a placeholder become it."""
        return _pattern(self.to).sub(lambda match: self.to[match.group()], text) if self.to else text

    def show(self, text: str) -> str:
        """Placeholders become names; one that nothing stands for is left."""
        back = {placeholder: name for name, placeholder in self.to.items()}
        return re.sub(r"\b[ER]\d+\b", lambda match: back.get(match.group(), match.group()), text)


@dataclass(frozen=True)
class Lexicon:
    """All names of a world; the longest that fits is taken."""

    entities: frozenset[str]
    relations: frozenset[str]

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Finds the names in a text; None if there are none."""
        everything = self.entities | self.relations
        return _pattern(everything) if everything else None

    def names(self, prompt: str) -> Names:
        """Placeholders for the names of a prompt."""
        found: dict[str, str] = {}
        counts = {"E": 0, "R": 0}
        for match in self.pattern.finditer(prompt) if self.pattern else ():
            if match.group() not in found:
                letter = "E" if match.group() in self.entities else "R"
                counts[letter] += 1
                found[match.group()] = f"{letter}{counts[letter]}"
        return Names(found)


def _pattern(names: Collection[str]) -> re.Pattern[str]:
    # Of names of one length the order does not matter; sorting it keeps the pattern the same each time.
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in ordered))
