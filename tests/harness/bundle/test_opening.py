"""A bundle from anywhere is opened inside one new folder, as it was made or not at all."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from harness.bundle import SUMS, check_bundle, open_bundle, opening
from harness.errors import RecordError, UsageError
from harness.store import open_run


def rewritten(archive: Path, change: dict[str, bytes | None], **flags: int) -> Path:
    """A copy of an archive with entries replaced, added (bytes) or taken out (nothing)."""
    path = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for one in old.infolist():
            if one.filename not in change:
                new.writestr(one, old.read(one))
        for name, data in change.items():
            if data is not None:
                entry = zipfile.ZipInfo(name)
                entry.external_attr = flags.get("mode", 0o100644) << 16
                new.writestr(entry, data)
    return path


def nothing_left(folder: Path) -> bool:
    return not folder.exists() and not [path for path in folder.parent.iterdir() if path.name.startswith(".")]


def test_an_opened_bundle_is_a_run(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "opened"
    count = open_bundle(archive, folder)
    assert count == sum(path.is_file() for path in folder.rglob("*")) - 1
    assert open_run(folder).is_whole("e/t/mean/100")
    assert check_bundle(folder) == count


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "units/../../evil", "units/./x", "a//b", "C:/evil", "units\\..\\evil", "a/../b"],
)
def test_entries_that_lead_outside_are_refused(archive: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError, match="names a place outside"):
        open_bundle(rewritten(archive, {name: b"evil"}), tmp_path / "opened")
    assert nothing_left(tmp_path / "opened")


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644])
def test_links_and_devices_are_refused(archive: Path, tmp_path: Path, mode: int) -> None:
    with pytest.raises(RecordError, match="link or a device"):
        open_bundle(rewritten(archive, {"link": b"/etc/passwd"}, mode=mode), tmp_path / "opened")
    assert nothing_left(tmp_path / "opened")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(archive: Path, tmp_path: Path) -> None:
    path = rewritten(archive, {})
    with zipfile.ZipFile(path, "a") as added:
        added.writestr("RUN.json", b"{}")
    with pytest.raises(RecordError, match="is there twice"):
        open_bundle(path, tmp_path / "opened")


def test_what_would_become_too_large_is_refused_before_it_is_unpacked(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = rewritten(archive, {})
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as added:
        added.writestr("zeros", bytes(20_000_000))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(RecordError, match=r"the limit is 0\.01 GB"):
        open_bundle(bomb, tmp_path / "opened", limit_gb=0.01)
    monkeypatch.setattr(opening, "MOST_FILES", 3)
    with pytest.raises(RecordError, match="more than 3"):
        open_bundle(archive, tmp_path / "opened")
    assert nothing_left(tmp_path / "opened")


def test_an_entry_that_declares_less_than_it_holds_is_an_error(archive: Path, tmp_path: Path) -> None:
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        place = data.index(b"trials.jsonl", opened.start_dir)
    data[place - 46 + 24] ^= 1  # Its uncompressed size, in its header in the central directory.
    lying = tmp_path / "lying.zip"
    lying.write_bytes(data)
    with pytest.raises(RecordError):
        open_bundle(lying, tmp_path / "opened")
    assert nothing_left(tmp_path / "opened")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"run.json": b"{}"}, "run.json not as recorded"),
        ({"verdicts.json": None}, "verdicts.json missing"),
        ({"units/other.parquet": b"x"}, "units/other.parquet not in its list of hashes"),
        ({"ro-crate-metadata.json": b"{}"}, "ro-crate-metadata.json not as recorded"),
        ({SUMS: None}, "no list of hashes"),
        ({SUMS: b"nonsense\n"}, "SHA256SUMS, line 1"),
    ],
)
def test_every_change_is_noticed_and_nothing_is_kept(
    archive: Path, tmp_path: Path, change: dict[str, bytes | None], told: str
) -> None:
    with pytest.raises(RecordError, match=told):
        open_bundle(rewritten(archive, change), tmp_path / "opened")
    assert nothing_left(tmp_path / "opened")


def test_archives_that_are_none_and_damaged_ones_are_told(archive: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.zip"
    text.write_text("no archive")
    with pytest.raises(RecordError, match="cannot be unpacked"):
        open_bundle(text, tmp_path / "opened")
    data = bytearray(archive.read_bytes())
    data[200] ^= 0xFF
    text.write_bytes(data)
    with pytest.raises(RecordError):
        open_bundle(text, tmp_path / "opened")
    with pytest.raises(UsageError, match="no such file"):
        open_bundle(tmp_path / "absent.zip", tmp_path / "opened")
    assert nothing_left(tmp_path / "opened")


def test_a_folder_that_holds_something_is_left_alone(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    open_bundle(archive, tmp_path / "mine")  # It was empty.
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="holds something"):
        open_bundle(archive, tmp_path / "mine")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_change_after_opening_is_noticed(archive: Path, tmp_path: Path) -> None:
    open_bundle(archive, tmp_path / "opened")
    (tmp_path / "opened" / "verdicts.json").write_text("{}")
    (tmp_path / "opened" / "link").symlink_to("/etc")
    with pytest.raises(RecordError, match=r"link not in its list of hashes; verdicts.json not as recorded"):
        check_bundle(tmp_path / "opened")
