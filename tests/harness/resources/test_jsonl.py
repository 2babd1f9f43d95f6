from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ResourceError
from harness.resources import read_split, write_split
from harness.resources.hashing import HashCache, sha256_of

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)


@settings(max_examples=50)
@given(rows=st.lists(st.dictionaries(st.text(), VALUES | st.lists(VALUES))))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("split")
    write_split(folder, "test", rows)
    assert read_split(folder, "test") == rows


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "é"}]
    first = write_split(tmp_path, "one", rows).read_bytes()
    assert write_split(tmp_path, "two", rows).read_bytes() == first


def test_a_missing_split_names_those_that_exist(tmp_path: Path) -> None:
    write_split(tmp_path, "train", [])
    with pytest.raises(ResourceError, match="train"):
        read_split(tmp_path, "test")


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = write_split(tmp_path, "test", [{"n": n, "root": math.sqrt(n)} for n in range(1000)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ResourceError, match="cannot be read"):
        read_split(tmp_path, "test")


@pytest.mark.parametrize("line", ["{", "[1]", "3"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    with gzip.open(tmp_path / "test.jsonl.gz", "wt") as stream:
        stream.write(json.dumps({"a": 1}) + f"\n{line}\n")
    with pytest.raises(ResourceError, match="Line 2"):
        read_split(tmp_path, "test")


def test_remembered_hashes_follow_changes(tmp_path: Path) -> None:
    import os

    file = tmp_path / "file"
    file.write_text("one")
    os.utime(file, (1, 1))
    assert HashCache(tmp_path / "store").file(file) == sha256_of(file)
    file.write_text("two")
    os.utime(file, (1, 1))
    assert HashCache(tmp_path / "store").file(file) == sha256_of(file)


def test_hashes_are_remembered_between_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.resources import hashing

    monkeypatch.setattr(hashing, "_SETTLED_S", -1.0)
    file = tmp_path / "file"
    file.write_text("one")
    expected = HashCache(tmp_path / "store").file(file)
    monkeypatch.setattr(hashing, "sha256_of", lambda path: pytest.fail("hashed again"))
    assert HashCache(tmp_path / "store").file(file) == expected


def test_a_broken_store_of_hashes_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one")
    (tmp_path / "store").write_text("{broken")
    assert HashCache(tmp_path / "store").file(tmp_path / "file") == sha256_of(tmp_path / "file")
