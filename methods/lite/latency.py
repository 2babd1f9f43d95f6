"""What re-ranking costs: seconds from stored token vectors to scores, and bytes (C5, C6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Context, Method, Scores, Task, param
from methods.lite.scoring import JI, NamedScorer, ScorerHook
from methods.lite.task import BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from methods.lite.scorers import Scorer

__all__ = ["BYTES", "Rescore", "StoredVectors"]


@dataclass(frozen=True)
class Stored:
    """A query, and where the vectors of its documents lie.

    Attributes:
        query: Shape (1, L1, P).
        files: By number of document vectors, a file of float16 in the order (documents, L2, P).
        documents: How many.
    """

    query: Tensor
    files: dict[int, Path]
    documents: int

    def read(self, doc_tokens: int) -> NDArray[np.float16]:
        """The file, mapped into memory: pages are read when they are used."""
        import numpy as np

        shape = (self.documents, doc_tokens, self.query.shape[2])
        return np.memmap(self.files[doc_tokens], dtype=np.float16, mode="r", shape=shape)


@dataclass(frozen=True)
class StoredVectors(Task[Stored, "NDArray[np.float32]"]):
    """Re-rank the documents of one query from vectors on disk.

    The time of a scorer does not depend on what the vectors say, so they are random.
    """

    documents: int = param(1000, source="paper, section 5", doc="candidates of the query")
    l1: int = param(30, source="paper, section 4", doc="tokens of a query")
    doc_tokens: tuple[int, ...] = param((200, 50), source="card, section 3.4", doc="stored vectors")
    dim: int = param(384, source="ours; 768 in the paper", doc="P")

    def problem(self, ctx: Context) -> Stored:
        """Write the vectors into the trial's scratch folder."""
        import numpy as np
        import torch

        rng = ctx.rng("vectors")
        files = {}
        for count in self.doc_tokens:
            made = rng.standard_normal((self.documents, count, self.dim), dtype=np.float32)
            made /= np.linalg.norm(made, axis=2, keepdims=True)
            files[count] = ctx.scratch / f"documents-{count}.f16"
            made.astype(np.float16).tofile(files[count])
        query = torch.from_numpy(rng.standard_normal((1, self.l1, self.dim), dtype=np.float32))
        unit = torch.nn.functional.normalize(query, dim=2).to(ctx.device)
        return Stored(unit, files, self.documents)

    def evaluate(self, result: NDArray[np.float32], ctx: Context) -> Scores:
        """How many documents were scored."""
        return Scores({"main": {"unit_id": ["documents"], "count": [len(result)]}})


@dataclass(frozen=True)
class BaseRescore(ScorerHook, Method[Stored, "NDArray[np.float32]"]):
    """Score all documents of a query with the scorer of a subclass, reading their vectors included."""

    problem_type: ClassVar[type] = Stored

    doc_tokens: int = param(200, source="paper, section 4", doc="document vectors")
    batch: int = param(100, source="ours", doc="documents scored at once")

    def run(self, problem: Stored, ctx: Context) -> NDArray[np.float32]:
        """Scores, shape (documents,), by an untrained scorer."""
        import torch

        vectors = problem.read(self.doc_tokens)
        scorer = _made(self, problem.query.shape[1], ctx.device)
        scores = []
        with torch.inference_mode():
            q_mask = torch.ones(problem.query.shape[:2], device=ctx.device)
            for start in range(0, problem.documents, self.batch):
                # The copy reads the pages; PyTorch also warns of memory that it must not write.
                part = torch.from_numpy(vectors[start : start + self.batch].copy()).to(ctx.device)
                d = part.float().unsqueeze(0)
                d_mask = torch.ones(d.shape[:3], device=ctx.device)
                scores.append(scorer.candidates(problem.query, d, q_mask, d_mask)[0])
        found: NDArray[np.float32] = torch.cat(scores).cpu().numpy()
        return found


@dataclass(frozen=True)
class Rescore(BaseRescore, NamedScorer):
    """Score all documents of a query, reading their vectors included."""

    cites: ClassVar[str] = JI


@lru_cache(maxsize=8)
def _made(method: BaseRescore, l1: int, device: str) -> Scorer:
    """The method's scorer, made once: a running system does not make it for each query."""
    return method.scorer_for(l1, method.doc_tokens).to(device).eval()
