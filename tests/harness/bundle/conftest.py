"""A small run with rows, and a bundle of it, made without executing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.bundle import Extras, make_bundle
from harness.bundle.licences import Input
from harness.method import Scores
from harness.store import RunReader, RunWriter, open_run
from harness.store.records import Cost, Provenance, RunRecord, TrialRecord, VerdictsRecord
from harness.suite import Suite
from tests.harness.toy import toy_suite

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODEL = Input(
    name="gemma-3-270m",
    kind="model",
    version="1",
    licence="Gemma",
    terms="https://example.org/terms",
    page="https://example.org/gemma",
    sources=("mirror folder gemma",),
    bound=False,
)
WORDS = Input(
    name="words",
    kind="dataset",
    version="2",
    licence="MIT",
    terms="",
    page="",
    sources=("package words 2",),
    bound=True,
)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "paper.toml").write_text('slug = "toy"\n')
    return toy_suite(tmp_path / "suite")


@pytest.fixture
def reader(tmp_path: Path) -> RunReader:
    made = Provenance(
        created="2026-11-29T10:00:00.000+00:00",
        command=["corroborate", "run", "toy", "--runs=/private/somebody/runs"],
        corroborate="0.1.0",
        commit=COMMIT,
        dirty=False,
    )
    record = RunRecord(
        run="toy-small-0",
        suite="toy",
        profile="small",
        claims_sha256="c",
        provenance=made,
        planned=["e/t/mean/100"],
        ended="2026-11-29T11:00:00.000+00:00",
    )
    trial = TrialRecord(
        trial="e/t/mean/100",
        status="ok",
        experiment="e",
        task="t",
        method="mean",
        seed=100,
        fingerprint="f",
        environment="env",
        cost=Cost(wall_s=1.0, cpu_s=1.0, peak_memory_mb=1.0),
    )
    with RunWriter(tmp_path / "run") as writer:
        writer.start(record)
        rows: dict[str, Any] = {"unit_id": [f"item-{at}" for at in range(20)], "error": np.arange(20.0)}
        writer.append(trial, Scores({"main": rows}))
    return open_run(tmp_path / "run")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    page = tmp_path / "pages" / "index.html"
    page.parent.mkdir()
    page.write_text("<!doctype html><title>report</title>")
    return page


@pytest.fixture
def verdicts() -> VerdictsRecord:
    return VerdictsRecord(run="toy-small-0", suite="toy", profile="small", verdicts=[])


@pytest.fixture
def extras(report: Path) -> Extras:
    return Extras(report={"index.html": report}, inputs=(MODEL, WORDS))


@pytest.fixture
def archive(
    suite: Suite, reader: RunReader, verdicts: VerdictsRecord, extras: Extras, tmp_path: Path
) -> Path:
    path = tmp_path / "toy.zip"
    make_bundle(suite, reader, verdicts, path, extras)
    return path
