"""Which label an answer names."""

from __future__ import annotations

import re
from collections.abc import Sequence


def read_label(text: str, labels: Sequence[str]) -> str | None:
    """The label that an answer names, or None if it names none or several.

    Labels are matched as whole words, the longer first, so that ``bar`` is not found in ``barn`` and
    ``red`` not in ``dark red`` where both are labels. In an answer that reasons first, a last line
    of the form "label: …" (or "answer: …") decides.
    """
    stated = re.findall(r"(?:label|answer)\s*(?:is|:)\s*(.+)", text, flags=re.IGNORECASE)
    for part in (*stated[-1:], text):
        found = _named(part, labels)
        if len(found) == 1:
            return found.pop()
    return None


def _named(text: str, labels: Sequence[str]) -> set[str]:
    by_length = sorted(labels, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(label)}(?!\w)" for label in by_length)
    exact = {label.lower(): label for label in labels}
    return {exact[match.lower()] for match in re.findall(pattern, text, flags=re.IGNORECASE)}
