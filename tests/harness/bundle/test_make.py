"""What is in a bundle, and that the same run gives the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from harness import provenance
from harness.bundle import SUMS, Extras, make_bundle, open_bundle
from harness.bundle.licences import spdx
from harness.errors import RecordError, UsageError
from harness.provenance import lock_file
from harness.store import RunReader, open_run
from harness.store.records import VerdictsRecord
from harness.suite import Suite


def content(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {one.filename: opened.read(one) for one in opened.infolist() if not one.is_dir()}


def test_a_bundle_has_records_rows_verdicts_licences_report_and_the_hash_of_each(
    archive: Path, reader: RunReader
) -> None:
    found = content(archive)
    (rows,) = (name for name in found if name.startswith("units/"))
    plain = ["README.md", "licences.json", "paper.toml", "ro-crate-metadata.json", "run.json"]
    assert sorted(found) == sorted([*plain, SUMS, "report/index.html", "trials.jsonl", rows, "verdicts.json"])
    lines = [line.split("  ") for line in found[SUMS].decode().splitlines()]
    recorded = {name: digest for digest, name in lines}
    assert recorded == {name: sha256(data).hexdigest() for name, data in found.items() if name != SUMS}
    assert found["trials.jsonl"] == (reader.folder / "trials.jsonl").read_bytes()
    assert found[rows] == reader.units("e/t/mean/100")
    licences = {one["name"]: one["licence"] for one in json.loads(found["licences.json"])}
    assert licences == {"gemma-3-270m": "Gemma", "words": "MIT"}


def test_no_folder_of_the_machine_is_in_its_command(archive: Path) -> None:
    assert not [name for name, data in content(archive).items() if b"/private/somebody" in data]


def test_the_same_run_gives_the_same_bytes_whenever_and_wherever(  # noqa: PLR0917 - fixtures
    archive: Path, suite: Suite, reader: RunReader, verdicts: VerdictsRecord, extras: Extras, tmp_path: Path
) -> None:
    moved = shutil.copytree(reader.folder, tmp_path / "elsewhere" / "other-name")
    for path in moved.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = tmp_path / "again.zip"
    make_bundle(suite, open_run(moved), verdicts, again, extras)
    assert again.read_bytes() == archive.read_bytes()


def test_a_bundle_of_an_opened_bundle_is_the_same_bundle(
    archive: Path, suite: Suite, verdicts: VerdictsRecord, extras: Extras, tmp_path: Path
) -> None:
    open_bundle(archive, tmp_path / "opened")
    again = tmp_path / "again.zip"
    make_bundle(suite, open_run(tmp_path / "opened"), verdicts, again, extras)
    assert again.read_bytes() == archive.read_bytes()


def test_damaged_rows_are_not_bundled(
    suite: Suite, reader: RunReader, verdicts: VerdictsRecord, extras: Extras, tmp_path: Path
) -> None:
    (rows,) = (reader.folder / "units").iterdir()
    rows.write_bytes(rows.read_bytes() + b"x")
    with pytest.raises(RecordError, match="not those that were recorded"):
        make_bundle(suite, reader, verdicts, tmp_path / "b.zip", extras)
    assert not (tmp_path / "b.zip").exists()


def test_a_file_of_that_name_is_left_alone(
    archive: Path, suite: Suite, reader: RunReader, verdicts: VerdictsRecord, extras: Extras
) -> None:
    before = archive.read_bytes()
    with pytest.raises(UsageError, match="already"):
        make_bundle(suite, reader, verdicts, archive, extras)
    assert archive.read_bytes() == before


def test_what_is_missing_or_unusual_is_told(
    suite: Suite, reader: RunReader, verdicts: VerdictsRecord, tmp_path: Path
) -> None:
    record = reader.record
    changed = record.model_copy(
        update={
            "planned": ["e/t/mean/100", "e/t/mean/101"],
            "added": {"mine": "package:Mine"},
            "bindings": {"words": "/data/words"},
            "provenance": record.provenance.model_copy(update={"dirty": True}),
        }
    )
    (reader.folder / "run.json").write_text(changed.as_json())
    other = replace(suite, folder=tmp_path)
    told = " ".join(make_bundle(other, open_run(reader.folder), verdicts, tmp_path / "b.zip", Extras()))
    assert "no paper.toml" in told
    assert "Without the lock file" in told
    assert "1 planned trials have no result, the first is e/t/mean/101" in told
    assert "rules of the claims have changed" in told
    assert "mine (package:Mine)" in told
    assert "in no commit" in told
    assert "folders of the machine: /data/words." in told
    assert all(note in content(tmp_path / "b.zip")["README.md"].decode() for note in told.split(". ")[:1])


def test_the_lock_file_is_the_one_of_the_run_or_none(
    reader: RunReader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "constraints.txt").write_text("numpy==2\n")
    monkeypatch.setattr(provenance, "_repository", lambda: tmp_path)
    made = reader.record.provenance
    same = made.model_copy(update={"lock_sha256": sha256(b"numpy==2\n").hexdigest()})
    assert lock_file(same) == b"numpy==2\n"
    older = made.model_copy(update={"lock_sha256": sha256(b"numpy==1\n").hexdigest()})
    assert lock_file(older) is None
    monkeypatch.setattr(provenance, "_git_output", lambda folder, *arguments: b"numpy==1\n")
    assert lock_file(older) == b"numpy==1\n"
    # What is no commit never reaches git, which would take it for an option.
    assert lock_file(older.model_copy(update={"commit": "--output=here"})) is None


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("apache-2.0", "Apache-2.0"), ("MIT", "MIT"), ("Gemma", ""), ("MIT OR ISC", ""), ("unknown (why)", "")],
)
def test_licences_that_spdx_knows_have_its_name(text: str, identifier: str) -> None:
    assert spdx(text) == identifier
