"""The paper's own retrieval sets, through ``ir_datasets``.

The package is needed under the profile ``paper`` only, and fetches the sets itself. What it gives is
stored in the form of a mirror (see :func:`methods.lite.public_sets.load_collection`), so that a
mirror can take its place. The lists of 1,000 passages that come with MS MARCO carry no scores: all of
them are re-ranked in a test, and training takes some, in the order of their ids.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from harness.method import MirrorSource, PackageSource, Resource, ResourceError

FirstStage = Literal["given", "judged", "none"]

IR_DATASETS = "0.6.3"
"""The version of ``ir_datasets`` that the paper's sets are read with."""


def export(name: str, folder: Path, *, first: FirstStage = "none", queries: int = 0) -> None:
    """Store a set as ``documents``, ``queries``, ``qrels`` and maybe ``candidates``.

    Args:
        name: Its id in ``ir_datasets``.
        folder: Where to.
        first: Where first-stage candidates come from: a ranking (or pairs to train on) that is part
            of the set; the judged documents; or nowhere, which leaves them to BM25 over all
            documents. Otherwise only documents that a query needs are stored.
        queries: Most queries; 0 stores all.

    Raises:
        ResourceError: If the package is missing or cannot provide the set.
    """
    try:
        data: Any = import_module("ir_datasets").load(name)
        for split, rows in _tables(data, first, queries).items():
            _write_split(folder / f"{split}.jsonl.gz", rows)
    except Exception as error:  # The package raises errors of many kinds.
        raise ResourceError(
            f"ir_datasets cannot provide '{name}': {type(error).__name__} {error}",
            where=name,
            fix=f"Install it (pip install ir_datasets=={IR_DATASETS}) and go online, or follow the "
            "instructions that it prints for sets under an agreement.",
        ) from error


def _tables(data: Any, first: FirstStage, most: int) -> dict[str, Iterable[dict[str, Any]]]:
    judged = list(data.qrels_iter())
    kept = {row.query_id for row in judged if row.relevance > 0}
    queries = list(islice((row for row in data.queries_iter() if row.query_id in kept), most or None))
    kept = {row.query_id for row in queries}
    judged = [row for row in judged if row.query_id in kept]
    ranked = _first_stage(data, kept) if first == "given" else []
    if first == "judged":
        ranked = [(row.query_id, row.doc_id, 0.0) for row in judged]
    tables: dict[str, Iterable[dict[str, Any]]] = {
        "queries": ({"id": row.query_id, "text": row.default_text()} for row in queries),
        "qrels": (
            {"query_id": row.query_id, "doc_id": row.doc_id, "relevance": row.relevance} for row in judged
        ),
    }
    documents: Iterator[Any] = data.docs_iter()
    if first != "none":
        tables["candidates"] = [
            {"query_id": query, "doc_id": document, "score": score} for query, document, score in ranked
        ]
        wanted = {document for _, document, _ in ranked}
        wanted |= {row.doc_id for row in judged}
        documents = data.docs_store().get_many_iter(sorted(wanted))
    tables["documents"] = (
        {"id": row.doc_id, "title": getattr(row, "title", ""), "text": row.text} for row in documents
    )
    return tables


def _first_stage(data: Any, kept: set[str]) -> list[tuple[str, str, float]]:
    """Candidates that come with the set: a ranking, or else pairs for training."""
    if data.has_scoreddocs():
        return [(r.query_id, r.doc_id, r.score) for r in data.scoreddocs_iter() if r.query_id in kept]
    if data.has_docpairs():
        pairs = (row for row in data.docpairs_iter() if row.query_id in kept)
        found = {(row.query_id, name): 0.0 for row in pairs for name in (row.doc_id_a, row.doc_id_b)}
        return [(query, document, score) for (query, document), score in found.items()]
    return []


