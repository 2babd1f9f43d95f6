"""Texts of one's own, from a file."""

from __future__ import annotations

import json
from pathlib import Path

from harness.method import ProblemError
from methods.common.own_tables import read_text


def read_texts(path: Path, field: str = "text") -> list[str]:
    """Texts of a ``.jsonl`` file, one object a line, or of any other file, one text a line.

    Args:
        path: The file, UTF-8.
        field: The objects' field that is the text.

    Raises:
        ProblemError: If the file cannot be read, a line is no such object, or there is no text.
    """
    lines = read_text(path).split("\n")
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if path.suffix.lower() == ".jsonl":
        texts = [_field(line, field, f"{path}, line {number}") for number, line in filled]
    else:
        texts = [line.strip() for _, line in filled]
    if not texts:
        raise ProblemError("The file holds no text", where=str(path), fix="Write one text on each line.")
    return texts


def _field(line: str, field: str, where: str) -> str:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise ProblemError(f"The line is no JSON: {error}", where=where) from error
    text = content.get(field) if isinstance(content, dict) else None
    if not isinstance(text, str):
        fields = content.items() if isinstance(content, dict) else ()
        known = ", ".join(name for name, value in fields if isinstance(value, str))[:200]
        raise ProblemError(
            f"The line has no text under '{field}'",
            where=where,
            fix=f"Name the field of the text (--field): {known}." if known else "Write one object a line.",
        )
    return text
