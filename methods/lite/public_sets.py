"""Public retrieval sets as :class:`RetrievalSet`.

TrecQA judges sentences for a question; they are its candidates. The others are collections:
documents, queries and judgments, with the first-stage candidates that come with them (MS MARCO, TREC
DL) or else BM25's. A query to which nothing is relevant has no ranking to measure: it is left out and
counted in the card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.method import (
    Artifact,
    Context,
    HubSource,
    MirrorSource,
    PackageSource,
    Resource,
    param,
)
from methods.common.datasets import DataSet
from methods.lite.passages import (
    TEST,
    TRAIN,
    VALIDATION,
    Passage,
    Query,
    RetrievalSet,
    load_retrieval,
    save_retrieval,
)

Split = Literal["train", "validation", "test", "zero-shot"]
_LEFT_OUT = "queries without a relevant passage"


@dataclass(frozen=True)
class Judged:
    """A sentence that was judged as an answer to a question."""

    question: str
    sentence: str
    label: int


@dataclass(frozen=True)
class Collection:
    """Documents, queries, judgments, and maybe a first stage.

    Attributes:
        documents: Title and text of each document, by id; the title may be empty.
        queries: Texts by id.
        judgments: Relevance by query id and document id.
        candidates: First-stage scores by query id and document id; empty without a first stage.
    """

    documents: Mapping[str, tuple[str, str]]
    queries: Mapping[str, str]
    judgments: Mapping[str, Mapping[str, float]]
    candidates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Title and text of a document; the title once, where the text repeats it."""
        title, text = self.documents[name]
        return text if text.startswith(title) else f"{title}. {text}".strip(" .")


def load_judged(folder: Path) -> DataSet[Judged]:
    """TrecQA: fields ``question``, ``sentence``, ``label``."""
    return DataSet(folder, lambda _, raw: Judged(raw["question"], raw["sentence"], int(raw["label"])))


def load_collection(folder: Path) -> Collection:
    """A folder with ``documents``, ``queries``, ``qrels`` and maybe ``candidates``.

    Raises:
        ResourceError: If one is missing or lacks a field.
    """

    def rows(split: str, parse: Callable[[dict[str, Any]], Any]) -> list[Any]:
        return DataSet(folder, lambda _, raw: parse(raw))[split]

    documents = rows("documents", lambda raw: (str(raw["id"]), (raw.get("title") or "", raw["text"] or "")))
    queries = rows("queries", lambda raw: (str(raw["id"]), raw["text"]))
    pairs = rows(
        "qrels", lambda raw: (str(raw["query_id"]), str(raw["doc_id"]), max(0.0, float(raw["relevance"])))
    )
    ranked: list[tuple[str, str, float]] = []
    if (folder / "candidates.jsonl.gz").is_file():
        ranked = rows(
            "candidates", lambda raw: (str(raw["query_id"]), str(raw["doc_id"]), float(raw["score"]))
        )
    return Collection(dict(documents), dict(queries), _nested(pairs), _nested(ranked))


