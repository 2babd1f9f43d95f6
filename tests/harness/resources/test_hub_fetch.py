"""Data sets and models from a hub in memory."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

from harness.errors import ResourceError
from harness.method import HubSource, Reading, Resource
from harness.resources import Resolver, read_split
from harness.resources.hub_errors import explain
from harness.resources.hub_lock import HubLock
from tests.harness.resources.conftest import MakeResolver, packaged
from tests.harness.resources.fake_hub import FakeHub, Fault, Repository, lines, parquet

ROWS = [{"question": f"q{n}", "answer": f"a{n}", "image": "x" * 50_000} for n in range(10)]


def questions(reading: Reading | None, *, revision: str = "main") -> Resource:
    source = HubSource("someone/questions", revision, "dataset", reading=reading)
    return packaged(sources=(source,), sha256=())


def served_set(hub: FakeHub, files: dict[str, bytes], **changes: Any) -> Repository:
    repository = Repository(files, **changes)
    hub.repositories["datasets/someone/questions"] = repository
    return repository


def test_declared_parquet_files_become_splits_with_the_loaders_names(
    make: MakeResolver, hub: FakeHub
) -> None:
    files = {"data/train-0.parquet": parquet(ROWS[:4]), "data/train-1.parquet": parquet(ROWS[4:6])}
    served_set(hub, files | {"data/test-0.parquet": parquet(ROWS[6:]), "questions.py": b"raise SystemExit"})
    reading = Reading(
        splits=(("train", ("data/train-*.parquet",)), ("test", ("data/test-*.parquet",))),
        columns=("question", "answer"),
        rename=(("answer", "sentence"),),
    )
    folder = make().path(questions(reading))
    assert read_split(folder, "train") == [{"question": f"q{n}", "sentence": f"a{n}"} for n in range(6)]
    assert len(read_split(folder, "test")) == 4
    assert not any("questions.py" in asked for asked in hub.asked)


def test_json_lines_are_read_plain_and_compressed(make: MakeResolver, hub: FakeHub) -> None:
    served_set(hub, {"train.jsonl": lines(ROWS[:2]), "test.jsonl.gz": gzip.compress(lines(ROWS[2:]))})
    reading = Reading(
        splits=(("train", ("train.jsonl",)), ("test", ("test.jsonl.gz",))), columns=("question",)
    )
    folder = make().path(questions(reading))
    assert read_split(folder, "train") == [{"question": "q0"}, {"question": "q1"}]
    assert len(read_split(folder, "test")) == 8


def test_a_split_is_cut_out_where_a_set_has_only_one(make: MakeResolver, hub: FakeHub) -> None:
    served_set(hub, {"train.jsonl": lines(ROWS)})
    reading = Reading((("train", ("train.jsonl",)),), ("question",), held_out=("test", "train", 5))
    folder = make().path(questions(reading))
    assert [row["question"] for row in read_split(folder, "test")] == ["q0", "q5"]
    assert len(read_split(folder, "train")) == 8


def test_of_files_with_images_only_the_kept_columns_are_transferred(make: MakeResolver, hub: FakeHub) -> None:
    distinct = [row | {"image": f"{number}" * 1_000_000} for number, row in enumerate(ROWS)]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(distinct), out, compression="none", row_group_size=2)
    served_set(hub, {"train.parquet": out.getvalue()})
    reading = Reading((("train", ("train.parquet",)),), ("question",), ranges=True)
    folder = make().path(questions(reading))
    assert [row["question"] for row in read_split(folder, "train")] == [f"q{n}" for n in range(10)]
    assert hub.sent < len(out.getvalue()) / 4


def test_a_missing_column_is_named_with_those_that_are_there(make: MakeResolver, hub: FakeHub) -> None:
    for name, content in (("train.parquet", parquet(ROWS)), ("train.jsonl", lines(ROWS))):
        served_set(hub, {name: content})
        reading = Reading((("train", (name,)),), ("question", "solution"))
        with pytest.raises(ResourceError, match=r"solution(?s:.*)answer"):
            make().path(questions(reading))
    assert not read_cache(make())


def read_cache(resolver: Resolver) -> list[Path]:
    return list((resolver.home / "resources").glob("*/*/files"))


def test_a_split_without_files_names_the_patterns_and_the_tables(make: MakeResolver, hub: FakeHub) -> None:
    served_set(hub, {"old/train.parquet": parquet(ROWS)})
    with pytest.raises(ResourceError, match=r"data/\*\.parquet(?s:.*)old/train\.parquet"):
        make().path(questions(Reading((("train", ("data/*.parquet",)),))))


def test_without_declared_files_the_hubs_own_conversion_is_read(make: MakeResolver, hub: FakeHub) -> None:
    files = {"default/train/0000.parquet": parquet(ROWS)}
    served_set(hub, files, refs={"refs/convert/parquet": "b" * 40}, commit="c" * 40)
    assert len(read_split(make().path(questions(None)), "train")) == 10
    assert any("refs/convert/parquet" in asked for asked in hub.asked)


def test_a_conversion_of_only_a_part_is_refused(make: MakeResolver, hub: FakeHub) -> None:
    files = {"default/partial-train/0000.parquet": parquet(ROWS)}
    served_set(hub, files, refs={"refs/convert/parquet": "b" * 40})
    with pytest.raises(ResourceError, match="only a part"):
        make().path(questions(None))


def test_the_commit_of_a_branch_is_remembered_and_taken_again(
    make: MakeResolver, hub: FakeHub, tmp_path: Path
) -> None:
    repository = served_set(hub, {"train.jsonl": lines(ROWS)})
    resource = questions(Reading((("train", ("train.jsonl",)),), ("question",)))
    before = make().identity(resource)
    make().path(resource)
    assert "a" * 40 in make().identity(resource)
    assert make().identity(resource) != before
    # The branch moves, and the cache is pruned: what was read first is read again.
    repository.commit, repository.refs = "d" * 40, {"old": "a" * 40}
    (source,) = resource.sources
    assert isinstance(source, HubSource)
    assert HubLock(make().home).commit(source) == "a" * 40
    other = make(home=tmp_path / "pruned")
    (tmp_path / "pruned").mkdir()
    (make().home / "hub-lock.json").rename(tmp_path / "pruned" / "hub-lock.json")
    other.path(resource)
    assert "a" * 40 in other.identity(resource)


def test_a_pinned_commit_is_the_identity_and_stays_it(make: MakeResolver, hub: FakeHub) -> None:
    served_set(hub, {"train.jsonl": lines(ROWS)})
    resource = questions(Reading((("train", ("train.jsonl",)),)), revision="a" * 40)
    before = make().identity(resource)
    make().path(resource)
    assert make().identity(resource) == before
    assert not (make().home / "hub-lock.json").exists()
    (source,) = resource.sources
    assert isinstance(source, HubSource)
    other = replace(source, reading=Reading((("train", ("train.jsonl",)),), ("question",)))
    assert make().identity(packaged(sources=(other,), sha256=())) != before


def test_a_damaged_record_of_commits_says_so(make: MakeResolver, hub: FakeHub) -> None:
    served_set(hub, {"train.jsonl": lines(ROWS)})
    make().home.mkdir(parents=True)
    (make().home / "hub-lock.json").write_text("{")
    with pytest.raises(ResourceError, match="commits on record"):
        make().path(questions(Reading((("train", ("train.jsonl",)),))))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("gated", r"gated: ask for access at https://huggingface\.co/google/gemma-2b.*hf auth login"),
        ("absent", r"has no model google/gemma-2b.*https://huggingface\.co/google/gemma-2b"),
        ("down", "online"),
    ],
)
def test_what_stands_in_the_way_is_said_with_what_to_do(
    make: MakeResolver, hub: FakeHub, fault: Fault, said: str
) -> None:
    hub.repositories["models/google/gemma-2b"] = Repository({"model.safetensors": b"w"}, fault=fault)
    resource = packaged(kind="model", sources=(HubSource("google/gemma-2b"),), sha256=())
    with pytest.raises(ResourceError, match=said):
        make().path(resource)


def test_a_commit_that_is_gone_is_named(make: MakeResolver, hub: FakeHub) -> None:
    served_set(hub, {"train.jsonl": lines(ROWS)})
    with pytest.raises(ResourceError, match="no revision ffff"):
        make().path(questions(Reading((("train", ("train.jsonl",)),)), revision="f" * 40))


def test_weights_as_bin_are_not_loaded_but_their_conversion_is_named(
    make: MakeResolver, hub: FakeHub
) -> None:
    hub.repositories["models/someone/old"] = Repository({"config.json": b"{}", "pytorch_model.bin": b"w"})
    resource = packaged(kind="model", sources=(HubSource("someone/old"),), sha256=())
    with pytest.raises(ResourceError, match="corroborate convert"):
        make().path(resource)
    assert not any(asked.endswith("pytorch_model.bin") for asked in hub.asked)


def test_a_hub_that_is_switched_off_is_told_from_one_out_of_reach() -> None:
    source = HubSource("someone/model")
    assert "online?" in explain(source, LocalEntryNotFoundError("nothing cached"))
    error = LocalEntryNotFoundError("nothing cached")
    error.__cause__ = OfflineModeIsEnabled("offline mode is enabled")
    assert "HF_HUB_OFFLINE" in explain(source, error)
