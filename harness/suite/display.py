"""Tables, figures and single results of the report.

Rows and series name every cell that any scale has. Those that a scale does not plan are left out of its
report (:mod:`harness.plan.displayed`); one that no scale plans is refused as a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from harness.claims import Cell, Contrast, Profile
from harness.suite.experiment import Scale

X = TypeVar("X", float, int, str)


@dataclass(frozen=True)
class ReportedRef:
    """A table entry: a number of the paper."""

    id: str


Entry = Cell | Contrast | ReportedRef
"""What a table shows: a measured number, a contrast of some, or a number of the paper."""


@dataclass(frozen=True)
class Arm:
    """A method as reports call it.

    Attributes:
        method: Its id.
        label: Its name in rows and legends.
        group: The heading that its row stands under.
    """

    method: str
    label: str
    group: str = ""


def arms(labels: Mapping[str, str], group: str = "") -> tuple[Arm, ...]:
    """Arms from labels by method id."""
    return tuple(Arm(method, label, group) for method, label in labels.items())


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row: its label, and an entry for each column that has one.

    Attributes:
        label: Its name.
        entries: By column key. A row of which nothing measured is planned is left out.
        group: The heading that it stands under.
        needs: A cell without which the row is left out, whatever else of it is planned.
    """

    label: str
    entries: Mapping[str, Entry]
    group: str = ""
    needs: Cell | None = None


def by_arm(
    listed: Iterable[Arm], entries: Callable[[str], Mapping[str, Entry | None]]
) -> tuple[TableRow, ...]:
    """Arms × columns: one row an arm, with the entries of its method by column key (or none)."""
    return tuple(
        TableRow(label=arm.label, group=arm.group, entries=_without_none(entries(arm.method)))
        for arm in listed
    )


Columns = Mapping[str, tuple[str, Callable[[str], Entry | None]]]
"""By key: the header of a column, and what it shows of a method (or none)."""


def headers(columns: Mapping[str, tuple[str, object]]) -> Mapping[str, str]:
    """The headers of columns, by key."""
    return {key: header for key, (header, _) in columns.items()}


def by_column(listed: Iterable[Arm], columns: Columns) -> tuple[TableRow, ...]:
    """Arms × columns: one row an arm, with what each column shows of its method."""
    return by_arm(listed, lambda method: {key: entry(method) for key, (_, entry) in columns.items()})


def _without_none(entries: Mapping[str, Entry | None]) -> Mapping[str, Entry]:
    return {key: entry for key, entry in entries.items() if entry is not None}


Rows = Sequence[TableRow] | Mapping[Profile, Sequence[TableRow]] | Mapping[Scale, Sequence[TableRow]]
"""Rows of all profiles, by profile, or by scale where ``--full`` changes more than what is planned."""


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table of the report.

    Attributes:
        id: Unique in the suite; ``corroborate table SUITE ID`` prints it.
        title: The caption.
        columns: Headers by column key, in order.
        rows: In order; or the rows of each profile, where they are of different places.
        source: The paper's table that it mirrors, or empty.
        bold: Column keys in which a winner may be set in bold, if it passes every pairwise test.
        profiles: The profiles it is made for; empty means those that ``rows`` has, or that plan one of its
            cells. They are named where a profile plans some that are not worth a table, or with ``--full``.
    """

    id: str
    title: str
    columns: Mapping[str, str]
    rows: Rows
    source: str = ""
    bold: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()

    @classmethod
    def of(cls, listed: Iterable[Arm], columns: Columns, **words: Any) -> PaperTable:
        """A table of arms × columns, each header beside what it shows; ``words`` are the other fields."""
        return cls(columns=headers(columns), rows=by_column(listed, columns), **words)


@dataclass(frozen=True, kw_only=True)
class Series:
    """A line or a group of bars: its label, and points (x, y); x may be measured, or the paper's, too."""

    label: str
    points: tuple[tuple[float | str | Cell | Contrast, Cell | Contrast], ...]
    reported: tuple[tuple[float | str | ReportedRef, ReportedRef], ...] = ()
    """Numbers of the paper to draw beside the measured ones."""


Lines = Sequence[Series] | Mapping[Profile, Sequence[Series]] | Mapping[Scale, Sequence[Series]]
"""Series of all profiles, by profile, or by scale where ``--full`` changes more than what is planned."""


def curves(
    listed: Iterable[Arm], xs: Iterable[X], y: Callable[[str, X], Cell | Contrast]
) -> tuple[Series, ...]:
    """Arms × x: one line an arm, through what ``y`` gives for its method at each x."""
    at = tuple(xs)
    return tuple(
        Series(label=arm.label, points=tuple((_shown(x), y(arm.method, x)) for x in at)) for arm in listed
    )


def _shown(x: float | str) -> float | str:
    return x if isinstance(x, str) else float(x)


@dataclass(frozen=True, kw_only=True)
class PaperFigure:
    """A figure of the report; intervals are drawn wherever they can be computed.

    Attributes:
        id: Unique in the suite.
        title: The caption.
        x: What the horizontal axis shows.
        y: What the vertical axis shows.
        series: In order; or those of each profile, where they are of different places.
        kind: How points are drawn.
        log_x: Whether the horizontal axis is logarithmic.
        log_y: Whether the vertical axis is logarithmic.
        source: The paper's figure that it mirrors, or empty.
        profiles: As those of a table.
        headline: Whether a report begins with it. Where no figure says so, it is the first that shows what a
            primary claim measures, of several one that has numbers of the paper.
    """

    id: str
    title: str
    x: str
    y: str
    series: Lines
    kind: Literal["line", "bar", "scatter"] = "line"
    log_x: bool = False
    log_y: bool = False
    source: str = ""
    profiles: tuple[Profile, ...] = ()
    headline: bool = False


@dataclass(frozen=True, kw_only=True)
class SampleView:
    """Results of a method's first seed, to be read one by one.

    They are text columns of a part of the scores. As ``steps``, a row is one step of a
    trajectory: ``unit_id`` names it, ``heading`` and ``mark`` ("right", "wrong" or empty) say the
    same in all of its rows, ``step`` counts from 0, ``kind`` and ``text`` are what happened. As ``tree``,
    a row is a node: ``unit_id`` names it, ``parent`` the node above (empty for the root), ``edge`` is the
    label of the way there, ``text`` and ``note`` are what it says and what is said about it.

    Attributes:
        id: Unique in the suite.
        title: The caption.
        experiment: Id of the experiment.
        method: Id of the method in it.
        part: The part of the scores.
        kind: How the rows are shown.
        task: Id of the task; may be empty when the experiment has one.
        most: Trajectories to show, half of them wrong ones where there are any.
        profiles: The profiles it is made for; empty means all.
    """

    id: str
    title: str
    experiment: str
    method: str
    part: str
    kind: Literal["steps", "tree"]
    task: str = ""
    most: int = 12
    profiles: tuple[Profile, ...] = ()
