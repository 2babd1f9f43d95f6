"""A learned program as a tree to be drawn: one row for each module and each label it ends in."""

from __future__ import annotations

from collections.abc import Sequence

from methods.il_bench.items import Item
from methods.il_bench.programs import Node, Path, Predict, route

Rows = dict[str, list[str]]
"""One entry a node in each of :data:`COLUMNS`."""
COLUMNS = ("unit_id", "parent", "edge", "text", "note")
ROOT = "root"
ANSWER = "is the answer"
"""Text of a label that no child follows."""


def program_rows(program: Node, items: Sequence[Item], predict: Predict) -> Rows:
    """A program with what happens in it to labelled items.

    A module's text is its instruction; its note says how many items reach it, and how many of them get
    a wrong label in the end. Below it are, edge by edge, its children and the labels that stand.

    Args:
        program: The program.
        items: Labelled items that run through it.
        predict: The executor.

    Returns:
        Rows in the order of the tree, parents before children.
    """
    reached: dict[Path, tuple[int, int]] = {}
    ends: dict[tuple[Path, str], tuple[int, int]] = {}
    for leaf in route(program, [item.text for item in items], predict):
        wrong = sum(items[place].label != leaf.label for place in leaf.members)
        ends[leaf.path, leaf.label] = (len(leaf.members), wrong)
        for length in range(len(leaf.path) + 1):
            count, errors = reached.get(leaf.path[:length], (0, 0))
            reached[leaf.path[:length]] = (count + len(leaf.members), errors + wrong)
    rows = []
    for path, node in program.modules():
        parent, edge = (_name(path[:-1]), path[-1]) if path else ("", "")
        rows.append((_name(path), parent, edge, node.instruction, _note(reached.get(path, (0, 0)))))
        rows += [
            (f"{_name(path)}={label}", _name(path), label, ANSWER, _note(counts))
            for (place, label), counts in ends.items()
            if place == path
        ]
    return {column: list(values) for column, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}


def _name(path: Path) -> str:
    return "/".join((ROOT, *path))


def _note(counts: tuple[int, int]) -> str:
    reached, wrong = counts
    return f"{reached} example{'s' * (reached != 1)}, {wrong} error{'s' * (wrong != 1)}"
