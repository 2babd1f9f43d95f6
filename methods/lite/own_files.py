"""Documents, queries, candidates and training rows of one's own, told by line where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.method import ProblemError
from methods.common.own_tables import read_table, read_text

_IDS = ("id", "_id")


@dataclass(frozen=True)
class Named:
    """Texts with ids.

    Attributes:
        ids: One for each text, without white space, no two alike.
        texts: May be empty.
        lines: Where each stands in its file.
        path: The file.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    lines: tuple[int, ...]
    path: Path

    @property
    def empty(self) -> list[int]:
        """Places of texts without a word."""
        return [place for place, text in enumerate(self.texts) if not text.strip()]

    def told(self, places: Sequence[int]) -> str:
        """How many texts there are at ``places``, and the first lines."""
        lines = ", ".join(str(self.lines[place]) for place in places[:3])
        return (
            f"{len(places)} of {len(self.ids)} ({self.path.name}, line {lines}{', ...' * (len(places) > 3)})"
        )


def read_named(path: Path, text: str = "text") -> Named:
    """Texts with their ids: ``.jsonl`` with an object a line, or a table with a header.

    Ids are in the column ``id`` or ``_id``. A column ``title``, as BEIR's corpora have it, is put before
    the text.

    Args:
        path: The file, UTF-8.
        text: The column of texts.

    Raises:
        ProblemError: If the file cannot be read, a column is missing, or an id is empty, has white space, or
            is there twice.
    """
    ids: list[str] = []
    texts: list[str] = []
    lines: list[int] = []
    seen: dict[str, int] = {}
    for line, row in read_rows(path):
        where = f"{path}, line {line}"
        name = next((str(row[key]).strip() for key in _IDS if row.get(key) is not None), None)
        if name is None:
            raise ProblemError(
                f"The row has no id; it has {_fields(row)}",
                where=where,
                fix="Add a column or field 'id'; a table begins with a header.",
            )
        if not name or any(character.isspace() for character in name):
            raise ProblemError(
                f"'{name}' is no id: run files separate their columns by white space",
                where=where,
                fix="Give an id without white space.",
            )
        if name in seen:
            raise ProblemError(f"The id '{name}' is that of line {seen[name]}, too", where=where)
        seen[name] = line
        ids.append(name)
        title = str(row.get("title") or "")
        content = _text(row, text, where, "Add it, or name the column of texts with --text.")
        texts.append(f"{title} {content}".strip())
        lines.append(line)
    return Named(tuple(ids), tuple(texts), tuple(lines), path)


