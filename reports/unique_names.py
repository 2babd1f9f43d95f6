"""Names that nothing confuses: of files, of anchors in the page, and of labels.

What a suite declares and what every report shows share one folder of CSV files and one space of
labels, and some file systems take "Cost" and "cost" for the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reports.document import Block, Card, Document, Figure, Section, Table
from reports.sample_views import Trajectories, Tree
from reports.text import anchor

Shown = Table | Figure | Trajectories | Tree

_OWN_FILES = ("numbers",)
"""CSV files that are no table."""


def anchors(names: Iterable[str], kind: str) -> dict[str, str]:
    """An anchor for each name, ``kind`` in front, all of them different whatever the names hold."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if name not in found:
            found[name] = _free(anchor(f"{kind}-{name}"), taken, "")
    return found


def with_unique_names(document: Document) -> Document:
    """The document with tables, figures and sample views renamed where their names are taken.

    The list of verdicts keeps its name before all, what the suite declares before what the report adds.
    """
    taken: dict[type, set[str]] = {Table: set(_OWN_FILES), Figure: set(), Trajectories: set()}
    names: dict[int, str] = {}
    for shown, is_declared in _by_right(document):
        kind = Trajectories if isinstance(shown, Trajectories | Tree) else type(shown)
        names[id(shown)] = _free(shown.id, taken[kind], "paper-" if is_declared else "report-")
    sections = tuple(_renamed(section, names) for section in document.sections)
    return replace(document, sections=sections)


def _by_right(document: Document) -> Iterator[tuple[Shown, bool]]:
    """What has a name, those that keep theirs first, and whether the suite declares it."""
    found = [
        (block, section.id in ("tables", "figures", "exhibits"))
        for section in document.sections
        for outer in section.blocks
        for block in (outer, *(outer.blocks if isinstance(outer, Card) else ()))
        if isinstance(block, Shown)
    ]
    yield from sorted(found, key=lambda pair: (pair[0].id != "verdicts" or pair[1], not pair[1]))


def _free(name: str, taken: set[str], prefix: str) -> str:
    """The name itself, or one like it that is free, without regard to case."""
    free, count = name, 1
    while free.casefold() in taken:
        free = f"{prefix}{name}" if count == 1 and prefix else f"{prefix}{name}-{count + (not prefix)}"
        count += 1
    taken.add(free.casefold())
    return free


def _renamed(section: Section, names: Mapping[int, str]) -> Section:
    return replace(section, blocks=tuple(_block(block, names) for block in section.blocks))


def _block(block: Block, names: Mapping[int, str]) -> Block:
    if isinstance(block, Card):
        return replace(block, blocks=tuple(_block(inner, names) for inner in block.blocks))
    if isinstance(block, Shown):
        return block if names[id(block)] == block.id else replace(block, id=names[id(block)])
    return block
