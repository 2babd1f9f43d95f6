"""Hostile and broken inputs, each with the reader that meets it and the words that it must end with.

An input is written into a folder of its own, ``inside``; beside it lies ``secret``, which nothing may read or
change. None of them does harm: what could run code would write the file ``executed``.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.bundle import SUMS, open_bundle
from harness.hub.facts import read_facts
from harness.model_files import check_model_folder
from harness.resources.convert_worker import weight_files
from harness.resources.environment import mirror_folder
from harness.store import open_run
from harness.store.manifest import listed_in
from harness.store.noise import read_noise
from harness.suite import Paper
from methods.common.datasets import load_choices
from methods.common.language_model import Decoding
from methods.common.language_model.endpoint import Server
from methods.common.language_model.pace import Pace
from methods.common.language_model.served import EndpointModel
from methods.common.language_model.wire import Wire
from tests.security import samples

Act = Callable[[Path], object]
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
LONG = "x" * 300


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        kind: What it pretends to be.
        name: What is wrong with it.
        said: A part of the message.
        act: Makes it in a folder and reads it.
    """

    kind: str
    name: str
    said: str
    act: Act


def payload(marker: Path) -> bytes:
    """A pickle that would write a file."""

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (marker,))

    return pickle.dumps(Payload())


def _read_all(folder: Path) -> None:
    """Everything that a run or committed results hold."""
    reader: Any = open_run(folder)
    _ = reader.verdicts, reader.kept, reader.omitted
    if reader.is_committed:
        _ = reader.numbers
    for trial in reader.trials:
        reader.table(trial, "main")


def _in_run(name: str, content: bytes) -> Act:
    """A run with another file."""

    def act(folder: Path) -> None:
        samples.write_run(folder)
        (folder / name).write_bytes(content)
        _read_all(folder)

    return act


def _of_run(**changes: Any) -> Act:
    return _in_run("run.json", json.dumps(samples.run_record().model_dump(mode="json") | changes).encode())


def _of_trial(**changes: Any) -> Act:
    line = json.dumps(samples.trial_record().model_dump(mode="json") | changes).encode()
    return _in_run("trials.jsonl", line + b"\n" + line + b"\n")


def _with_rows(rows: bytes) -> Act:
    """A run whose unit rows are these, with the hash that they have."""

    def act(folder: Path) -> None:
        (folder / "units").mkdir(parents=True)
        (folder / "units" / "a.parquet").write_bytes(rows)
        _of_trial(units_file="a.parquet", units_sha256=sha256(rows).hexdigest())(folder)

    return act


def _changed_rows(folder: Path) -> None:
    samples.write_run(folder)
    (rows,) = (folder / "units").iterdir()
    rows.write_bytes(rows.read_bytes() + b"x")
    _read_all(folder)


def _parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({name.replace("0", "/"): values for name, values in columns.items()}), sink)
    return sink.getvalue()


def _in_reference(name: str, content: bytes) -> Act:
    """Committed results with another file."""

    def act(folder: Path) -> None:
        for other, data in samples.reference_files().items():
            (folder / other).write_bytes(data)
        (folder / name).write_bytes(content)
        _read_all(folder)

    return act


def _cells(**changes: Any) -> bytes:
    table = pq.read_table(io.BytesIO(samples.kept_bytes()))
    for name, values in changes.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _file(name: str, content: bytes, read: Act) -> Act:
    """One file, read in its folder."""

    def act(folder: Path) -> object:
        (folder / name).write_bytes(content)
        return read(folder)

    return act


def _archive(changes: Mapping[str, bytes | None], *, mode: int = 0o100644, packing: int = 0) -> Act:
    """A bundle with entries replaced, added (bytes) or left out (nothing)."""

    def act(folder: Path) -> None:
        path = folder / "toy.zip"
        with zipfile.ZipFile(io.BytesIO(samples.bundle())) as old, zipfile.ZipFile(path, "w") as new:
            for one in old.infolist():
                if one.filename not in changes:
                    new.writestr(one, old.read(one))
            for name, data in changes.items():
                if data is not None:
                    entry = zipfile.ZipInfo(name)
                    entry.external_attr, entry.compress_type = mode << 16, packing
                    new.writestr(entry, data)
        open_bundle(path, folder / "opened", 0.01)

    return act