def read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of a ``.jsonl`` file, or of a table with a header, each with the line where it ends.

    Raises:
        ProblemError: If the file cannot be read, is empty, is a ``.json``, or a line is no object.
    """
    if path.suffix.lower() == ".json":
        raise ProblemError(
            "Files of JSON have an object a line here", where=str(path), fix="Write it as .jsonl."
        )
    if path.suffix.lower() != ".jsonl":
        header, rows = read_table(path)
        if not rows:
            raise ProblemError("The table has a header and no rows", where=str(path))
        for line, cells in rows:
            yield line, dict(zip(header, cells, strict=True))
        return
    found = False
    for line, content in enumerate(read_text(path).split("\n"), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except ValueError as error:
            raise ProblemError(f"The line is no JSON: {error}", where=f"{path}, line {line}") from error
        if not isinstance(row, dict):
            raise ProblemError("The line is no JSON object", where=f"{path}, line {line}")
        found = True
        yield line, row
    if not found:
        raise ProblemError("The file holds no row", where=str(path))


@dataclass(frozen=True)
class Example:
    """A query with documents and, where a teacher scored them, its scores.

    Attributes:
        query: Its text.
        documents: The positive, then negatives.
        scores: Of each document; empty without a teacher.
        line: Where it stands.
    """

    query: str
    documents: tuple[str, ...]
    scores: tuple[float, ...]
    line: int


def read_examples(path: Path) -> list[Example]:
    """Training rows: ``query``, ``positive`` and ``negative`` (or ``negative_1``, ``negative_2``, ...).

    Teacher scores are in ``positive_score``, ``negative_score`` and so on, or in a field ``label``: a list,
    the positive's first, or for one negative the margin alone, as sentence-transformers has them. ``anchor``
    will do for ``query``.

    Raises:
        ProblemError: If the file cannot be read, or a row lacks a text, has a score that is no number, or has
            scores for some of its documents only.
    """
    examples = [_example(row, line, f"{path}, line {line}") for line, row in read_rows(path)]
    scored = [bool(example.scores) for example in examples]
    if any(scored) and not all(scored):
        raise ProblemError(
            "The row has no teacher scores, and others have",
            where=f"{path}, line {examples[scored.index(False)].line}",
            fix="Give scores for all rows, or for none.",
        )
    return examples


def read_candidates(path: Path) -> dict[str, list[tuple[str, int]]]:
    """Documents of each query, with their lines, from a run file as TREC has them.

    Raises:
        ProblemError: If the file cannot be read, a line has not six columns, or a document is there twice.
    """
    found: dict[str, list[tuple[str, int]]] = {}
    seen: set[tuple[str, str]] = set()
    for line, content in enumerate(read_text(path).split("\n"), 1):
        cells = content.split()
        if not cells:
            continue
        if len(cells) != 6:
            raise ProblemError(
                f"The line has {len(cells)} columns, not six",
                where=f"{path}, line {line}",
                fix="Write 'query Q0 document rank score name', as trec_eval reads it.",
            )
        if (cells[0], cells[2]) in seen:
            raise ProblemError(
                f"The document '{cells[2]}' is there twice for the query '{cells[0]}'",
                where=f"{path}, line {line}",
            )
        seen.add((cells[0], cells[2]))
        found.setdefault(cells[0], []).append((cells[2], line))
    return found


def _example(row: Mapping[str, Any], line: int, where: str) -> Example:
    query = _filled(row, "anchor" if "anchor" in row else "query", where)
    names = ["positive", *_negatives(row)]
    if len(names) < 2:
        raise ProblemError(
            "The row has no negative", where=where, fix="Add a column 'negative', or 'negative_1' and so on."
        )
    documents = tuple(_filled(row, name, where) for name in names)
    if documents[0] in documents[1:]:
        raise ProblemError("The positive is among the negatives", where=where)
    return Example(query, documents, _scores(row, names, where), line)


def _negatives(row: Mapping[str, Any]) -> list[str]:
    numbered = {name for name in row if name.startswith("negative_") and name[9:].isdecimal()}
    ordered = sorted(numbered, key=lambda name: int(name[9:]))
    # Rows of one table may have fewer negatives than others.
    return [name for name in ("negative", *ordered) if row.get(name) not in (None, "")]


def _scores(row: Mapping[str, Any], names: Sequence[str], where: str) -> tuple[float, ...]:
    label = row.get("label")
    given: list[Any] = [row.get(f"{name}_score") for name in names]
    if label is not None and label != "":
        given = list(label) if isinstance(label, list) else [label, 0.0] if len(names) == 2 else [label]
    missing = [value is None or value == "" for value in given]
    if all(missing):
        return ()
    if any(missing) or len(given) != len(names):
        raise ProblemError(
            f"The row has {len(given) - sum(missing)} teacher scores for {len(names)} documents",
            where=where,
            fix="Give a score for each document, the positive first.",
        )
    return tuple(_number(value, where) for value in given)


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not abs(number) < float("inf"):
        raise ProblemError(f"'{value}' is no teacher score", where=where, fix="Give a finite number.")
    return number


def _text(row: Mapping[str, Any], name: str, where: str, fix: str = "Add it.") -> str:
    value = row.get(name)
    if not isinstance(value, str):
        told = f"; it has {_fields(row)}" if value is None else f", but {json.dumps(value)[:40]}"
        raise ProblemError(
            f"The row has no text under '{name}'{told}",
            where=where,
            fix=fix,
        )
    return value


def _fields(row: Mapping[str, Any]) -> str:
    return ", ".join(f"'{name[:30]}'" for name in [*row][:6]) + ", ..." * (len(row) > 6)


def _filled(row: Mapping[str, Any], name: str, where: str) -> str:
    value = _text(row, name, where).strip()
    if not value:
        raise ProblemError(f"The text under '{name}' is empty", where=where)
    return value
