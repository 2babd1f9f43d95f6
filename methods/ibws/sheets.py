"""Items, tuples and answers in files, as annotation tools read and write them.

Answers are rows of a table with a header: the items of a tuple (``Item1``, ``Item2``, ... as of Kiritchenko
and Mohammad, or ``option1``, ... as of Hollis), the best and the worst of them (``BestItem`` and
``WorstItem``, or ``best`` and ``worst``), and where known who answered (``worker``, ``WorkerId``,
``annotator``) and in which ``round``. Other columns are passed over, and so are the prefixes ``Input.`` and
``Answer.`` of Mechanical Turk.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from harness.method import ProblemError
from methods.common.own_tables import read_table, read_text
from methods.ibws.answers import Answers
from methods.ibws.designs import Ints

_ROLES = {
    "best": ("bestitem", "best"),
    "worst": ("worstitem", "worst"),
    "worker": ("worker", "workerid", "annotator", "annotatorid", "participant", "rater"),
    "round": ("round",),
}
_ITEM = re.compile(r"(?:item|option)(\d+)")
_ITEM_COLUMNS = ("item", "text", "id", "term", "word")
_POSITIONS = "BestItem and WorstItem hold places of items: write the items themselves, as Item1, ... do."
_SHOWN = 5
"""Faulty lines that an error tells one by one."""


@dataclass(frozen=True)
class Sheet:
    """Best-worst answers of T rows, in the file's order.

    Attributes:
        items: Names of the n items; an item's number is its place here.
        tuples: Shape (T, k): the items shown; rows with fewer than k end in -1.
        best: Shape (T,): the item chosen as best.
        worst: Shape (T,): the item chosen as worst.
        workers: Shape (T,): who answered; empty where the file does not say.
        rounds: Shape (T,): the round, from 1.
        places: Shape (T,): file and line, for errors.
        unanswered: Rows without an answer, which are left out.
    """

    items: tuple[str, ...]
    tuples: Ints
    best: Ints
    worst: Ints
    workers: tuple[str, ...]
    rounds: Ints
    places: tuple[str, ...]
    unanswered: int

    def answers(self, rows: Ints | Sequence[int] | None = None) -> list[Answers]:
        """The answers of some rows or all, those to tuples of one size together; in order of size."""
        chosen = np.arange(len(self.tuples)) if rows is None else np.asarray(rows, dtype=np.intp)
        sizes = (self.tuples[chosen] >= 0).sum(axis=1)
        parts = [(size, chosen[sizes == size]) for size in np.unique(sizes)]
        return [Answers(self.tuples[at, :size], self.best[at], self.worst[at]) for size, at in parts]

    def questions(self) -> Ints:
        """Shape (T,): the number of each row's question: the same items, in whatever order, in one round."""
        keys = np.column_stack([self.rounds, np.sort(self.tuples, axis=1)])
        return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def read_items(path: Path, column: str = "") -> tuple[str, ...]:
    """Names of items: a text file with one a line, or a table.

    Args:
        path: The file; ``.csv`` and ``.tsv`` are tables with a header.
        column: The table's column; by default the only one, or one called item, text, id, term or word.

    Raises:
        ProblemError: If the file cannot be read, has no such column, or names an item twice.
    """
    if path.suffix.lower() in {".csv", ".tsv"}:
        header, rows = read_table(path)
        at = _item_column(path, header, column)
        named = [(line, row[at]) for line, row in rows]
    else:
        named = [(number, line.strip()) for number, line in enumerate(read_text(path).split("\n"), 1)]
    first: dict[str, int] = {}
    for line, name in named:
        if name and first.setdefault(name, line) != line:
            raise ProblemError(
                f"Item '{name}' is named twice",
                where=f"{path}, lines {first[name]} and {line}",
                fix="Name each item once.",
            )
    if not first:
        raise ProblemError("The file names no item", where=str(path), fix="Write one item on each line.")
    return tuple(first)


def read_answers(paths: Sequence[Path], items: Sequence[str] | None = None) -> Sheet:
    """Best-worst answers from one file or several.

    Args:
        paths: The files; where they have no column ``round``, each file is a round.
        items: Names of all items; by default those that appear.

    Raises:
        ProblemError: If a file cannot be read, or answers are impossible, with the lines at fault.
    """
    number = {name: place for place, name in enumerate(items or ())}
    reader = _Reader(number, fixed=items is not None)
    for order, path in enumerate(paths, 1):
        reader.read(path, order)
    return reader.sheet()