def _write_split(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


_MICROSOFT = "Microsoft's terms (non-commercial research)"
_QUESTIONS = "CC BY-SA 3.0 (as the questions' first release)"
_UNSTATED = "unknown (neither ir_datasets nor mteb states one)"
_LICENCES = {
    "arguana": "CC BY-SA 4.0",
    "climate-fever": "CC BY-SA 4.0",
    "dbpedia-entity": "MIT",
    "fever": "CC BY-NC-SA 3.0",
    "hotpotqa": "CC BY-SA 4.0",
    "nq": "CC BY-NC-SA 3.0",
    "scidocs": "CC BY-SA 4.0",
    "scifact": "CC BY-NC 4.0",
    "webis-touche2020": "CC BY-SA 4.0",
}
"""Of BEIR's sets, as mteb 2.26.24 states them; the others have none there."""


def _resource(name: str, dataset: str, function: str, *, licence: str, size_mb: int = 1000) -> Resource:
    """A set whose folder :func:`export` fills."""
    return Resource(
        name=name,
        kind="dataset",
        licence=licence,
        version=dataset,
        sources=(
            MirrorSource(name.replace("-", "_")),
            PackageSource(
                distribution="ir_datasets", version=IR_DATASETS, provide=f"methods.lite.ir_sets:{function}"
            ),
        ),
        loader="methods.lite.public_sets:load_collection",
        size_mb=size_mb,
    )


export_cranfield = partial(export, "cranfield")
export_msmarco_train = partial(export, "msmarco-passage/train/triples-small", first="given", queries=100_000)
export_msmarco_dev = partial(export, "msmarco-passage/dev/small", first="given")
export_dl19 = partial(export, "msmarco-passage/trec-dl-2019/judged", first="given")
export_dl20 = partial(export, "msmarco-passage/trec-dl-2020/judged", first="given")
export_nq_train = partial(export, "dpr-w100/natural-questions/train", first="judged")
export_nq_dev = partial(export, "dpr-w100/natural-questions/dev", first="judged")

_microsoft = partial(_resource, licence=_MICROSOFT)
_natural = partial(_resource, licence=_QUESTIONS)
MSMARCO_TRAIN = _microsoft(
    "msmarco-passage-train", "msmarco-passage/train/triples-small", "export_msmarco_train", size_mb=4000
)
MSMARCO_DEV = _microsoft("msmarco-passage-dev", "msmarco-passage/dev/small", "export_msmarco_dev")
DL19 = _microsoft("trec-dl-2019", "msmarco-passage/trec-dl-2019/judged", "export_dl19", size_mb=20)
DL20 = _microsoft("trec-dl-2020", "msmarco-passage/trec-dl-2020/judged", "export_dl20", size_mb=20)
NQ_TRAIN = _natural("nq-passages-train", "dpr-w100/natural-questions/train", "export_nq_train")
NQ_DEV = _natural("nq-passages-dev", "dpr-w100/natural-questions/dev", "export_nq_dev")

BEIR = {
    "arguana": "beir/arguana",
    "climate-fever": "beir/climate-fever",
    "dbpedia-entity": "beir/dbpedia-entity/test",
    "fever": "beir/fever/test",
    "fiqa": "beir/fiqa/test",
    "hotpotqa": "beir/hotpotqa/test",
    "nfcorpus": "beir/nfcorpus/test",
    "nq": "beir/nq",
    "quora": "beir/quora/test",
    "scidocs": "beir/scidocs",
    "scifact": "beir/scifact/test",
    "trec-covid": "beir/trec-covid",
    "webis-touche2020": "beir/webis-touche2020/v2",
}
"""Ids of BEIR's public sets but MS MARCO, which is trained on, and CQADupStack, which is twelve."""


def _beir(name: str) -> str:
    """Name of the function that exports a set of BEIR."""
    return f"export_beir_{name.replace('-', '_')}"


_EXPORTS = {_beir(name): partial(export, dataset) for name, dataset in BEIR.items()}


def __getattr__(name: str) -> partial[None]:
    """The functions ``export_beir_...``, one for each set of :data:`BEIR`."""
    if name in _EXPORTS:
        return _EXPORTS[name]
    raise AttributeError(name)


BEIR_SETS = tuple(
    _resource(f"beir-{name}", dataset, _beir(name), licence=_LICENCES.get(name, _UNSTATED))
    for name, dataset in BEIR.items()
)
"""Zero-shot sets; candidates are BM25's over all documents, which needs memory for millions of them."""
