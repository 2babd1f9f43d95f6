"""The published schemas are those of the records, and accept what is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.store.reader import parse
from harness.store.records import Provenance, RunRecord, TrialRecord
from harness.store.schemas import FOLDER, schema_texts


def test_published_schemas_are_current() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert published == schema_texts(), "run python -m harness.store.schemas"


def test_records_from_before_gpus_were_recorded_still_read() -> None:
    """Version 1 has grown optional fields: what was written without them means what it meant."""
    trial = TrialRecord(trial="e/t/m/100", status="ok", fingerprint="f", environment="x")
    older = json.loads(trial.model_dump_json())
    for name in ("device", "float32_products"):
        del older[name]
    for name in ("peak_gpu_memory_mb", "peak_gpu_reserved_mb"):
        del older["cost"][name]
    assert parse(TrialRecord, json.dumps(older), "old") == trial


@pytest.mark.parametrize(
    ("device", "gpu", "expected"),
    [("cuda", "Some GPU", "Some GPU"), ("cpu", "Some GPU", "Some CPU"), ("", "Some GPU", "Some GPU")],
)
def test_a_gpu_beside_a_run_on_the_cpu_did_not_compute_it(device: Any, gpu: str, expected: str) -> None:
    made = Provenance(created="now", command=[], corroborate="0", cpu="Some CPU", gpu=gpu)
    record = RunRecord(run="r", suite="s", profile="small", claims_sha256="", provenance=made, device=device)
    assert record.hardware == expected