class _Reader:
    """Collects rows and faults, so that an error tells of more than the first."""

    def __init__(self, number: dict[str, int], *, fixed: bool) -> None:
        self.number = number
        self.fixed = fixed
        self.rows: list[tuple[list[int], int, int, str, int, str]] = []
        self.faults: list[str] = []
        self.positions = 0
        self.unanswered = 0

    def read(self, path: Path, order: int) -> None:
        header, rows = read_table(path)
        shown, roles = _columns(path, header)
        for line, row in rows:
            names = [row[at] for at in shown if row[at]]
            given = {role: row[at] for role, at in roles.items()}
            if not given["best"] and not given["worst"]:
                self.unanswered += 1
            elif fault := self._fault(names, given):
                self.faults.append(f"{path.name}, line {line}: {fault}")
                self.positions += all(_is_position(given[role]) for role in ("best", "worst"))
            else:
                self._keep(names, given, order, f"{path.name}, line {line}")

    def _fault(self, names: list[str], given: Mapping[str, str]) -> str:
        """What is impossible about an answer; empty if nothing is."""
        best, worst = given["best"], given["worst"]
        if len(names) < 2:
            return "fewer than two items are shown"
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            return f"'{twice}' is shown twice"
        for role, name in (("best", best), ("worst", worst)):
            if not name:
                return f"no {role} item is given"
            if name not in names:
                return f"the {role} item '{name}' is not among those shown"
        if best == worst:
            return f"'{best}' is both best and worst"
        if self.fixed and (strange := [name for name in names if name not in self.number]):
            return f"'{strange[0]}' is none of the items"
        if "round" in given and not re.fullmatch(r"[1-9]\d{0,5}", given["round"]):
            return f"'{given['round']}' is no number of a round"
        return ""

    def _keep(self, names: list[str], given: Mapping[str, str], order: int, place: str) -> None:
        numbers = [self.number.setdefault(name, len(self.number)) for name in names]
        self.rows.append(
            (
                numbers,
                self.number[given["best"]],
                self.number[given["worst"]],
                given.get("worker", ""),
                int(given.get("round", order)),
                place,
            )
        )

    def sheet(self) -> Sheet:
        if self.faults:
            more = len(self.faults) - _SHOWN
            told = "\n  ".join(self.faults[:_SHOWN]) + (f"\n  and {more} more" if more > 0 else "")
            count = len(self.faults)
            fix = _POSITIONS if self.positions == count else "Mend or delete these lines."
            raise ProblemError(f"{count} impossible answer{'s' * (count > 1)}", fix=f"{told}\n  {fix}")
        if not self.rows:
            raise ProblemError("There is no answer", fix="Fill in the best and the worst item of tuples.")
        tuples, best, worst, workers, rounds, places = zip(*self.rows, strict=True)
        return Sheet(
            tuple(self.number),
            _padded(tuples),
            np.array(best, dtype=np.intp),
            np.array(worst, dtype=np.intp),
            workers,
            np.array(rounds, dtype=np.intp),
            places,
            self.unanswered,
        )


def _is_position(choice: str) -> bool:
    """Whether a choice looks like the place of an item, or its column's name, and not like an item."""
    return choice.isdecimal() or bool(_ITEM.fullmatch(_plain(choice)))


def _padded(tuples: Sequence[Sequence[int]]) -> Ints:
    found = np.full((len(tuples), max(map(len, tuples))), -1, dtype=np.intp)
    for row, shown in enumerate(tuples):
        found[row, : len(shown)] = shown
    return found


def design_rows(items: Sequence[str], tuples: Sequence[Ints], number: int) -> Iterator[list[str]]:
    """Rows of a table to be answered, its header first.

    Args:
        items: Names of the items.
        tuples: Of a round, each part of shape (T, k).
        number: The round, from 1.
    """
    width = max(part.shape[1] for part in tuples)
    yield ["round", *(f"Item{place}" for place in range(1, width + 1)), "BestItem", "WorstItem"]
    for part in tuples:
        for shown in part:
            names = [items[item] for item in shown]
            yield [str(number), *names, *[""] * (width - len(names)), "", ""]


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as comma-separated values."""
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def tuples_text(items: Sequence[str], tuples: Sequence[Ints]) -> str:
    """One tuple a line, its items separated by tabs, as the scripts of Kiritchenko and Mohammad write them.

    Raises:
        ProblemError: If an item holds a tab or a line's end.
    """
    for name in items:
        if re.search(r"[\t\r\n]", name):
            raise ProblemError(
                f"Item {name!r} holds a tab or the end of a line", fix="Write a .csv file, which can hold it."
            )
    return "".join("\t".join(items[item] for item in shown) + "\n" for part in tuples for shown in part)


def _plain(name: str) -> str:
    """A column's name without prefixes, case, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^(input|answer)\.", "", name.strip().lower()))


def _columns(path: Path, header: Sequence[str]) -> tuple[list[int], dict[str, int]]:
    """Places of the items, in the order of their numbers, and of the other columns that are read."""
    plain = [_plain(name) for name in header]
    shown = sorted((int(found[1]), at) for at, name in enumerate(plain) if (found := _ITEM.fullmatch(name)))
    roles = {
        role: plain.index(name) for role, names in _ROLES.items() for name in names[::-1] if name in plain
    }
    if len(shown) < 2 or not {"best", "worst"} <= roles.keys():
        raise ProblemError(
            "The table has no columns of best-worst answers",
            where=f"{path}: {', '.join(header)[:200]}",
            fix="It needs Item1, Item2, ..., BestItem and WorstItem.",
        )
    return [at for _, at in shown], roles


def _item_column(path: Path, header: Sequence[str], column: str) -> int:
    if column in header:
        return list(header).index(column)
    plain = [_plain(name) for name in header]
    if not column and len(header) == 1:
        return 0
    for name in _ITEM_COLUMNS if not column else ():
        if name in plain:
            return plain.index(name)
    raise ProblemError(
        f"The table has no column '{column}'" if column else "Which column names the items is not clear",
        where=f"{path}: {', '.join(header)[:200]}",
        fix="Name it with --column.",
    )
