"""Retrieval sets: queries, passages, and the candidates of each query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.method import ProblemError, ResourceError

TRAIN, VALIDATION, TEST, ZERO_SHOT = "train", "validation", "test", "zero-shot"
SPLITS = (TRAIN, VALIDATION, TEST, ZERO_SHOT)


@dataclass(frozen=True)
class Passage:
    """A text that can be found; its id is a hash and tells nothing.

    Attributes:
        id: Unique in the set.
        text: The text; may be empty in public sets.
        domain: Where it comes from, for example a package.
    """

    id: str
    text: str
    domain: str


@dataclass(frozen=True)
class Query:
    """A query with its candidates, in the order of their ids.

    Attributes:
        id: Unique in the set.
        text: The query.
        split: ``train``, ``validation``, ``test`` or ``zero-shot``.
        domain: Where it comes from.
        candidates: Ids of n passages.
        grades: Relevance of each candidate, 0 meaning not relevant.
        bm25: BM25's score of each candidate.
        unretrieved: Grades of relevant passages that are not among the candidates.
    """

    id: str
    text: str
    split: str
    domain: str
    candidates: tuple[str, ...]
    grades: tuple[float, ...]
    bm25: tuple[float, ...]
    unretrieved: tuple[float, ...] = ()

    @property
    def relevant(self) -> tuple[int, ...]:
        """Places of the relevant candidates."""
        return tuple(place for place, grade in enumerate(self.grades) if grade > 0)


@dataclass(frozen=True)
class RetrievalSet:
    """Queries with candidates, and the passages that they name.

    Attributes:
        queries: All queries, by split and id.
        passages: All passages, by id.
        card: What the set is made of: counts, versions, licences, how BM25 does.

    Raises:
        ProblemError: If a query names a passage that is not there, its columns differ in length, an
            id occurs twice, or nothing is relevant to a query.
    """

    queries: tuple[Query, ...]
    passages: tuple[Passage, ...]
    card: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if len(self.by_id) != len(self.passages) or len({query.id for query in self.queries}) != len(
            self.queries
        ):
            raise ProblemError("An id occurs twice", where="retrieval set", fix="Give each text its own id.")
        for query in self.queries:
            _check(query, self.by_id)

    @cached_property
    def by_id(self) -> dict[str, Passage]:
        """Passages by id."""
        return {passage.id: passage for passage in self.passages}

    def split(self, *names: str) -> tuple[Query, ...]:
        """The queries of some splits."""
        return tuple(query for query in self.queries if query.split in names)

    def domains(self, split: str) -> dict[str, tuple[Query, ...]]:
        """The queries of a split by domain, domains in alphabetical order."""
        found: dict[str, list[Query]] = {}
        for query in self.split(split):
            found.setdefault(query.domain, []).append(query)
        return {domain: tuple(found[domain]) for domain in sorted(found)}

    def texts(self, query: Query) -> tuple[str, ...]:
        """The texts of a query's candidates."""
        return tuple(self.by_id[name].text for name in query.candidates)


def _check(query: Query, passages: Mapping[str, Passage]) -> None:
    where = f"query '{query.id}'"
    if len({len(query.candidates), len(query.grades), len(query.bm25)}) != 1:
        raise ProblemError("Candidates, grades and scores differ in number", where=where)
    unknown = [name for name in query.candidates if name not in passages]
    if unknown:
        raise ProblemError(
            f"There is no passage '{unknown[0]}'", where=where, fix="Keep every passage that a query names."
        )
    if not query.relevant and not any(grade > 0 for grade in query.unretrieved):
        raise ProblemError(
            "Nothing is relevant to the query",
            where=where,
            fix="Leave such queries out and count them, as `methods.lite.public_sets` does.",
        )


def save_retrieval(folder: Path, data: RetrievalSet) -> None:
    """Write ``queries.jsonl``, ``passages.jsonl`` and ``card.json``."""
    _write_lines(folder / "queries.jsonl", (vars(query) for query in data.queries))
    _write_lines(folder / "passages.jsonl", (vars(passage) for passage in data.passages))
    card = json.dumps(dict(data.card), indent=1, ensure_ascii=False)
    (folder / "card.json").write_text(card + "\n", encoding="utf-8")


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)


def load_retrieval(folder: Path) -> RetrievalSet:
    """Read what :func:`save_retrieval` wrote.

    Raises:
        ResourceError: If a file is missing or damaged.
    """
    try:
        queries = [
            Query(**{name: tuple(v) if isinstance(v, list) else v for name, v in row.items()})  # type: ignore[arg-type]
            for row in _read_lines(folder / "queries.jsonl")
        ]
        passages = [Passage(**row) for row in _read_lines(folder / "passages.jsonl")]
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:
        raise ResourceError(
            f"The retrieval set cannot be read: {error}",
            where=str(folder),
            fix="Remove the folder; it is then built again.",
        ) from error
    return RetrievalSet(tuple(queries), tuple(passages), card)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class Library:
    """An installed library whose docstrings are used.

    Attributes:
        distribution: Its name on the package index.
        package: Its import name.
        licence: SPDX identifier.
        skip: Folders inside the package that are left out, as relative paths with slashes:
            families of near copies, and code for the library's own authors.
    """

    distribution: str
    package: str
    licence: str
    skip: tuple[str, ...] = ()


IN_DOMAIN = (
    Library("numpy", "numpy", "BSD-3-Clause"),
    Library("scipy", "scipy", "BSD-3-Clause"),
    Library("scikit-learn", "sklearn", "BSD-3-Clause"),
    Library("torch", "torch", "BSD-3-Clause", skip=("ao", "distributed", "fx", "onnx")),
    Library("sympy", "sympy", "BSD-3-Clause"),
    Library("transformers", "transformers", "Apache-2.0", skip=("models",)),
    Library("pandas", "pandas", "BSD-3-Clause"),
    Library("datasets", "datasets", "Apache-2.0"),
    Library("accelerate", "accelerate", "Apache-2.0"),
    Library("pydantic", "pydantic", "MIT"),
)
HELD_OUT = (
    Library("networkx", "networkx", "BSD-3-Clause"),
    Library("matplotlib", "matplotlib", "PSF-2.0"),
    Library("statsmodels", "statsmodels", "BSD-3-Clause"),
    Library("mpmath", "mpmath", "BSD-3-Clause"),
    Library("huggingface-hub", "huggingface_hub", "Apache-2.0"),
    Library("fonttools", "fontTools", "MIT"),
    Library("pillow", "PIL", "MIT-CMU"),
)


def installed_versions(libraries: Iterable[Library]) -> tuple[tuple[str, str], ...]:
    """Version of each library without its local part (``+cpu``); empty if it is not installed."""
    found = []
    for library in libraries:
        try:
            found.append((library.distribution, version(library.distribution).partition("+")[0]))
        except PackageNotFoundError:
            found.append((library.distribution, ""))
    return tuple(found)
