"""Rows of a drawn program: every item is counted once on each level, and errors where they arise."""

from __future__ import annotations

from collections.abc import Sequence

from methods.il_bench.exhibit import COLUMNS, program_rows
from methods.il_bench.items import Item
from methods.il_bench.programs import Node

# The card's golden: exclusive or of two bits, each input twice.
ITEMS = [Item(f"{a}{b}-{copy}", f"{a}{b}", str(a ^ b)) for copy in range(2) for a in (0, 1) for b in (0, 1)]


def bit(instruction: str, texts: Sequence[str]) -> list[str | None]:
    return [text[int(instruction)] for text in texts]


def rows(program: Node) -> list[tuple[str, ...]]:
    found = program_rows(program, ITEMS, bit)
    assert tuple(found) == COLUMNS
    return list(zip(*found.values(), strict=True))


def test_a_single_module_ends_in_its_labels() -> None:
    assert rows(Node("0", "0")) == [
        ("root", "", "", "0", "8 examples, 4 errors"),
        ("root=0", "root", "0", "is the answer", "4 examples, 2 errors"),
        ("root=1", "root", "1", "is the answer", "4 examples, 2 errors"),
    ]


def test_a_child_takes_the_place_of_a_label() -> None:
    found = rows(Node("0", "0", {"0": Node("1", "0")}))
    assert found[0] == ("root", "", "", "0", "8 examples, 2 errors")
    assert ("root/0", "root", "0", "1", "4 examples, 0 errors") in found
    assert [row[0] for row in found] == ["root", "root=1", "root/0", "root/0=0", "root/0=1"]


def test_parents_come_first_and_a_module_that_nothing_reaches_is_shown() -> None:
    program = Node("0", "0", {"unseen": Node("1", "0"), "1": Node("1", "1", {"1": Node("0", "1")})})
    found = rows(program)
    known = set()
    for name, parent, *_ in found:
        assert not parent or parent in known
        known.add(name)
    assert len(known) == len(found)
    assert ("root/unseen", "root", "unseen", "1", "0 examples, 0 errors") in found


def test_counts_of_one_are_singular() -> None:
    found = program_rows(Node("0", "0"), ITEMS[1:2], bit)
    assert found["note"] == ["1 example, 1 error", "1 example, 1 error"]
