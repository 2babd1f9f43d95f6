"""From the language models that a trial or an artifact asked to its record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from harness.method.asked import AskedModel
from harness.store.model_records import ModelRecord, UsageRecord

_TOLD = ("address", "protocol", "scoring", "capabilities")


def models_asked(models: Iterable[AskedModel]) -> tuple[ModelRecord, ...]:
    """What each model is and what was asked of it; what was opened several times, once.

    A model of foreign code that tells nonsense is left out: a record does not fail for it.
    """
    found: dict[str, ModelRecord] = {}
    for model in models:
        try:
            record = _record(model.described(), model.usage.as_dict())
        except (AttributeError, LookupError, TypeError, ValueError, ValidationError):
            continue
        key = json.dumps(record.model_dump(exclude={"usage"}), sort_keys=True)
        before = found.get(key)
        usage = record.usage if before is None else before.usage.plus(record.usage)
        found[key] = record.model_copy(update={"usage": usage})
    return tuple(found.values())


def _record(told: Mapping[str, Any], usage: Mapping[str, int]) -> ModelRecord:
    counts = {name: usage[name] for name in UsageRecord.model_fields if name in usage}
    parts = {name: told[name] for name in _TOLD if told.get(name)}
    # What no JSON can hold would end the writing of the record.
    json.dumps(parts)
    return ModelRecord(name=str(told.get("served") or told["name"]), **parts, usage=UsageRecord(**counts))
