"""A second retrieval set without any download: what functions say they do, and the code that does it.

The query is the first sentence of a function's docstring, as in :mod:`methods.lite.docstrings`; the
passage is the function's body without its docstring. Its libraries are others than those that the
first set is trained on, so the two sets share no training query. ``functions.md`` is its data card.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from harness.method import Artifact, Context, ResourceError, param
from methods.lite.passages import (
    HELD_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    Library,
    RetrievalSet,
    installed_versions,
    load_retrieval,
    save_retrieval,
)


def _versions() -> tuple[tuple[str, str], ...]:
    return installed_versions((*HELD_OUT, Library("bm25s", "bm25s", "MIT")))


@dataclass(frozen=True, kw_only=True)
class FunctionBodies(Artifact):
    """A retrieval set made of the functions of installed libraries.

    Attributes:
        libraries: Where functions come from; whole modules go to training, validation or test.
        versions: Versions of all of them and of the BM25 package, so that another version is
            another artifact.
        candidates: Candidates a query: the body sought, and the rest by BM25.
        most: Most functions of one library, so that none dominates.
    """

    title: ClassVar[str] = "retrieval set from function bodies"

    libraries: tuple[Library, ...] = HELD_OUT
    versions: tuple[tuple[str, str], ...] = field(default_factory=_versions, metadata={"source": "ours"})
    candidates: int = param(20, source="ours", doc="candidates a query, the body sought included")
    train_candidates: int = param(8, source="ours", doc="candidates a training query")
    train: int = param(2000, source="ours", doc="most training queries")
    validation: int = param(200, source="ours", doc="most validation queries")
    test: int = param(500, source="ours", doc="most test queries")
    most: int = param(900, source="ours", doc="functions of a library")

    def build(self, folder: Path, ctx: Context) -> None:
        """Parse, remove duplicates, split, and find candidates.

        Raises:
            ResourceError: If a library is not installed.
        """
        from methods.lite.functions_build import build_functions

        missing = [name for name, found in self.versions if not found]
        if missing:
            raise ResourceError(
                f"Libraries whose functions are needed are not installed: {', '.join(missing)}",
                where=self.title,
                fix="Install the extra 'small' under constraints.txt: pip install -c constraints.txt "
                "'.[small]'.",
            )
        sizes = {
            TRAIN: (self.train, self.train_candidates),
            VALIDATION: (self.validation, self.candidates),
            TEST: (self.test, self.candidates),
        }
        data = build_functions(self.libraries, sizes=sizes, most=self.most, progress=ctx.progress)
        save_retrieval(folder, replace(data, card={**data.card, "versions": dict(self.versions)}))

    def load(self, path: Path) -> RetrievalSet:
        """The set."""
        return load_retrieval(path)
