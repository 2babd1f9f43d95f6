"""The fields of all fingerprints of a run, stored so that ``why`` can compare them later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import RecordError
from harness.plan.fingerprint import Fields
from harness.plan.trial import PlannedTrial
from harness.text import parsed_json

FIELDS_FILE = "fingerprints.json"


@dataclass(frozen=True)
class StoredFields:
    """What the fingerprints of a run were made of.

    Attributes:
        fields: The fields of each trial, by id.
        libraries: Versions of libraries by their hash in records; none in what older versions have stored.
    """

    fields: Mapping[str, Fields] = field(default_factory=dict)
    libraries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def dump_fields(trials: Iterable[PlannedTrial]) -> str:
    """JSON text; equal fields, which most trials share, are written once."""
    trials = list(trials)
    numbers: dict[tuple[str, str], int] = {}
    by_trial = {
        trial.id: [numbers.setdefault(item, len(numbers)) for item in trial.fields.items()]
        for trial in trials
    }
    libraries = {trial.libraries: dict(trial.code.versions) for trial in trials}
    content = {"fields": list(numbers), "trials": by_trial, "libraries": libraries}
    return json.dumps(content, ensure_ascii=False)


def load_fields(text: str | bytes) -> StoredFields:
    """What :func:`dump_fields` has written."""
    raw = parsed_json(text)
    fields = {
        trial: {raw["fields"][n][0]: raw["fields"][n][1] for n in numbers}
        for trial, numbers in raw["trials"].items()
    }
    return StoredFields(fields, dict(raw.get("libraries", {})))


def read_fields(folder: Path) -> StoredFields:
    """What the fingerprints of the run in a folder were made of; nothing where that is not stored.

    Raises:
        RecordError: If the file is damaged.
    """
    path = folder / FIELDS_FILE
    if not path.is_file():
        return StoredFields()
    try:
        return load_fields(path.read_bytes())
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RecordError(f"The parts of fingerprints cannot be read: {error}", where=str(path)) from error