def _archived(change: Callable[[bytes], bytes]) -> Act:
    def open_it(folder: Path) -> int:
        return open_bundle(folder / "toy.zip", folder / "opened")

    return _file("toy.zip", change(samples.bundle()), open_it)


def _honest(name: str, content: bytes) -> Act:
    """A bundle with a changed file and the hash of it: only the file itself can be refused."""
    with zipfile.ZipFile(io.BytesIO(samples.bundle())) as opened:
        sums, old = opened.read(SUMS), opened.read(name)
    new = sums.replace(sha256(old).hexdigest().encode(), sha256(content).hexdigest().encode())
    return _archive({name: content, SUMS: new})


def _paper(old: str, new: str) -> Act:
    text = samples.PAPER.replace(old, new, 1)
    assert text != samples.PAPER or old == new
    return _file("paper.toml", text.encode(), lambda folder: Paper.read(folder / "paper.toml"))


def _facts(old: str, new: str) -> Act:
    text = samples.FACTS.replace(old, new, 1)
    return _file("hub.toml", text.encode(), lambda folder: read_facts(folder / "hub.toml"))


def _model(**files: bytes | str) -> Act:
    """A model's folder with these files; ``__`` in a name stands for a dot."""

    def act(folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(samples.safetensors())
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name.replace("__", ".")).write_bytes(data)
        check_model_folder(folder)

    return act


def _index(name: str) -> str:
    return json.dumps({"weight_map": {"a": name}})


def _tensors(**entries: Any) -> bytes:
    return samples.safetensors(entries)


