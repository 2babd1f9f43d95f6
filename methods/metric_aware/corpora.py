"""Texts with graded labels from several sources, and the prompts that ask for their grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError, Reference, param
from methods.common.numbers import write_number
from methods.common.ratings import RATINGS

Floats = NDArray[np.float64]
_POOL = 200
"""Texts that a few solved examples are chosen from, spread over their labels."""


@dataclass(frozen=True)
class Graded:
    """One text.

    Attributes:
        id: Unique in its corpus.
        fields: What the template shows.
        label: On the scale of the grid; means of ratings lie between its values.
        ratings: The single ratings behind it, if they are known.
    """

    id: str
    fields: dict[str, str]
    label: float
    ratings: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A set of graded texts, and how a model is asked about them.

    Attributes:
        data: Where they come from.
    """

    data: Reference = RATINGS
    kind: Literal["ratings", "sick", "sts", "stars"] = param(
        "ratings", source="ours", doc="how rows are read"
    )
    part: str = param("amazon", source="ours", doc="domain or split")
    values: tuple[float, ...] = param(
        (1.0, 2.0, 3.0, 4.0, 5.0), source="RAFT (2025), section 5", doc="the grid"
    )
    threshold: float = param(3.5, source="ours", doc="the least label that counts as positive")
    instruction: str = param(
        "Reviews with the number of stars that they give, from 1 (terrible) to 5 (excellent).",
        source="ours",
        doc="what stands before all examples",
    )
    item: str = param("Review: {text}\nStars:", source="card, section 5; ours", doc="how one text is shown")
    longest: int = param(300, source="ours", doc="characters; longer texts are left out")

    def read(self, loaded: Any) -> list[Graded]:
        """All texts that are not too long, in the source's order.

        Raises:
            ProblemError: If there is none.
        """
        ends = (self.values[0], self.values[-1])
        rows = [row for row in _READERS[self.kind](loaded, self.part, ends) if self._fits(row)]
        if not rows:
            raise ProblemError(
                f"No text of '{self.part}' has at most {self.longest} characters",
                where="Corpus",
                fix="Allow longer texts, or name another part.",
            )
        return rows

    def _fits(self, row: Graded) -> bool:
        return max(map(len, row.fields.values())) > 0 and sum(map(len, row.fields.values())) <= self.longest

    def shown(self, row: Graded) -> str:
        """The prompt of one text, without what stands before it."""
        return self.item.format(**row.fields)

    def nearest(self, label: float) -> float:
        """The value of the grid nearest to a label; the lower of two."""
        return min(self.values, key=lambda value: (abs(value - label), value))


@dataclass(frozen=True)
class Chosen:
    """Texts of one draw.

    Attributes:
        examples: To show solved.
        held: To fit on.
        test: To judge by; like ``held`` the same in every draw, or in none.
        known: Labels of texts that nobody is asked about, where draws have texts of their own.
    """

    examples: tuple[Graded, ...]
    held: tuple[Graded, ...]
    test: tuple[Graded, ...]
    known: tuple[float, ...] = ()


def choose(
    rows: Sequence[Graded],
    draw: int,
    *,
    shots: int,
    held: int,
    test: int,
    own: Sequence[int] = (),
) -> Chosen:
    """Split texts; the draw decides which examples are shown.

    Args:
        rows: All texts.
        draw: Number of the draw.
        shots: Examples.
        held: Texts to fit on.
        test: Texts to judge by.
        own: Draws that ask about texts of their own, this one among them: no two share one, and no
            example is a text that another draw asks about. Empty: all draws ask about the same.

    Raises:
        ProblemError: If there are too few texts.
    """
    stretch, draws = (own.index(draw), len(own)) if own else (0, 1)
    asked = held + test
    order = np.random.default_rng([0, len(rows), *own[:1]]).permutation(len(rows)).tolist()
    if len(rows) < draws * asked + shots:
        raise ProblemError(
            f"{len(rows)} texts do not give {draws} times {test} to judge by and {held} to fit on, "
            f"and {shots} examples",
            where="choose",
            fix="Ask for fewer.",
        )
    mine, rest = order[stretch * asked : (stretch + 1) * asked], order[draws * asked :]
    tested, fitted = mine[:test], mine[test:]
    rng = np.random.default_rng([draw, 1])
    pool = sorted(rng.permutation(rest)[:_POOL].tolist(), key=lambda i: (rows[i].label, rows[i].id))
    # The middles of equal shares of the labels, so that examples show the whole scale.
    places = [int((k + 0.5) * len(pool) / shots) for k in range(shots)]
    examples = rng.permutation([pool[place] for place in places]).tolist() if shots else []
    known = tuple(rows[i].label for i in pool) if own else ()
    shown, held_out, judged = (tuple(rows[i] for i in part) for part in (examples, fitted, tested))
    return Chosen(shown, held_out, judged, known)


def prefix(corpus: Corpus, examples: Sequence[Graded]) -> str:
    """What stands before every text: the instruction and the solved examples."""
    solved = [f"{corpus.shown(row)} {write_number(corpus.nearest(row.label))}\n\n" for row in examples]
    return f"{corpus.instruction}\n\n{''.join(solved)}"


def human_law(row: Graded, values: Sequence[float]) -> Floats:
    """Shares of the raters at each value of the grid, shape (V,).

    A rating between two values counts for both, by its distance to them, which keeps the mean.
    """
    grid = np.asarray(values)
    above = np.clip(np.searchsorted(grid, row.ratings, side="left"), 1, len(grid) - 1)
    share = (np.asarray(row.ratings) - grid[above - 1]) / (grid[above] - grid[above - 1])
    law = np.bincount(above, weights=share, minlength=len(grid))
    law += np.bincount(above - 1, weights=1 - share, minlength=len(grid))
    return law / len(row.ratings)


def _ratings(loaded: Any, domain: str, ends: tuple[float, float]) -> list[Graded]:
    """Human sentiment ratings −4 … 4, moved to the scale of the grid."""
    if domain not in loaded:
        raise ProblemError(f"There is no domain '{domain}'", fix=f"Known: {', '.join(sorted(loaded))}.")
    found = loaded[domain].with_trusted_text()
    step = (ends[1] - ends[0]) / 8
    moved = [tuple((ends[0] + step * (row + 4.0)).tolist()) for row in found.ratings]
    return [
        Graded(name, {"text": text.strip()}, float(np.mean(ratings)), ratings)
        for name, text, ratings in zip(found.ids, found.texts, moved, strict=True)
    ]


def _sick(loaded: Any, split: str, _: tuple[float, float]) -> list[Graded]:
    return [
        Graded(row.id, {"first": row.premise, "second": row.hypothesis}, float(row.relatedness))
        for row in loaded[split]
        if row.relatedness is not None
    ]


def _sts(loaded: Any, split: str, _: tuple[float, float]) -> list[Graded]:
    return [Graded(row.id, {"first": row.first, "second": row.second}, row.score) for row in loaded[split]]


def _stars(loaded: Any, split: str, _: tuple[float, float]) -> list[Graded]:
    return [Graded(row.id, {"text": row.text}, row.score) for row in loaded[split]]


_READERS = {"ratings": _ratings, "sick": _sick, "sts": _sts, "stars": _stars}
