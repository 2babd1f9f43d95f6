"""Small valid files of every kind that is read from outside, to be broken by tests."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from harness.bundle import Extras, make_bundle
from harness.method import Scores
from harness.store import RunWriter, open_run
from harness.store.answers import Coverage
from harness.store.kept import KeptCell, KeptValue, encode_kept
from harness.store.noise import NoiseRecord
from harness.store.numbers import PrintedNumber, encode_numbers
from harness.store.packing import Reading
from harness.store.records import Cost, Provenance, RunRecord, TrialRecord, VerdictsRecord
from harness.store.reference import packed_run
from harness.suite import Suite
from tests.harness.toy import toy_suite

TRIAL = "e/t/mean/100"
PAPER = '''slug = "toy"
title = "A Toy"
authors = ["A. Author"]
arxiv = "2401.00001"
year = 2024
venue = "nowhere"
summary = """
[[claim]]
"""
bibtex = "@misc{toy}"

[[claim]]
id = "C1"
statement = "It is better."
source = "abstract"

[[claim.part]]
id = "C1a"
statement = "On one set."
source = "Table 1"
reported = ["gain"]
threshold = 0.5

[[reported]]
id = "gain"
value = 3
where = "Table 1"
standing = "verified"

[[deviation]]
id = "D1"
field = "model"
paper = "A large one."
here = "A small one."
effect = "Smaller."
profiles = ["small"]
'''
FACTS = """[[source]]
repo = "owner/name"
kind = "dataset"
config = ""
revision = "0123456789abcdef0123456789abcdef01234567"
licence = "MIT"
gated = ""
size_mb = 1
files = ["train.parquet"]
confirmed = "its page"
looked_up = 2026-11-28

[[source]]
repo = "owner/other"
kind = "dataset"
revision = ""
licence = "MIT"
gated = "yes"
size_mb = 1
splits = { train = ["*.parquet"] }
columns = ["a", "b"]
rename = { a = "c" }
held_out = { split = "test", of = "train", every = 10 }
ranges = true
confirmed = "its page"
looked_up = 2026-11-28
"""


def run_record() -> RunRecord:
    """What was asked for."""
    made = Provenance(created="2026-11-29T10:00:00.000+00:00", command=["corroborate"], corroborate="0.1.0")
    return RunRecord(
        run="toy-small-20261129-100000",
        suite="toy",
        profile="small",
        claims_sha256="c",
        provenance=made,
        planned=[TRIAL],
        settings={"mean.weight": "2"},
        noise={"C1": 0.1},
    )


def trial_record() -> TrialRecord:
    """A finished trial."""
    return TrialRecord(
        trial=TRIAL,
        status="ok",
        experiment="e",
        task="t",
        method="mean",
        seed=100,
        params={"weight": 1.5, "names": ["a"]},
        fingerprint="f",
        environment="env",
        files={"data.txt": "00"},
        cost=Cost(wall_s=1.0, cpu_s=1.0, peak_memory_mb=1.0),
    )


def verdicts_record() -> VerdictsRecord:
    """Verdicts with every nested record."""
    effect = {"value": 0.2, "low": 0.1, "high": 0.3}
    test = {"label": "a - b", "effect": effect, "test": "paired t (4 df)", "p_plus": 0.01, "cells": [effect]}
    verdict = {
        "claim": "C1",
        "form": "Direction",
        "verdict": "reproduced",
        "reason": "it is",
        "scope": "small",
        "tests": [test],
        "assays": [{"name": "headroom", "passed": True, "effect": effect, "rule": "above .05"}],
        "needed_seeds": {"0.1": 5, "0.2": None},
    }
    control = {"control": "bad", "claim": "C1", "predicted": "kill", "outcome": "kill"}
    return VerdictsRecord.model_validate(
        {"run": "r", "suite": "toy", "profile": "small", "verdicts": [verdict], "controls": [control]}
    )


def noise_record() -> NoiseRecord:
    """A measurement of noise."""
    quantity = {"label": "θ", "floor": 0.1, "shared": 0.0, "moved": {"threads-2": 0.1}, "seeds": 3}
    measured = {
        "created": "2026",
        "seeds": "3",
        "environments": {"baseline": ["x"]},
        "claims": {"C1": {"rule": "r", "quantities": [quantity]}},
    }
    return NoiseRecord.model_validate({"suite": "toy", "profiles": {"small": [measured]}})


def write_run(folder: Path) -> None:
    """A run with one finished trial."""
    with RunWriter(folder) as writer:
        writer.start(run_record())
        rows: dict[str, Any] = {"unit_id": ["a", "b"], "error": np.arange(2.0)}
        writer.append(trial_record(), Scores({"main": rows}))
        writer.verdicts(verdicts_record().model_copy(update={"verdicts": [], "controls": []}))


def kept_cells() -> dict[str, KeptCell]:
    """One cell with a value, and one that could not be measured."""
    value = KeptValue("100", 0.5, "", 2, "digest", Coverage(2, 2))
    return {"a": KeptCell((value,)), "b": KeptCell((), "no rows", "missing", (TRIAL,))}


@cache
def reference_files() -> dict[str, bytes]:
    """Committed results by name."""
    with TemporaryDirectory() as place:
        folder = Path(place) / "run"
        write_run(folder)
        reader = open_run(folder)
        columns = {(TRIAL, "main"): frozenset({"unit_id", "error"})}
        numbers = [PrintedNumber("cell", "a", 0.5, 0.4, None)]
        packed = packed_run(reader, Reading(kept_cells(), columns), verdicts_record(), numbers)
        return dict(packed.files)


@cache
def bundle() -> bytes:
    """An archive of the run."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_run(folder / "run")
        (folder / "suite").mkdir()
        suite: Suite = toy_suite(folder / "suite")
        make_bundle(suite, open_run(folder / "run"), verdicts_record(), folder / "toy.zip", Extras())
        return (folder / "toy.zip").read_bytes()


