"""The JSON Schemas of the stored records, published beside the code.

``python -m harness.store.schemas`` writes them again after a change of the records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from harness.store.noise import NoiseRecord
from harness.store.record import Record
from harness.store.records import RunRecord, TrialRecord, VerdictsRecord

FOLDER = Path(__file__).parent.parent / "schemas"
RECORDS: Mapping[str, type[Record]] = {
    "noise": NoiseRecord,
    "run": RunRecord,
    "trial": TrialRecord,
    "verdicts": VerdictsRecord,
}


def schema_texts() -> dict[str, str]:
    """The text of each schema by file name."""
    return {
        f"{name}.schema.json": json.dumps(record.model_json_schema(), indent=1, ensure_ascii=False) + "\n"
        for name, record in RECORDS.items()
    }


def main() -> None:
    """Write all schemas."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in schema_texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
