"""The published schemas are those of the records, and accept what is written."""

from __future__ import annotations

from harness.store.schemas import FOLDER, schema_texts


def test_published_schemas_are_current() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert published == schema_texts(), "run python -m harness.store.schemas"
