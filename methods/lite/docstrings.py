"""A retrieval set without any download, from the docstrings of installed libraries.

The query is what a function says it does in its first sentence, the passage is the rest of its
description. ``passages.md`` is its data card.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from harness.method import Artifact, Context, ResourceError, param
from methods.lite.passages import (
    HELD_OUT,
    IN_DOMAIN,
    TEST,
    TRAIN,
    VALIDATION,
    ZERO_SHOT,
    Library,
    RetrievalSet,
    installed_versions,
    load_retrieval,
    save_retrieval,
)


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
