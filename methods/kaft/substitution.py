"""Counterfactual contexts: every mention of the answer replaced by another answer (card, section 3.4).

Names are replaced longest first and only as whole words, so that "Foo City" never becomes
"Bar City" and "Oman" is left alone inside "Romania".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from methods.kaft.words import unigrams

Reason = Literal["answer not in context", "fake is an alias", "fake already in context", "answer remains"]
"""Why an example cannot be made counterfactual."""


def mentions(text: str, name: str) -> bool:
    """Whether ``name`` occurs in ``text`` as whole words, in any case."""
    return bool(name.strip()) and _pattern([name]).search(text) is not None


def mentions_any(text: str, names: Sequence[str]) -> bool:
    """Whether one of several names occurs in ``text``."""
    return any(mentions(text, name) for name in names)


def replace_all(text: str, names: Sequence[str], replacement: str) -> str:
    """Replace every mention of any of ``names``; possessives keep their ending."""
    known = [name for name in names if name.strip()]
    return _pattern(known).sub(lambda _: replacement, text) if known else text


def substitute(context: str, aliases: Sequence[str], fake: str) -> tuple[str, Reason | None]:
    """Make a context assert ``fake`` where it asserted the answer.

    Args:
        context: Text that entails the answer.
        aliases: All names of the answer.
        fake: What to assert in its place.

    Returns:
        The new context and ``None``; or the old one and why it cannot be used.
    """
    if not mentions_any(context, aliases):
        return context, "answer not in context"
    if not unigrams(fake) or any(unigrams(fake) == unigrams(alias) for alias in aliases):
        return context, "fake is an alias"
    if mentions(context, fake):
        return context, "fake already in context"
    changed = replace_all(context, aliases, fake)
    if mentions_any(changed, aliases):
        return context, "answer remains"
    return changed, None


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    ordered = sorted((name.strip() for name in names), key=lambda name: (-len(name), name))
    # \b fails beside signs ("C++", "St."): ask for no letter or digit on either side instead.
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)", re.IGNORECASE)
