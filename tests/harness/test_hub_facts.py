"""``hub.toml`` is checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.hub import HubFacts, licence_of, read_facts, size_mb_of
from harness.method import HubSource, MirrorSource, PackageSource, Reading, Resource

ENTRY = """
[[source]]
repo = "someone/letters"
kind = "dataset"
revision = "0123456789012345678901234567890123456789"
licence = "MIT"
gated = ""
size_mb = 3
columns = ["text", "answer"]
rename = { answer = "label" }
confirmed = "a card"
looked_up = 2026-11-28
splits = { train = ["data/train-*.parquet"] }
"""


def facts(tmp_path: Path, text: str) -> HubFacts:
    path = tmp_path / "hub.toml"
    path.write_text(text)
    read_facts.cache_clear()
    return read_facts(path)


def test_a_source_gets_its_commit_and_its_files(tmp_path: Path) -> None:
    known = facts(tmp_path, ENTRY)
    source = HubSource("someone/letters", repo_type="dataset")
    pinned = known.pinned(source)
    assert isinstance(pinned, HubSource)
    assert pinned.revision == "0123456789" * 4
    splits = (("train", ("data/train-*.parquet",)),)
    assert pinned.reading == Reading(splits, ("text", "answer"), (("answer", "label"),))
    assert known.pinned(pinned) == pinned
    # What a declaration states itself stays, and other sources are not touched.
    own = HubSource("someone/letters", "f" * 40, "dataset", reading=Reading(splits))
    assert known.pinned(own) == own
    assert known.at(own) is None
    assert known.pinned(MirrorSource("letters")) == MirrorSource("letters")
    assert known.pinned(HubSource("someone/letters")) == HubSource("someone/letters")


def test_a_source_without_a_commit_follows_its_branch(tmp_path: Path) -> None:
    unpinned = ENTRY.replace(f'"{"0123456789" * 4}"', '""\nref = "refs/convert/parquet"')
    pinned = facts(tmp_path, unpinned).pinned(HubSource("someone/letters", repo_type="dataset"))
    assert isinstance(pinned, HubSource)
    assert pinned.revision == "refs/convert/parquet"


def test_the_licence_is_the_declared_one_or_the_hubs(tmp_path: Path) -> None:
    known = facts(tmp_path, ENTRY)
    source = HubSource("someone/letters", repo_type="dataset")
    silent = Resource(name="a", kind="dataset", licence="", version="1", sources=(source,))
    stated = Resource(name="a", kind="dataset", licence="CC0", version="1", sources=(source,))
    assert (licence_of(silent, known), licence_of(stated, known)) == ("MIT", "CC0")
    assert licence_of(silent, HubFacts()).startswith("unknown (")
    bound = Resource(name="a", kind="model", licence="", version="1", sources=())
    assert "bind" in licence_of(bound, known)


def test_the_size_is_the_hubs_unless_a_package_brings_it(tmp_path: Path) -> None:
    known = facts(tmp_path, ENTRY)
    hub = HubSource("someone/letters", repo_type="dataset")
    package = PackageSource("letters", "1.0", "letters:unpack")
    said: dict[str, Any] = {"name": "a", "kind": "dataset", "licence": "", "version": "1", "size_mb": 700}
    sizes = [size_mb_of(Resource(**said, sources=found), known) for found in ((hub,), (package, hub), ())]
    assert sizes == [3, 700, 700]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "MIT"\n', "", "lacks licence"),
        ('"MIT"', '" "', "empty 'licence'"),
        ('"MIT"', '"unknown"', "without a word why"),
        ('"someone/letters"', '"letters"', "not 'owner/name'"),
        ('"dataset"', '"table"', "unknown kind"),
        ('"0123', '"', "not a commit"),
        ('gated = ""', 'gated = "maybe"', "gated 'maybe'"),
        ("size_mb = 3", 'size_mb = "3"', "str for 'size_mb'"),
        ("size_mb = 3", "size_mb = 3\nsize = 3", "unknown field 'size'"),
        ('{ train = ["data/train-*.parquet"] }', '{ train = ["train.pkl"] }', "may run code"),
        ("rename = { answer", "rename = { reply", "not kept: reply"),
        ("splits =", "held_out = { split = 'a', of = 'b', every = 2 }\nsplits =", "needs held_out"),
        ('splits = { train = ["data/train-*.parquet"] }', "", "without 'splits'"),
        ('rename = { answer = "label" }', "", ""),
        ("[[source]]", "[[source]", "cannot be read"),
    ],
)
def test_an_entry_that_is_wrong_says_what(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ENTRY
    text = ENTRY.replace(old, new, 1)
    if not said:
        assert facts(tmp_path, text).entries
        return
    with pytest.raises(SuiteError, match=said):
        facts(tmp_path, text)


def test_an_entry_may_not_stand_twice(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="twice"):
        facts(tmp_path, ENTRY + ENTRY)