def _nested(rows: Iterable[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for query, document, value in rows:
        found.setdefault(query, {})[document] = value
    return found


def judged_set(data: DataSet[Judged], domain: str) -> RetrievalSet:
    """Questions with their judged sentences as candidates.

    As is usual, questions are left out to which no sentence or every sentence is an answer: there
    is nothing to rank.
    """
    from methods.lite.candidates import Bm25

    queries: list[Query] = []
    passages: list[Passage] = []
    left_out = {"no": 0, "every": 0}
    for split in (name for name in (TRAIN, VALIDATION, TEST) if name in data.splits):
        questions: dict[str, list[Judged]] = {}
        for row in data[split]:
            questions.setdefault(row.question, []).append(row)
        for number, (question, rows) in enumerate(questions.items()):
            if len({row.label > 0 for row in rows}) < 2:
                left_out["every" if rows[0].label > 0 else "no"] += 1
                continue
            name = f"{split}-{number:04}"
            texts = [row.sentence for row in rows]
            found = [Passage(f"{name}-{place:03}", text, domain) for place, text in enumerate(texts)]
            (scores,) = Bm25(texts).scores([question])
            queries.append(
                Query(
                    id=name,
                    text=question,
                    split=split,
                    domain=domain,
                    candidates=tuple(passage.id for passage in found),
                    grades=tuple(float(row.label > 0) for row in rows),
                    bm25=tuple(round(float(score), 6) for score in scores),
                )
            )
            passages += found
    card = {_LEFT_OUT: left_out["no"], "questions with nothing but answers": left_out["every"]}
    return RetrievalSet(tuple(queries), tuple(passages), card)


def collection_set(
    data: Collection, domain: str, split: str, *, depth: int, most: int = 0, insert: bool = False
) -> RetrievalSet:
    """Queries of a collection with first-stage candidates.

    Args:
        data: The collection.
        domain: Its name; ids get it as a prefix, so that sets can be joined.
        split: The split that all its queries belong to.
        depth: Most candidates a query.
        most: Most queries, the first ones; 0 takes all.
        insert: Put relevant documents that the first stage missed at its end: for training only,
            since a test would then know which documents to rank.

    Returns:
        The set; its card counts empty documents and queries that were left out.
    """
    empty = {name for name in data.documents if not data.text(name).strip()}
    ranked = _ranked(data, empty, depth)
    queries: list[Query] = []
    left_out = 0
    for name in data.queries:
        if most and len(queries) == most:
            break
        grades = data.judgments.get(name, {})
        if not any(grade > 0 for grade in grades.values()):
            left_out += 1
            continue
        queries.append(_with_candidates(data, name, ranked(name), domain, split, insert=insert, empty=empty))
    used = sorted({name for query in queries for name in query.candidates})
    cut = len(domain) + 1
    passages = tuple(Passage(name, data.text(name[cut:]), domain) for name in used)
    card = {_LEFT_OUT: left_out, "empty documents": len(empty), "documents": len(data.documents)}
    return RetrievalSet(tuple(queries), passages, card)


def _ranked(data: Collection, empty: set[str], depth: int) -> Callable[[str], dict[str, float]]:
    """First-stage candidates of a query with their scores: given ones, or BM25's."""
    if data.candidates:
        return lambda name: dict(
            islice(sorted(data.candidates.get(name, {}).items(), key=lambda item: (-item[1], item[0])), depth)
        )
    from methods.lite.candidates import Bm25, best

    names = [name for name in data.documents if name not in empty]
    index = Bm25([data.text(name) for name in names])

    def search(query: str) -> dict[str, float]:
        (scores,) = index.scores([data.queries[query]])
        # A document that shares no word with the query was not found.
        return {names[place]: float(scores[place]) for place in best(scores, depth) if scores[place] > 0}

    return search


def _with_candidates(
    data: Collection,
    name: str,
    found: dict[str, float],
    domain: str,
    split: str,
    *,
    insert: bool,
    empty: set[str],
) -> Query:
    grades = data.judgments[name]
    relevant = [document for document, grade in grades.items() if grade > 0 and document not in empty]
    if insert:
        lowest = min(found.values(), default=0.0)
        found = found | {document: lowest for document in relevant if document not in found}
    order = sorted(document for document in found if document in data.documents)
    placed = {*order}
    return Query(
        id=f"{domain}/{name}",
        text=data.queries[name],
        split=split,
        domain=domain,
        candidates=tuple(f"{domain}/{document}" for document in order),
        grades=tuple(float(grades.get(document, 0.0)) for document in order),
        bm25=tuple(round(found[document], 6) for document in order),
        unretrieved=tuple(grades[d] for d in grades if grades[d] > 0 and d not in placed),
    )


def joined(sets: Sequence[RetrievalSet]) -> RetrievalSet:
    """Several sets as one; a passage that two of them hold is kept once."""
    passages = {passage.id: passage for data in sets for passage in data.passages}
    return RetrievalSet(
        tuple(query for data in sets for query in data.queries),
        tuple(passages[name] for name in sorted(passages)),
        {"sets": [dict(data.card) for data in sets]},
    )


@dataclass(frozen=True, kw_only=True)
class JudgedPassages(Artifact):
    """A set of judged sentences.

    Attributes:
        source: Its resource.
    """

    title: ClassVar[str] = "judged sentences by question"

    source: Resource

    def build(self, folder: Path, ctx: Context) -> None:
        """Group the sentences by question."""
        save_retrieval(folder, judged_set(ctx.load(self.source), self.source.name))

    def load(self, path: Path) -> RetrievalSet:
        """The set."""
        return load_retrieval(path)


@dataclass(frozen=True, kw_only=True)
class CollectionPassages(Artifact):
    """Collections with first-stage candidates, as one set.

    Attributes:
        parts: Each collection with the split that its queries belong to.
    """

    title: ClassVar[str] = "first-stage candidates of public collections"

    parts: tuple[tuple[Resource, Split], ...]
    depth: int = param(100, source="ours; the paper re-ranks 1000", doc="candidates a query")
    train: int = param(0, source="ours", doc="training queries; 0: all")
    train_depth: int = param(
        32, source="ours: unspecified in the paper", doc="candidates of a training query"
    )

    def build(self, folder: Path, ctx: Context) -> None:
        """Find or take the candidates."""
        sets = []
        for number, (resource, split) in enumerate(self.parts):
            training = split == TRAIN
            sets.append(
                collection_set(
                    ctx.load(resource),
                    resource.name,
                    split,
                    depth=self.train_depth if training else self.depth,
                    most=self.train if training else 0,
                    insert=training,
                )
            )
            ctx.progress((number + 1) / len(self.parts), resource.name)
        save_retrieval(folder, joined(sets))

    def load(self, path: Path) -> RetrievalSet:
        """The set."""
        return load_retrieval(path)


TRECQA = Resource(
    name="trecqa",
    kind="dataset",
    licence="",
    version="as of the source",
    sources=(MirrorSource("trecqa"), HubSource("lucadiliello/trecqa", repo_type="dataset")),
    loader="methods.lite.public_sets:load_judged",
    size_mb=6,
)
"""Answer sentences for factoid questions; the hub's copy has more to train on than the mirror's."""
CRANFIELD = Resource(
    name="cranfield",
    kind="dataset",
    licence="unknown (ir_datasets states none)",
    version="as of the source",
    sources=(
        MirrorSource("cranfield"),
        PackageSource(
            distribution="ir_datasets", version="0.6.3", provide="methods.lite.ir_sets:export_cranfield"
        ),
    ),
    loader="methods.lite.public_sets:load_collection",
    size_mb=2,
)
"""1,400 abstracts on aerodynamics with graded judgments for 225 queries."""