def _tensor(shape: list[int], start: int, end: int, kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def _setting(name: str, kind: int, value: bytes) -> bytes:
    return samples.gguf_text(name) + struct.pack("<I", kind) + value


def _gguf_tensor(*shape: int, start: int = 0) -> bytes:
    sizes = struct.pack(f"<{len(shape)}Q", *shape)
    return samples.gguf_text("w") + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", 0, start)


def _rows(data: bytes) -> Act:
    return _file("train.jsonl.gz", data, lambda folder: load_choices(folder)["train"])


def _row(**fields: Any) -> bytes:
    whole = {"question": "?", "choices": {"label": ["A"], "text": ["a"]}, "answerKey": "A"}
    return gzip.compress(json.dumps(whole | fields).encode())


def _answer(**fields: Any) -> Act:
    """An answer of a server."""
    whole = {"text": "a", "finish_reason": "stop", "logprobs": None}
    answer = SimpleNamespace(model="tiny", usage=None, choices=[SimpleNamespace(**(whole | fields))])

    def act(folder: Path) -> None:
        client: Any = SimpleNamespace(completions=SimpleNamespace(create=lambda **asked: answer))
        server = Server("http://127.0.0.1/v1", "tiny")
        EndpointModel("tiny", "", server, Wire(server, client, Pace(0.0))).sample(["a"], Decoding())

    return act


def _pickled_index(name: str) -> Act:
    return _file("pytorch_model.bin.index.json", _index(name).encode(), weight_files)


def cases() -> Iterator[Case]:
    """All inputs that are read by a function; those of commands are in the test."""
    for kind, listed in _CASES.items():
        for name, (said, act) in listed.items():
            yield Case(kind, name, said, act)


_NO_NAME, _OUT = "no name inside its folder", "names a place outside"
_NO_ZIP = "cannot be unpacked"
_CASES: Mapping[str, Mapping[str, tuple[str, Act]]] = {
    "run": {
        "empty": ("not valid JSON", _in_run("run.json", b"")),
        "nested deeply": ("nested too deeply", _in_run("run.json", DEEP)),
        "no object": ("schema version None", _in_run("run.json", b"[1]")),
        "of the future": ("schema version 99", _of_run(schema_version=99)),
        "unknown field": ("extra: Extra inputs", _of_run(extra=1)),
        "no text": ("suite: Input should be a valid string", _of_run(suite=3)),
        "suite outside": (_NO_NAME, _of_run(suite="../../x")),
        "profile outside": (_NO_NAME, _of_run(profile="a/../../x")),
        "name outside": (_NO_NAME, _of_run(run="/x")),
        "not UTF-8": ("not valid JSON", _in_run("run.json", b'{"run": "\xff"}')),
        "verdicts of another kind": ("schema version None", _in_run("verdicts.json", b"[]")),
    },
    "trials": {
        "unknown status": ("line 1", _of_trial(status="good")),
        "rows outside": (_NO_NAME, _of_trial(units_file="../../secret")),
        "rows anywhere": (_NO_NAME, _of_trial(units_file="/etc/passwd")),
        "rows outside, on Windows": (_NO_NAME, _of_trial(units_file="..\\secret")),
        "rows of a long name": (_NO_NAME, _of_trial(units_file=LONG)),
        "nested deeply": ("nested too deeply", _in_run("trials.jsonl", DEEP + b"\n{}\n")),
        "a number of 5000 digits": ("Exceeds the limit", _in_run("trials.jsonl", b"1" * 5000 + b"\n{}\n")),
        "rows that are a pickle": ("unit rows are damaged", _with_rows(payload(Path("executed")))),
        "rows without parts": ("unit rows are damaged", _with_rows(_parquet(main0unit_id=["a"]))),
        "rows without units": ("name no units", _with_rows(_parquet(__part__=["main"], main0x=[1]))),
        "rows that are missing": ("are missing", _of_trial(units_file="b.parquet")),
        "rows of another hash": ("not those that were recorded", _changed_rows),
    },
    "list of files": {
        "leads outside": (
            "no file inside the folder",
            _file("manifest.json", b'{"sha256": {"../secret": "0"}}', listed_in),
        ),
        "is a list": ("list of files is damaged", _file("manifest.json", b"[]", listed_in)),
        "nested deeply": ("nested too deeply", _file("manifest.json", DEEP, listed_in)),
    },
    "committed results": {
        "trials not packed": ("cannot be read", _in_reference("trials.jsonl.gz", b"{}")),
        "trials cut off": (
            "cannot be read",
            _in_reference("trials.jsonl.gz", gzip.compress(b"x" * 9999)[:20]),
        ),
        "trials that fill the memory": (
            "unpacks to more than",
            _in_reference("trials.jsonl.gz", gzip.compress(bytes(10**7))),
        ),
        "values of another type": (
            "kept values are damaged",
            _in_reference("cells.parquet", _cells(size=["x", "y"])),
        ),
        "values without a seed": (
            "kept values are damaged",
            _in_reference("cells.parquet", _cells(key=["x", None])),
        ),
        "values not in Parquet": ("kept values are damaged", _in_reference("cells.parquet", b"PAR1")),
        "numbers in words": (
            "printed numbers is damaged",
            _in_reference("numbers.json.gz", gzip.compress(b'[["cell", "a", "x", 1, 2]]')),
        ),
        "rows of no trial": (
            "committed rows are damaged",
            _in_reference("units.parquet", _parquet(main0unit_id=["a"])),
        ),
        "omitted rows as a number": ("omitted rows is damaged", _in_reference("omitted.json", b"3")),
        "noise of another suite": (
            "noise of suite 'toy'",
            _file(
                "noise.json",
                samples.noise_record().as_json().encode(),
                lambda folder: read_noise(folder, "other"),
            ),
        ),
        "noise below zero": (
            "greater than or equal to 0",
            _file(
                "noise.json",
                samples.noise_record().as_json().replace('"floor":0.1', '"floor":-1').encode(),
                lambda folder: read_noise(folder, "toy"),
            ),
        ),
    },
    "bundle": {
        "above": (_OUT, _archive({"../executed": b""})),
        "from the root": (_OUT, _archive({"/executed": b""})),
        "back and forth": (_OUT, _archive({"units/../../executed": b""})),
        "of Windows": (_OUT, _archive({"C:/executed": b""})),
        "with a link": ("link or a device", _archive({"x": b"../secret"}, mode=stat.S_IFLNK | 0o777)),
        "with a device": ("link or a device", _archive({"x": b""}, mode=stat.S_IFCHR | 0o644)),
        "with a file twice": ("is there twice", _archive({"X": b"", "x": b""})),
        "with a file as a folder": ("both a file and a folder", _archive({"run.json/x": b""})),
        "with a long name": ("longer name than file systems take", _archive({LONG: b""})),
        "packed otherwise": ("packed in a way", _archive({"x": b"x" * 99}, packing=zipfile.ZIP_LZMA)),
        "too large": ("would unpack to 0.0 GB", _archive({"x": bytes(2 * 10**7)}, packing=8)),
        "no archive": (_NO_ZIP, _archived(lambda data: b"no archive")),
        "cut off": (_NO_ZIP, _archived(lambda data: data[:-30])),
        "without hashes": ("no list of hashes", _archive({SUMS: None})),
        "with nonsense for hashes": ("SHA256SUMS, line 1", _archive({SUMS: b"0  x"})),
        "with a changed file": ("not as recorded", _archive({"run.json": b"{}"})),
        "with one more file": ("not in its list of hashes", _archive({"more": b""})),
        "with a run that leads outside": (
            _NO_NAME,
            _honest(
                "run.json",
                json.dumps(samples.run_record().model_dump(mode="json") | {"run": "../x"}).encode(),
            ),
        ),
    },
    "paper": {
        "no TOML": ("not TOML", _paper("slug =", "slug")),
        "nested deeply": ("nested too deeply", _paper("2024", "[" * 3000)),
        "a year of 5000 digits": ("Exceeds the limit", _paper("2024", "1" * 5000)),
        "not UTF-8": (
            "not UTF-8",
            _file("paper.toml", b"\xff", lambda folder: Paper.read(folder / "paper.toml")),
        ),
        "missing": ("No such file", lambda folder: Paper.read(folder / "paper.toml")),
        "a folder": ("Is a directory", Paper.read),
        "unknown field": ("line 7: extra: extra inputs", _paper("summary", "extra = 1\nsummary")),
        "a list for a name": ("line 1: slug", _paper('"toy"', '["toy"]')),
        "a claim twice": ("'C1' is claimed 2 times", _paper('"C1a"', '"C1"')),
        "a threshold of zero": ("zero is no threshold", _paper("0.5", "0")),
    },
    "facts on the hub": {
        "weights that may run code": ("may run code", _facts("train.parquet", "model.bin")),
        "no table": (
            "not tables",
            _file("hub.toml", b"source = [1]", lambda folder: read_facts(folder / "hub.toml")),
        ),
        "a branch for a commit": ("which is not a commit", _facts('revision = "0', 'revision = "x')),
        "nested deeply": ("nested too deeply", _facts("size_mb = 1\n", "size_mb = " + "[" * 3000)),
    },
    "model": {
        "settings are no JSON": ("config.json cannot be read", _model(config__json="{")),
        "settings are a list": ("config.json is not an object", _model(config__json="[]")),
        "settings nested deeply": ("nested too deeply", _model(config__json=DEEP)),
        "attention from the hub": (
            "code from the hub, 'some/kernel'",
            _model(config__json='{"text_config": {"attn_implementation": "some/kernel"}}'),
        ),
        "an adapter": ("another model from elsewhere", _model(adapter_config__json="{}")),
        "an index outside": (
            "no safetensors file",
            _model(model__safetensors__index__json=_index("../secret")),
        ),
        "an index of pickles": (
            "no safetensors file",
            _model(model__safetensors__index__json=_index("a.bin")),
        ),
        "an index of nothing": ("has no weight_map", _model(model__safetensors__index__json="{}")),
        "a part missing": (
            "lacks b.safetensors",
            _model(model__safetensors__index__json=_index("b.safetensors")),
        ),
        "a pickled index outside": ("not in the folder", _pickled_index("../secret")),
        "a pickled index in a folder": ("not in the folder", _pickled_index("sub/x.bin")),
    },
    "safetensors": {
        "empty": ("too few for a header", _model(model__safetensors=b"")),
        "a pointer": ("pointer of Git LFS", _model(model__safetensors="version https://git-lfs.github.com")),
        "a pickle": ("too few for a header", _model(model__safetensors=payload(Path("executed")))),
        "a header without end": ("too few for a header", _model(model__safetensors=b"\xff" * 7 + b"\x7f{}")),
        "no JSON": ("header is not JSON", _model(model__safetensors=samples.safetensors(b"{"))),
        "nested deeply": ("nested too deeply", _model(model__safetensors=samples.safetensors(DEEP))),
        "one over the other": (
            "begins at 8, and the one before ends at 16",
            _model(model__safetensors=_tensors(a=_tensor([4], 0, 16), b=_tensor([4], 8, 24))),
        ),
        "a hole": ("begins at 8", _model(model__safetensors=_tensors(a=_tensor([4], 8, 24)))),
        "behind the end": (
            "its tensors end at",
            _model(model__safetensors=_tensors(a=_tensor([400], 0, 1600))),
        ),
        "a shape that does not fit": (
            "fit together",
            _model(model__safetensors=_tensors(a=_tensor([2**62, 4], 0, 24))),
        ),
        "places below zero": ("fit together", _model(model__safetensors=_tensors(a=_tensor([6], -24, 0)))),
        "metadata that is no text": (
            "metadata is not text",
            _model(model__safetensors=_tensors(__metadata__=[1])),
        ),
    },
    "GGUF": {
        "empty": ("cannot be read", _model(m__gguf=b"")),
        "something else": ("does not begin with GGUF", _model(m__gguf=samples.gguf(magic=b"GGML"))),
        "of another version": ("of version 1", _model(m__gguf=samples.gguf(version=1))),
        "cut off": ("are left", _model(m__gguf=samples.gguf()[:60])),
        "settings without end": ("are left", _model(m__gguf=samples.gguf(counts=(0, 2**60)))),
        "tensors without end": ("are left", _model(m__gguf=samples.gguf(counts=(2**60, 5)))),
        "numbers that are not there": (
            "bytes are announced",
            _model(m__gguf=samples.gguf(settings=(_setting("a", 9, struct.pack("<IQ", 0, 2**60)),))),
        ),
        "texts that are not there": (
            "bytes are announced",
            _model(m__gguf=samples.gguf(settings=(_setting("a", 9, struct.pack("<IQ", 8, 2**60)),))),
        ),
        "arrays in arrays": (
            "nested too deeply",
            _model(m__gguf=samples.gguf(settings=(_setting("a", 9, struct.pack("<IQ", 9, 1) * 99),))),
        ),
        "a setting twice": (
            "is there twice",
            _model(m__gguf=samples.gguf(settings=(_setting("a", 0, b"1"),) * 2)),
        ),
        "a type that is none": (
            "no type of a value",
            _model(m__gguf=samples.gguf(settings=(_setting("a", 99, b""),))),
        ),
        "a name of a gigabyte": (
            "a name has",
            _model(m__gguf=samples.gguf(settings=(struct.pack("<Q", 2**30),))),
        ),
        "an alignment of three": (
            "no alignment",
            _model(m__gguf=samples.gguf(settings=(_setting("general.alignment", 4, struct.pack("<I", 3)),))),
        ),
        "a tensor behind the end": (
            "behind the end",
            _model(m__gguf=samples.gguf(tensors=(_gguf_tensor(2, start=2**40),))),
        ),
        "a tensor too large": (
            "elements",
            _model(m__gguf=samples.gguf(tensors=(_gguf_tensor(2**40, 2**40),))),
        ),
        "too many dimensions": (
            "dimensions",
            _model(m__gguf=samples.gguf(tensors=(_gguf_tensor(*[1] * 9),))),
        ),
    },
    "data set": {
        "not packed": ("cannot be read", _rows(b"{}")),
        "a list for a row": ("a list and not an object", _rows(gzip.compress(b"[1]"))),
        "nested deeply": ("nested too deeply", _rows(gzip.compress(DEEP))),
        "an answer that is none": ("Row 0 of split 'train'", _rows(_row(answerKey="B"))),
        "a text for choices": ("Row 0 of split 'train'", _rows(_row(choices="A"))),
        "without the split": ("no split 'train'", lambda folder: load_choices(folder)["train"]),
    },
    "mirror": {
        "no folder": (
            "The mirror is not a folder",
            lambda folder: mirror_folder({"CORROBORATE_MIRROR": f"{folder}/x"}),
        ),
        "a long path": (
            "The mirror is not a folder",
            lambda folder: mirror_folder({"CORROBORATE_MIRROR": LONG}),
        ),
    },
    "endpoint": {
        "a mapping for a text": ("not of OpenAI's protocol", _answer(text={"a": 1})),
        "a probability in words": (
            "no log-probability",
            _answer(logprobs=SimpleNamespace(content=None, token_logprobs=["x"])),
        ),
        "a probability that is no number": (
            "no log-probability",
            _answer(logprobs=SimpleNamespace(content=None, token_logprobs=[float("nan")])),
        ),
        "no list of probabilities": (
            "not of OpenAI's protocol",
            _answer(logprobs=SimpleNamespace(content=3)),
        ),
    },
}
