"""The fields of all fingerprints of a run, stored so that ``why`` can compare them later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from harness.plan.fingerprint import Fields
from harness.plan.trial import PlannedTrial

FIELDS_FILE = "fingerprints.json"


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


def load_fields(text: str) -> Mapping[str, Fields]:
    """The fields of each trial, by its id."""
    raw = json.loads(text)
    return {
        trial: {raw["fields"][n][0]: raw["fields"][n][1] for n in numbers}
        for trial, numbers in raw["trials"].items()
    }


def load_libraries(text: str) -> Mapping[str, Mapping[str, str]]:
    """The versions of libraries by their hash in records; none in what older versions have stored."""
    found: Mapping[str, Mapping[str, str]] = json.loads(text).get("libraries", {})
    return found
