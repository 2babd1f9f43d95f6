"""Tables of one's own, as spreadsheets and annotation tools write them."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from harness.method import ProblemError


def read_text(path: Path) -> str:
    """A text file in UTF-8, without a mark of the byte order, as spreadsheets write it.

    Raises:
        ProblemError: If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        fix = "Name a file that is there." if isinstance(error, OSError) else "Save it as UTF-8."
        raise ProblemError(f"The file cannot be read: {told}", where=str(path), fix=fix) from error


def read_table(path: Path, *, verbatim: str = "") -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows of a table, separated by commas, semicolons or tabs.

    Args:
        path: The file, UTF-8.
        verbatim: A column whose cells keep the spaces around them, as prompts do.

    Returns:
        The header, and for each row that is not empty the line at which it ends, and its cells without spaces
        around them, as many as the header has.

    Raises:
        ProblemError: If the file cannot be read, is empty, or a row has more cells than the header.
    """
    text = read_text(path)
    first = text.partition("\n")[0]
    # Spreadsheets of some countries separate by semicolons.
    mark = max((",", "\t", ";"), key=first.count)
    # A cell may be a whole document; by default 131,072 characters are the limit, of the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ProblemError(
            f"The table cannot be read: {error}", where=f"{path}, line {reader.line_num}"
        ) from error
    if not rows:
        raise ProblemError("The file is empty", where=str(path))
    header = [cell.strip() for cell in rows[0][1]]
    for line, row in rows[1:]:
        if len(row) > len(header):
            raise ProblemError(
                f"A row of {len(row)} cells does not fit a header of {len(header)}",
                where=f"{path}, line {line}",
            )
    kept = {at for at, name in enumerate(header) if verbatim and name == verbatim}
    return header, [
        (
            line,
            [cell if at in kept else cell.strip() for at, cell in enumerate(row)]
            + [""] * (len(header) - len(row)),
        )
        for line, row in rows[1:]
    ]
