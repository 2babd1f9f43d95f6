"""Retrieval sets: queries, passages, and the candidates of each query.

:class:`DocstringPassages` builds one without any download, from the docstrings of installed
libraries: the query is what a function says it does in its first sentence, the passage is the rest
of its description. ``passages.md`` is its data card.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

from harness.method import Artifact, Context, ProblemError, ResourceError, param

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


def _versions() -> tuple[tuple[str, str], ...]:
    return installed_versions((*IN_DOMAIN, *HELD_OUT, Library("bm25s", "bm25s", "MIT")))


@dataclass(frozen=True, kw_only=True)
class DocstringPassages(Artifact):
    """A retrieval set made of the docstrings of installed libraries.

    Attributes:
        in_domain: Libraries for training, validation and the test in domain.
        held_out: Libraries that nothing is trained on: one zero-shot fold each.
        versions: Versions of all of them and of the BM25 package, so that another version is
            another artifact.
        candidates: Candidates a query: the passage sought, and the rest by BM25. Queries are fewer
            than passages, since a cross-encoder has to read every pair.
        most: Most passages of one library, so that none dominates.
        fold: Most passages of one held-out library.
    """

    title: ClassVar[str] = "retrieval set from docstrings"

    in_domain: tuple[Library, ...] = IN_DOMAIN
    held_out: tuple[Library, ...] = HELD_OUT
    versions: tuple[tuple[str, str], ...] = field(default_factory=_versions, metadata={"source": "ours"})
    candidates: int = param(20, source="ours", doc="candidates a query, the passage sought included")
    train_candidates: int = param(8, source="ours", doc="candidates a training query")
    train: int = param(2000, source="ours", doc="training queries")
    validation: int = param(200, source="ours", doc="validation queries")
    test: int = param(500, source="ours", doc="test queries in domain")
    fold_queries: int = param(80, source="ours", doc="queries of a library held out")
    most: int = param(600, source="ours", doc="passages of a library in domain")
    fold: int = param(200, source="ours", doc="passages of a library held out")

    def build(self, folder: Path, ctx: Context) -> None:
        """Parse, clean, remove duplicates, split, and find candidates."""
        from methods.lite.passages_build import build_retrieval

        missing = [name for name, found in self.versions if not found]
        if missing:
            raise ResourceError(
                f"Libraries whose docstrings are needed are not installed: {', '.join(missing)}",
                where=self.title,
                fix="Install the extra 'small' under constraints.txt: pip install -c constraints.txt "
                "'.[small]'.",
            )
        data = build_retrieval(
            self.in_domain,
            self.held_out,
            sizes=self._sizes(),
            most={library.package: self.most for library in self.in_domain}
            | {library.package: self.fold for library in self.held_out},
            progress=ctx.progress,
        )
        save_retrieval(folder, replace(data, card={**data.card, "versions": dict(self.versions)}))

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Most queries, and candidates a query, by split; a fold counts as a split."""
        return {
            TRAIN: (self.train, self.train_candidates),
            VALIDATION: (self.validation, self.candidates),
            TEST: (self.test, self.candidates),
            ZERO_SHOT: (self.fold_queries, self.candidates),
        }

    def load(self, path: Path) -> RetrievalSet:
        """The set."""
        return load_retrieval(path)