def kept_bytes() -> bytes:
    """The cells as they are stored."""
    return encode_kept(kept_cells())


def numbers_json() -> list[Any]:
    """Printed numbers as data."""
    import gzip

    found: list[Any] = json.loads(gzip.decompress(encode_numbers([PrintedNumber("cell", "a", 0.5, 0.4, 1)])))
    return found


def safetensors(header: Any = None, data: bytes = bytes(24)) -> bytes:
    """A file with two tensors, or with another header."""
    if header is None:
        header = {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
            "b": {"dtype": "BF16", "shape": [4], "data_offsets": [16, 24]},
        }
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def gguf_text(text: str | bytes) -> bytes:
    """A text after its length."""
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf(
    *,
    settings: tuple[bytes, ...] | None = None,
    tensors: tuple[bytes, ...] | None = None,
    version: int = 3,
    magic: bytes = b"GGUF",
    counts: tuple[int, int] | None = None,
) -> bytes:
    """A file with settings of every kind and one tensor, or with others."""
    if settings is None:
        settings = (
            gguf_text("general.architecture") + struct.pack("<I", 8) + gguf_text("gemma3"),
            gguf_text("general.alignment") + struct.pack("<II", 4, 32),
            gguf_text("gemma3.block_count") + struct.pack("<II", 4, 1),
            gguf_text("tokens") + struct.pack("<IIQ", 9, 8, 2) + gguf_text("a") + gguf_text("b"),
            gguf_text("scores") + struct.pack("<IIQff", 9, 6, 2, 0.0, 1.0),
        )
    if tensors is None:
        tensors = (gguf_text("w") + struct.pack("<IQQIQ", 2, 2, 2, 0, 0),)
    numbers = counts or (len(tensors), len(settings))
    head = magic + struct.pack("<IQQ", version, *numbers) + b"".join((*settings, *tensors))
    return head + bytes(-len(head) % 32) + bytes(16)
