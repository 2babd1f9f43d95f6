"""Ways to break valid input: bytes anywhere, values and keys of JSON, columns of tables, entries of archives.

Each takes a generator of random numbers, so that one number stands for an input: a hundred thousand of them
take a minute, where composed strategies would take an hour.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from hashlib import sha256
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.bundle import SUMS

Make = Callable[[Random], Any]
MakeBytes = Callable[[Random], bytes]

_EXTREMES = (bytes(8), b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\0\0\0\0\0\x10", b"\1\0\0\0\0\0\0\0")


def either(*makers: Make) -> Make:
    """One of several ways, by lot."""
    return lambda rng: rng.choice(makers)(rng)


def broken(valid: bytes) -> MakeBytes:
    """The bytes with a few edits; at times bytes that have nothing to do with them."""

    def make(rng: Random) -> bytes:
        if rng.random() < 0.05:
            return rng.randbytes(rng.randrange(200))
        data = valid
        for _ in range(rng.randint(1, 4)):
            data = _edited(data, rng)
        return data

    return make


def _edited(data: bytes, rng: Random) -> bytes:
    at = rng.randint(0, len(data))
    end = at + rng.randint(1, 97)
    payload = rng.randbytes(rng.randint(1, 6))
    match rng.randrange(7):
        case 0:
            return data[:at] + payload + data[at + len(payload) :]
        case 1:
            return data[:at] + payload + data[at:]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:at]
        case 4:
            return data[:at] + data[at:end] * 2 + data[end:]
        case 5:
            return data[:at] + rng.choice(_EXTREMES) + data[at + 8 :]
    return data[:at] + bytes(byte ^ (1 << rng.randrange(8)) for byte in data[at : at + 1]) + data[at + 1 :]


_ODD_TEXTS = (
    *("", ".", "..", "../x", "/x", "a\0b", "\ud800", "1e999", "NaN", "-1", "x" * 300, "\u2028", "é", "C:\\x"),
    *("2026-11-29", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "A", "en", "main", "ok"),
)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 2**31, 2**63, 2**64, 10**40, -(2**63) - 1),
    *(0.5, -0.0, 1e308, math.inf, -math.inf, math.nan, [], {}, [[]], [None], {"a": None}, [1, 2]),
    *({"schema_version": 1}, [["a", 1]]),
)


def odd_text(rng: Random) -> str:
    """A text that is no usual name."""
    if rng.random() < 0.6:
        return rng.choice(_ODD_TEXTS)
    ceiling = rng.choice((0x80, 0x300, 0x110000))
    return "".join(chr(rng.randrange(ceiling)) for _ in range(rng.randrange(12)))


def _odd_value(rng: Random) -> Any:
    return odd_text(rng) if rng.random() < 0.3 else deepcopy(rng.choice(_ODD_VALUES))


def edited_json(valid: Any) -> MakeBytes:
    """JSON text of the data with some values, keys and items changed, removed, doubled or nested deeply."""
    whole = json.dumps(valid)

    def make(rng: Random) -> bytes:
        value = json.loads(whole)
        for _ in range(rng.randint(1, 3)):
            value = _changed(value, rng)
        text = json.dumps(value)
        if rng.random() < 0.005:  # Deeper than any recursion follows.
            deep = "[" * 3000 + "]" * 3000
            text = text.replace(":", f": {deep}, ".replace(", ", ', "x":'), 1) if rng.random() < 0.5 else deep
        return text.encode()

    return make


def _changed(value: Any, rng: Random) -> Any:
    nodes = list(_nodes(value))
    if not nodes:
        return _odd_value(rng)
    parent, key = rng.choice(nodes)
    match rng.randrange(5):
        case 0 | 1 | 2:
            parent[key] = _odd_value(rng)
        case 3:
            del parent[key]
        case _ if isinstance(parent, dict):
            parent[odd_text(rng)] = parent.pop(key)
        case _:
            parent.append(_odd_value(rng))
    return value


def _nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _nodes(value[key])


def edited_lines(valid: str, values: Sequence[str]) -> MakeBytes:
    """Lines of ``key = value`` text removed, doubled, or with another value or key."""
    lines = valid.splitlines()

    def make(rng: Random) -> bytes:
        found = list(lines)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(found))
            key, equals, _ = found[at].partition(" = ")
            new = rng.choice(values) if rng.random() < 0.7 else odd_text(rng)
            changes: tuple[list[str], ...] = (
                [],
                [found[at]] * 2,
                [f"{new}{equals}1"],
                [f"{key} = {new}"],
                [f"{key} = {new}"],
            )
            found[at : at + 1] = rng.choice(changes)
            found = found or [""]
        return "\n".join(found).encode(errors="surrogatepass")

    return make


_COLUMNS: Sequence[Callable[[int], pa.Array]] = (
    lambda n: pa.array([1] * n, pa.int64()),
    lambda n: pa.array([None] * n, pa.null()),
    lambda n: pa.array([0.5] * n, pa.float64()),
    lambda n: pa.array([math.nan] * n, pa.float64()),
    lambda n: pa.array(["x"] * n, pa.string()),
    lambda n: pa.array([b"\xff"] * n, pa.binary()),
    lambda n: pa.array([[1]] * n, pa.list_(pa.int64())),
    lambda n: pa.array([{"a": 1}] * n, pa.struct([("a", pa.int64())])),
    lambda n: pa.array([True] * n, pa.bool_()),
    lambda n: pa.array([0] * n, pa.timestamp("ns")),
    lambda n: pa.array(["x"] * n).dictionary_encode(),
    lambda n: pa.array([None] * n, pa.string()),
    lambda n: pa.array([2**62] * n, pa.int64()),
)


def edited_table(valid: bytes, names: Sequence[str] = ()) -> MakeBytes:
    """A Parquet file with columns that are lost, doubled, renamed or of another type."""
    whole = pq.read_table(io.BytesIO(valid))
    named = [*whole.column_names, *names, "", "main/", "\0"]

    def make(rng: Random) -> bytes:
        table = whole
        for _ in range(rng.randint(1, 3)):
            if table.column_names:
                table = _recolumned(table, rng, named)
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return sink.getvalue()

    return make


def _recolumned(table: pa.Table, rng: Random, names: Sequence[str]) -> pa.Table:
    at = rng.randrange(len(table.column_names))
    match rng.randrange(6):
        case 0:
            return table.remove_column(at)
        case 1:
            return table.append_column(rng.choice(names), table.column(at))
        case 2:
            renamed = [*table.column_names[:at], rng.choice(names), *table.column_names[at + 1 :]]
            return table.rename_columns(renamed)
    return table.set_column(at, table.column_names[at], rng.choice(_COLUMNS)(table.num_rows))


_ENTRIES = (
    *("run.json", "../x", "/x", "a/../b", "units", "run.json/x", "RUN.JSON", "x" * 300, "C:x", "a\\b", "é/ü"),
    *("units/../../x", "trials.jsonl.gz", "manifest.json", "report/index.html", "./x", "a//b", "units/"),
)
_MODES = (0o100644, 0o100644, 0o120777, 0o040755, 0o010644, 0)
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_Entry = tuple[str, bytes, int, int]


def edited_archive(valid: bytes) -> MakeBytes:
    """An archive with entries that are lost, changed, renamed, of another mode or packed otherwise."""
    with zipfile.ZipFile(io.BytesIO(valid)) as opened:
        entries = [(one.filename, opened.read(one), 0o100644, 8) for one in opened.infolist()]

    def make(rng: Random) -> bytes:
        found = list(entries)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(found))
            found[at : at + 1] = _replaced(found[at], rng)
            found = found or entries[:1]
        if rng.random() < 0.5:
            found = _honest(found)
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            for name, data, mode, packing in found:
                entry = zipfile.ZipInfo(name or "x")
                entry.external_attr, entry.compress_type = mode << 16, packing
                archive.writestr(entry, data)
        return sink.getvalue()

    return make


def _honest(entries: Sequence[_Entry]) -> list[_Entry]:
    """The entries with hashes of what they hold, so that what they hold is read."""
    others = [one for one in entries if one[0] != SUMS]
    sums = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data, _, _ in others)
    return [*others, (SUMS, sums.encode(), 0o100644, zipfile.ZIP_DEFLATED)]


def _replaced(entry: _Entry, rng: Random) -> list[_Entry]:
    name, data, mode, packing = entry
    other = rng.choice(_ENTRIES) if rng.random() < 0.8 else odd_text(rng).encode(errors="replace").decode()
    return rng.choice(
        (
            [],
            [(name, data[: len(data) // 2], mode, packing)],
            [(name, _edited(data, rng), mode, packing)],
            [(other, data, mode, packing)],
            [(name, data, rng.choice(_MODES), packing)],
            [(name, data, mode, rng.choice(_PACKINGS))],
            [entry, (other, data, rng.choice(_MODES), packing)],
        )
    )
