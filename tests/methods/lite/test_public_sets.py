"""Public sets: the same shape whatever their form, and nothing without an answer."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from harness.method import ProblemError, ResourceError
from harness.method.names import named_function
from methods.lite import ir_sets
from methods.lite.ir_sets import BEIR_SETS, MSMARCO_DEV, export
from methods.lite.passages import TEST, TRAIN, ZERO_SHOT
from methods.lite.public_sets import (
    CRANFIELD,
    TRECQA,
    Collection,
    collection_set,
    joined,
    judged_set,
    load_collection,
    load_judged,
)

DOCUMENTS = {
    "1": ("slip flow", "slip flow over a plate in rarefied gas"),
    "2": ("", "the buckling of a thin cylinder under pressure"),
    "3": ("heat", "transfer at the nose of a blunt body"),
    "4": ("", ""),
}
COLLECTION = Collection(
    DOCUMENTS,
    {"a": "buckling of cylinders under pressure", "b": "heat transfer", "c": "unjudged thing"},
    {"a": {"2": 3.0, "1": 1.0, "4": 2.0}, "b": {"1": 0.0, "2": 0.0}},
)


def write(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def test_judged_sentences_are_grouped_by_question(tmp_path: Path) -> None:
    rows = [("who?", "Ann did", 1), ("who?", "who did", 0), ("why?", "because", 0), ("when?", "in May", 1)]
    write(tmp_path, "test", [{"question": q, "sentence": s, "label": label} for q, s, label in rows])
    write(tmp_path, "train", [{"question": "how?", "sentence": s, "label": s == "so"} for s in ("so", "no")])
    data = judged_set(load_judged(tmp_path), "qa")
    assert [(query.text, query.split, query.grades) for query in data.queries] == [
        ("how?", TRAIN, (1.0, 0.0)),
        ("who?", TEST, (1.0, 0.0)),
    ]
    assert data.texts(data.queries[1]) == ("Ann did", "who did")
    assert set(data.card.values()) == {1}


def test_a_collection_gets_candidates_by_bm25() -> None:
    data = collection_set(COLLECTION, "x", ZERO_SHOT, depth=1)
    (query,) = data.queries
    assert query.id == "x/a"
    assert query.candidates == ("x/2",)
    assert query.grades == (3.0,)
    assert sorted(query.unretrieved) == [1.0, 2.0]  # One of them an empty document.
    assert query.bm25[0] > 0
    assert data.card == {"queries without a relevant passage": 2, "empty documents": 1, "documents": 4}


def test_a_first_stage_that_comes_along_is_used_and_training_sees_the_answers() -> None:
    ranked = {"a": {"3": 2.0, "1": 1.0, "2": 0.5}}
    data = Collection(DOCUMENTS, COLLECTION.queries, COLLECTION.judgments, ranked)
    (cut,) = collection_set(data, "x", TEST, depth=2).queries
    assert cut.candidates == ("x/1", "x/3")
    assert sorted(cut.unretrieved) == [2.0, 3.0]
    (whole,) = collection_set(data, "x", TRAIN, depth=2, insert=True).queries
    assert whole.candidates == ("x/1", "x/2", "x/3")
    assert whole.grades == (1.0, 3.0, 0.0)
    assert whole.unretrieved == (2.0,)


def test_a_relevant_candidate_that_the_collection_lacks_counts_as_not_retrieved() -> None:
    """Assert that the ideal ranking still has it, so that a perfect score stays out of reach."""
    documents = {name: text for name, text in DOCUMENTS.items() if name != "2"}
    ranked = {"a": {"3": 2.0, "2": 1.0, "1": 0.5}}
    data = Collection(documents, COLLECTION.queries, COLLECTION.judgments, ranked)
    (query,) = collection_set(data, "x", TEST, depth=3).queries
    assert query.candidates == ("x/1", "x/3")
    assert sorted(query.unretrieved) == [2.0, 3.0]


def test_titles_are_read_once() -> None:
    texts = [COLLECTION.text(name) for name in DOCUMENTS]
    assert texts[0] == DOCUMENTS["1"][1]
    assert texts[2] == "heat. transfer at the nose of a blunt body"
    assert texts[3] == ""


def test_sets_are_joined_and_shared_passages_kept_once() -> None:
    one = collection_set(COLLECTION, "x", ZERO_SHOT, depth=2)
    other = collection_set(COLLECTION, "y", TEST, depth=2)
    both = joined([one, other])
    assert [query.domain for query in both.queries] == ["x", "y"]
    assert len(both.passages) == len(one.passages) + len(other.passages)
    with pytest.raises(ProblemError, match="twice"):
        joined([one, one])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, "documents", [{"id": "1", "text": "x"}])
    with pytest.raises(ResourceError, match="'queries'"):
        load_collection(tmp_path)
    write(tmp_path, "queries", [{"name": "1"}])
    with pytest.raises(ResourceError, match="KeyError"):
        load_collection(tmp_path)


def row(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**fields)


class FakeSet:
    """What the export asks of a set of ``ir_datasets``."""

    def __init__(self, *, scored: bool, paired: bool) -> None:
        self.scored, self.paired = scored, paired

    def docs_iter(self) -> Iterator[Any]:
        return iter([row(doc_id=name, text=f"text {name}", title="t") for name in "123"])

    def docs_store(self) -> FakeSet:
        return self

    def get_many_iter(self, names: list[str]) -> Iterator[Any]:
        return (found for found in self.docs_iter() if found.doc_id in names)

    def queries_iter(self) -> Iterator[Any]:
        return iter([row(query_id=name, default_text=f"query {name}".format) for name in "abc"])

    def qrels_iter(self) -> Iterator[Any]:
        judged = [("a", "1", 1), ("a", "2", -1), ("b", "3", 0), ("c", "3", 2)]
        return iter([row(query_id=q, doc_id=d, relevance=r) for q, d, r in judged])

    def has_scoreddocs(self) -> bool:
        return self.scored

    def scoreddocs_iter(self) -> Iterator[Any]:
        return iter([row(query_id=q, doc_id="2", score=1.5) for q in "abc"])

    def has_docpairs(self) -> bool:
        return self.paired

    def docpairs_iter(self) -> Iterator[Any]:
        return iter(
            [row(query_id="a", doc_id_a="1", doc_id_b="2"), row(query_id="b", doc_id_a="3", doc_id_b="1")]
        )


@pytest.fixture(autouse=True)
def _package(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = {
        "ranked": FakeSet(scored=True, paired=False),
        "paired": FakeSet(scored=False, paired=True),
        "bare": FakeSet(scored=False, paired=False),
    }
    module = ModuleType("ir_datasets")
    module.load = sets.__getitem__  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ir_datasets", module)


@pytest.mark.parametrize(
    ("name", "first", "documents", "candidates"),
    [
        ("ranked", "given", "123", {"a": {"2": 1.5}, "c": {"2": 1.5}}),
        ("paired", "given", "123", {"a": {"1": 0.0, "2": 0.0}}),
        ("bare", "judged", "123", {"a": {"1": 0.0, "2": 0.0}, "c": {"3": 0.0}}),
        ("bare", "none", "123", {}),
    ],
)
def test_what_ir_datasets_gives_becomes_a_collection(
    name: str, first: Any, documents: str, candidates: object, tmp_path: Path
) -> None:
    export(name, tmp_path, first=first)
    data = load_collection(tmp_path)
    assert set(data.documents) == set(documents)
    assert data.queries == {"a": "query a", "c": "query c"}
    assert data.judgments == {"a": {"1": 1.0, "2": 0.0}, "c": {"3": 2.0}}
    assert data.candidates == candidates


def test_fewer_queries_need_fewer_documents(tmp_path: Path) -> None:
    export("ranked", tmp_path, first="given", queries=1)
    data = load_collection(tmp_path)
    assert set(data.documents) == {"1", "2"}
    assert set(data.queries) == {"a"}


def test_what_cannot_be_had_says_how(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="pip install ir_datasets"):
        export("unknown", tmp_path)


@pytest.mark.parametrize("resource", [MSMARCO_DEV, CRANFIELD, *BEIR_SETS], ids=lambda resource: resource.name)
def test_every_source_leads_to_a_function(resource: Any) -> None:
    provide: Any = named_function(resource.sources[-1].provide)
    assert provide.func is export
    assert provide.args[0] in (resource.version, "cranfield")
    assert named_function(resource.loader) is load_collection
    assert not hasattr(ir_sets, "export_beir_unknown")
    assert named_function(TRECQA.loader) is load_judged
