"""Every reader of what comes from outside, each with the input that it is tried on."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType, SimpleNamespace
from typing import Any

from harness.bundle import SUMS, open_bundle
from harness.bundle.files import read_sums
from harness.hub.facts import FILE, read_facts
from harness.model_files import check_gguf_header, check_model_folder, check_safetensors_header
from harness.plan.stored import FIELDS_FILE, read_fields
from harness.resources import read_split
from harness.resources.convert_worker import weight_files
from harness.store import find_run, list_runs, open_run
from harness.store.kept import decode_kept
from harness.store.manifest import MANIFEST_FILE, changed_files, listed_in
from harness.store.noise import NOISE_FILE, read_noise
from harness.store.numbers import decode_numbers
from harness.store.reader import parse, read_trials
from harness.store.record import Record
from harness.store.records import RunRecord, VerdictsRecord
from harness.store.units import decode, encode
from harness.suite import Paper
from methods.common.datasets import load_choices, load_inferences, load_questions, load_translations
from methods.common.language_model import Decoding
from methods.common.language_model.endpoint import Server
from methods.common.language_model.pace import Pace
from methods.common.language_model.served import EndpointModel
from methods.common.language_model.wire import Wire
from tests.security import samples
from tests.security.mutations import (
    Make,
    MakeBytes,
    broken,
    edited_archive,
    edited_json,
    edited_lines,
    edited_table,
    either,
)


@dataclass(frozen=True)
class Reader:
    """A reader and its input.

    Attributes:
        inputs: Makes an input of random numbers: something valid, broken.
        read: Reads one of them, in a folder that it may write to.
    """

    inputs: Make
    read: Callable[[Any, Path], object]


def _json(valid: Any) -> Make:
    return either(edited_json(valid), edited_json(valid), broken(json.dumps(valid).encode()))


def _line(valid: Any) -> MakeBytes:
    make = _json(valid)
    return lambda rng: make(rng) + b"\n"


def _record(kind: type[Record]) -> Callable[[bytes, Path], object]:
    """Parses a record, and writes one that was taken again."""
    return lambda data, folder: parse(kind, data, "here").as_json()


def _written(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """Reads a folder in which one file is the input."""

    def put(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        return read(folder)

    return put


def _trials(folder: Path) -> None:
    for record in read_trials(folder / "trials.jsonl", []):
        record.as_json()


def _runs(folder: Path) -> None:
    list_runs(folder.parent)
    find_run("toy", folder.parent)


def _manifest(folder: Path) -> None:
    changed_files(folder, listed_in(folder) or {}, committed=True)


def _committed(name: str) -> Callable[[bytes, Path], object]:
    """Reads committed results of which one file is the input."""

    def read(data: bytes, folder: Path) -> None:
        for other, content in samples.reference_files().items():
            (folder / other).write_bytes(data if other == name else content)
        reader: Any = open_run(folder)
        _ = reader.kept, reader.numbers, reader.verdicts
        for trial in reader.trials:
            reader.table(trial, "main")

    return read


def _opened(data: bytes, folder: Path) -> None:
    (folder / "toy.zip").write_bytes(data)
    try:
        open_bundle(folder / "toy.zip", folder / "opened", limit_gb=0.01)
    finally:
        shutil.rmtree(folder / "opened", ignore_errors=True)
        left = sorted(path.name for path in folder.iterdir())
    assert left == ["toy.zip"]


def _data_sets(folder: Path) -> None:
    (folder / "train.jsonl.gz").write_bytes(gzip.compress((folder / "rows").read_bytes(), 1))
    read_split(folder, "train")
    for load in (load_choices, load_inferences, load_questions, load_translations):
        _ = load(folder)["train"]


_ROWS = {
    "id": "1",
    "question": "?",
    "choices": {"label": ["A", "B"], "text": ["a", "b"]},
    "answerKey": "A",
    "answer": {"value": "a", "aliases": ["b"]},
    "sentence_A": "a",
    "sentence_B": "b",
    "entailment_judgment": 1,
    "relatedness_score": 3.5,
    "translation": {"en": "a", "fr": "b"},
}
_FIELDS = {"fields": [["code", "x"]], "trials": {samples.TRIAL: [0]}, "libraries": {"h": {"numpy": "2"}}}
_ANSWER = {
    "model": "tiny",
    "usage": {"prompt_tokens": 3},
    "choices": [
        {
            "text": "a",
            "message": {"content": "a"},
            "finish_reason": "stop",
            "logprobs": {
                "content": [
                    {"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "a", "logprob": -1.0}]}
                ],
                "token_logprobs": [None, -1.0],
                "text_offset": [0, 1],
                "top_logprobs": [{"a": -1.0}],
            },
        }
    ],
}


def _as_object(value: Any) -> Any:
    """JSON as the client of servers gives it, mappings of tokens to values as they are."""
    if isinstance(value, list):
        return [_as_object(item) for item in value]
    if isinstance(value, dict) and value.keys() & {
        "choices",
        "message",
        "content",
        "logprobs",
        "top_logprobs",
    }:
        return SimpleNamespace(**{str(key): _as_object(item) for key, item in value.items()})
    if isinstance(value, dict) and "token" in value:
        return SimpleNamespace(**value)
    return value


def _answered(data: bytes, folder: Path) -> None:
    try:
        answer = _as_object(json.loads(data))
    except (ValueError, RecursionError):
        return
    for protocol in ("completions", "chat"):
        server = Server("http://127.0.0.1/v1", "tiny", protocol=protocol, scoring="listed")
        create = SimpleNamespace(create=lambda **asked: answer)
        client: Any = SimpleNamespace(completions=create, chat=SimpleNamespace(completions=create))
        model = EndpointModel("tiny", server.identity, server, Wire(server, client, Pace(0.0)))
        for ask in (
            lambda model=model: model._told("a", 2),
            lambda model=model: model._drawn("a", Decoding(), 1, 0),
            lambda model=model: model._echoed(("a", "b")),
        ):
            ask()


_INDEX = {"metadata": {"total_size": 3}, "weight_map": {"a": "model.safetensors", "b": "model.safetensors"}}
_CONFIG = {"model_type": "gemma3", "attn_implementation": "eager", "text_config": {"hidden_size": 8}}


def _model(name: str) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(samples.safetensors())
        (folder / name).write_bytes(data)
        check_model_folder(folder)

    return read


def _units() -> bytes:
    return encode({"main": {"unit_id": ["a", "b"], "error": [0.0, 1.0]}, "other": {"unit_id": [1], "n": [3]}})


_HEADER = edited_json(json.loads(samples.safetensors()[8:-24]))


def _headed(rng: Random) -> bytes:
    return samples.safetensors(_HEADER(rng))


_TOML_VALUES = (
    '[1, ""]',
    '{ split = "test", of = "train", every = "x" }',
    "{ train = 1 }",
    "{ train = [1] }",
    "1" * 5000,
    "[" * 3000,
    '"x"',
    "[[1]]",
    "0",
    "nan",
    "-inf",
    "1e400",
    "true",
    "1979-05-27T07:32:00Z",
    "{ a = 1 }",
    '"""',
)

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "run.json": Reader(_json(samples.run_record().model_dump(mode="json")), _record(RunRecord)),
        "runs folder": Reader(
            _json(samples.run_record().model_dump(mode="json")), _written("run.json", _runs)
        ),
        "trials.jsonl": Reader(
            _line(samples.trial_record().model_dump(mode="json")),
            _written("trials.jsonl", _trials),
        ),
        "verdicts.json": Reader(
            _json(samples.verdicts_record().model_dump(mode="json")), _record(VerdictsRecord)
        ),
        "noise.json": Reader(
            _json(samples.noise_record().model_dump(mode="json")),
            _written(NOISE_FILE, lambda folder: read_noise(folder, "toy").claims("small")),
        ),
        "manifest.json": Reader(
            _json({"sha256": {"run.json": "0" * 64, "units/a.parquet": "1" * 64}}),
            _written(MANIFEST_FILE, _manifest),
        ),
        "fingerprints.json": Reader(_json(_FIELDS), _written(FIELDS_FILE, read_fields)),
        "printed numbers": Reader(
            _json(samples.numbers_json()), lambda data, folder: decode_numbers(data, "here")
        ),
        "unit rows": Reader(
            edited_table(_units(), ("main/unit_id", "other/n")),
            lambda data, folder: decode(data, "main", "here"),
        ),
        "kept values": Reader(
            edited_table(samples.kept_bytes()), lambda data, folder: decode_kept(data, "here")
        ),
        "committed rows": Reader(
            edited_table(samples.reference_files()["units.parquet"]), _committed("units.parquet")
        ),
        "committed trials": Reader(
            broken(samples.reference_files()["trials.jsonl.gz"]), _committed("trials.jsonl.gz")
        ),
        "bundle": Reader(either(edited_archive(samples.bundle()), broken(samples.bundle())), _opened),
        "hashes of a bundle": Reader(
            broken(b"0" * 64 + b"  run.json\n" + b"1" * 64 + b"  units/a.parquet\n"),
            _written(SUMS, read_sums),
        ),
        "paper.toml": Reader(
            either(edited_lines(samples.PAPER, _TOML_VALUES), broken(samples.PAPER.encode())),
            _written("paper.toml", lambda folder: Paper.read(folder / "paper.toml")),
        ),
        "hub.toml": Reader(
            either(edited_lines(samples.FACTS, _TOML_VALUES), broken(samples.FACTS.encode())),
            _written(FILE, lambda folder: read_facts.__wrapped__(folder / FILE)),
        ),
        "GGUF header": Reader(
            broken(samples.gguf()),
            _written("m.gguf", lambda folder: check_gguf_header(folder / "m.gguf")),
        ),
        "safetensors header": Reader(
            either(
                broken(samples.safetensors()),
                _headed,
            ),
            _written("m.safetensors", lambda folder: check_safetensors_header(folder / "m.safetensors")),
        ),
        "config.json": Reader(_json(_CONFIG), _model("config.json")),
        "index of weights": Reader(_json(_INDEX), _model("model.safetensors.index.json")),
        "index of pickled weights": Reader(
            _json(_INDEX), _written("pytorch_model.bin.index.json", weight_files)
        ),
        "data set": Reader(_json(_ROWS), _written("rows", _data_sets)),
        "endpoint's answer": Reader(_json(_ANSWER), _answered),
    }
)
