"""How the columns of a table are written for language models."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from methods.il_bench.templates import render

_WORDS = {2: ("low", "high"), 3: ("low", "middle", "high")}
_LONG = 40
"""Characters from which on a value is a text, and not a symbol."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: As models read it.
        kind: ``number`` is cut into parts, ``symbol`` written as it is, ``text`` not taken apart.
        cuts: Where numbers are cut, ascending.
        words: Names of the parts, one more than cuts.
    """

    name: str
    kind: Literal["number", "symbol", "text"]
    cuts: Sequence[float] = ()
    words: Sequence[str] = field(default=())

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        found = asdict(self)
        return found | {"cuts": list(self.cuts), "words": list(self.words)}

    def written(self, value: Any) -> str:
        """A value, as models read it.

        Raises:
            TypeError: If it is no single value.
        """
        if _missing(value):
            return "missing"
        if isinstance(value, dict | list | set | np.ndarray):
            # What scikit-learn's own estimators raise, in its words.
            raise TypeError(f"argument must be a string or a number, not {type(value).__name__}")
        if self.kind == "number":
            return str(self.words[int(np.searchsorted(self.cuts, float(value), side="left"))])
        return str(value) if self.kind == "text" else _word(value)


def column_of(name: str, values: NDArray[Any], levels: int) -> Column:
    """The column that training values show.

    Args:
        name: Its name.
        values: Shape (n,).
        levels: Parts of a number's range, with about as many values in each.
    """
    word = _word(name)
    present = [value for value in values.tolist() if not _missing(value)]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        if len(set(present)) > levels:
            shares = np.arange(1, levels) / levels
            cuts = np.unique(np.quantile(np.array(present, dtype=np.float64), shares))
            return Column(word, "number", tuple(cuts.tolist()), part_words(len(cuts) + 1))
        return Column(word, "symbol")
    long = any(len(str(value)) > _LONG for value in present)
    return Column(word, "text" if long else "symbol")


def part_words(parts: int) -> tuple[str, ...]:
    """Names of the parts of a range, from the bottom."""
    return _WORDS.get(parts, tuple(f"level_{number}" for number in range(1, parts + 1)))


def text_of(columns: Sequence[Column], row: Sequence[Any]) -> str:
    """A row as text; a single column of texts is its own text."""
    if len(columns) == 1 and columns[0].kind == "text":
        return columns[0].written(row[0])
    values = {column.name: column.written(value) for column, value in zip(columns, row, strict=True)}
    return render(values, "equations")


def _missing(value: Any) -> bool:
    # None, NaN, and the missing values of pandas, of which a comparison has no truth value.
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def _word(value: Any) -> str:
    """A value as one word, which rules can name."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).replace("-", "minus_", 1) if isinstance(value, int | float) else str(value)
    return re.sub(r"\W+", "_", text).strip("_") or "empty"
