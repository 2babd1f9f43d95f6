"""Folders come out of the artifact store as they went in, or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from harness.engine.cluster.store import SINGLE, ContentStore, digest_of, listing_of
from harness.errors import ResourceError
from harness.resources.hashing import HashCache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "deep" / "er").mkdir(parents=True)
    (made / "a.json").write_text("{}")
    (made / "deep" / "er" / "b.bin").write_bytes(bytes(range(256)) * 100)
    (made / "same.json").write_text("{}")
    (made / "empty").touch()
    return made


@pytest.fixture
def hashes(tmp_path: Path) -> HashCache:
    return HashCache(tmp_path / "hashes.json")


@pytest.mark.parametrize("plain", [True, False])
def test_what_is_put_is_got(folder: Path, hashes: HashCache, tmp_path: Path, *, plain: bool) -> None:
    place = tmp_path / "my store"
    store = ContentStore(str(place) if plain else place.as_uri())
    store.check()
    digest = store.put(folder, listing_of(folder, hashes))
    assert store.has(digest)
    ContentStore(store.url).get(digest, tmp_path / "copy")
    assert listing_of(tmp_path / "copy", hashes) == listing_of(folder, hashes)
    assert len(list((place / "files").iterdir())) == 3, "equal files are stored once"
    assert not list((place / "parts").iterdir())


def test_a_single_file_stays_one(folder: Path, hashes: HashCache, tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    listing = listing_of(folder / "a.json", hashes)
    assert list(listing) == [SINGLE]
    store.get(store.put(folder / "a.json", listing), tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "{}"


def test_a_folder_that_is_there_is_left_as_it_is(folder: Path, hashes: HashCache, tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    digest = store.put(folder, listing_of(folder, hashes))
    (tmp_path / "copy").mkdir()
    store.get(digest, tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []
    assert not list(tmp_path.glob(".copy*"))


def test_what_was_changed_in_the_store_is_refused(folder: Path, hashes: HashCache, tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    digest = store.put(folder, listing_of(folder, hashes))
    content = next(path for path in (tmp_path / "store" / "files").iterdir() if path.stat().st_size > 10)
    content.write_bytes(content.read_bytes()[:-1] + b"!")
    with pytest.raises(ResourceError, match="something else than was put there"):
        store.get(digest, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert not list(tmp_path.glob(".copy*"))


def test_a_list_that_was_changed_is_refused(folder: Path, hashes: HashCache, tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    digest = store.put(folder, listing_of(folder, hashes))
    listing = tmp_path / "store" / "folders" / f"{digest}.json"
    listing.write_text(listing.read_text().replace("a.json", "c.json"))
    with pytest.raises(ResourceError, match="something else"):
        store.get(digest, tmp_path / "copy")


@pytest.mark.parametrize("name", ["../out", "/abs", "a/../../out", "a\\..\\b", "", "a//b", "./a", ".."])
def test_no_member_leads_outside(tmp_path: Path, name: str) -> None:
    """Even if the list's own hash is right: whoever wrote it into the store could see to that."""
    store = ContentStore(str(tmp_path / "store"))
    store.check()
    content = b"content"
    listing = {name: hashlib.sha256(content).hexdigest()}
    for folder in ("folders", "files"):
        (tmp_path / "store" / folder).mkdir()
    (tmp_path / "store" / "files" / listing[name]).write_bytes(content)
    digest = digest_of(listing)
    (tmp_path / "store" / "folders" / f"{digest}.json").write_text(json.dumps(listing, sort_keys=True))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ResourceError):
        store.get(digest, tmp_path / "inner" / "copy")
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before and path.is_file()] == []


@pytest.mark.parametrize("url", ["nosuch://place/x", "file:///proc/nothing/here", "s3//bucket\0"])
def test_a_store_that_cannot_be_used_says_so_at_once(url: str) -> None:
    with pytest.raises(ResourceError, match="artifact store"):
        ContentStore(url).check()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    store.check()
    assert not store.has("0" * 64)
    with pytest.raises(ResourceError, match="has no folder '000000000000'"):
        store.get("0" * 64, tmp_path / "copy")
