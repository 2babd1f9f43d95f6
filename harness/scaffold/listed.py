"""Where this repository lists its suites: a new one's row, reference and line are written by its record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from harness.errors import UsageError
from harness.scaffold.files import Facts

_REFERENCE = "  - type: article\n"


def _missing(what: str, where: str) -> UsageError:
    return UsageError(f"There is no {what}", where=where, fix="Stand in a checkout as it was cloned.")


def readme_with(text: str, slug: str, facts: Facts) -> str:
    """README.md with a row in the table of suites, in alphabetical order.

    Raises:
        UsageError: If there is no such table.
    """
    rows = list(re.finditer(r"^\| `([a-z0-9-]+)` \| \[.*\n", text, flags=re.MULTILINE))
    if not rows:
        raise _missing("table of suites", "README.md")
    at = next((row.start() for row in rows if row[1] > slug), rows[-1].end())
    link = f"[{facts.title}](https://arxiv.org/abs/{facts.arxiv})"
    return f"{text[:at]}| `{slug}` | {link} | {facts.runs} |\n{text[at:]}"


def citation_with(text: str, slug: str, facts: Facts) -> str:
    """CITATION.cff with a reference to the paper, in the order of the suites.

    Raises:
        UsageError: If there are no references.
    """
    head, *entries = text.split(_REFERENCE)
    if not entries:
        raise _missing("reference to a paper", "CITATION.cff")
    later = [index for index, entry in enumerate(entries) if _scope(entry) > slug]
    entries.insert(later[0] if later else len(entries), _reference(slug, facts))
    return _REFERENCE.join([head, *entries])


def _scope(entry: str) -> str:
    found = re.search(r"^    scope: Suite (.*)$", entry, flags=re.MULTILINE)
    return found[1] if found else ""


def _reference(slug: str, facts: Facts) -> str:
    authors = "".join(
        # "No" and "On" are names, too, and truth values without quotation marks.
        f'      - family-names: "{family}"\n' + (f'        given-names: "{given}"\n' if given else "")
        for given, family in facts.authors
    )
    return (
        f'    title: "{facts.title}"\n    authors:\n{authors}    year: {facts.year}\n'
        f'    identifiers:\n      - type: other\n        value: "arXiv:{facts.arxiv}"\n'
        f"        description: The arXiv preprint\n"
        f"    scope: Suite {slug}\n"
    )


def changelog_with(text: str, slug: str, facts: Facts) -> str:
    """CHANGELOG.md with a line on top of what is unreleased.

    Raises:
        UsageError: If there is no such section.
    """
    head, found, rest = text.partition("## Unreleased\n\n")
    if not found:
        raise _missing("section 'Unreleased'", "CHANGELOG.md")
    return f"{head}{found}- A new suite, `{slug}`: {facts.title}.\n{rest}"


LISTS: Mapping[str, Callable[[str, str, Facts], str]] = {
    "README.md": readme_with,
    "CITATION.cff": citation_with,
    "CHANGELOG.md": changelog_with,
}
"""How each of these pages tells of a suite."""
