"""What is known of repositories on the Hugging Face hub: commits, licences, files, columns.

Suites and methods name a repository; the file ``hub.toml`` beside the suites states the rest, and
what confirmed it. Nothing here asks the hub: ``corroborate doctor --online`` does.
"""

from harness.hub.facts import (
    UNSAFE_SUFFIXES,
    HubFact,
    HubFacts,
    installed_facts,
    licence_of,
    page_of,
    read_facts,
    size_mb_of,
    source_text,
)

__all__ = [
    "UNSAFE_SUFFIXES",
    "HubFact",
    "HubFacts",
    "installed_facts",
    "licence_of",
    "page_of",
    "read_facts",
    "size_mb_of",
    "source_text",
]
