"""Score tables of queries × documents, and the rank that a dot product leaves them (C12)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.lite.scoring import JI, NamedScorer, ScorerHook

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

TABLE_ERROR = mean_of("error", better="lower", name="mean squared error of the table", digits=4)


def best_error(table: NDArray[np.float64], rank: int) -> float:
    """Smallest mean squared error of any table of at most this rank (Eckart and Young)."""
    import numpy as np

    values = np.linalg.svd(table, compute_uv=False)
    return float(np.sum(values[rank:] ** 2) / table.size)


@dataclass(frozen=True)
class TableProblem:
    """The identity as scores of n queries and n documents.

    Attributes:
        size: n; text i has the two tokens (i // 2) and (i % 2).
        dim: Dimension of a token vector, n / 2: one-hot vectors fit.
    """

    size: int

    @property
    def dim(self) -> int:
        """Dimension of token vectors, and of the dual encoder's embeddings."""
        return self.size // 2


@dataclass(frozen=True)
class IdentityTable(Task[TableProblem, "NDArray[np.float64]"]):
    """Score a text high with itself and with nothing else: the identity has full rank."""

    size: int = param(8, source="ours", doc="queries and documents")

    def problem(self, ctx: Context) -> TableProblem:
        """The table's size."""
        return TableProblem(self.size)

    def evaluate(self, result: NDArray[np.float64], ctx: Context) -> Scores:
        """Errors of the fitted tables beside the bound for half as many dimensions.

        A table below the bound is a witness for its scorer, and a counterexample to the bound if
        its scorer is a dot product of that dimension; the oracle recomputes error and bound
        from singular values and with exact sums.
        """
        import math

        import numpy as np

        eye = np.eye(self.size)
        bound = best_error(eye, self.size // 2)
        tables = np.asarray(result, dtype=np.float64)
        errors = [float(np.mean((table - eye) ** 2)) for table in tables]
        exact = [math.fsum(((t - eye) ** 2).ravel()) / eye.size for t in tables]
        below = [error < 0.5 for error in (np.array(exact) / bound)]
        names = [f"start-{i}" for i in range(len(tables))]
        bounded: dict[str, Any] = {
            "unit_id": names,
            "case": [f"{name}, mean squared error {e:.4f}" for name, e in zip(names, errors, strict=True)],
            "error": [max(0.0, bound - error) for error in errors],
            "tolerance": [1e-9] * len(tables),
            "confirmed": [error < bound - 1e-9 for error in exact],
        }
        witness: dict[str, Any] = {
            "unit_id": names,
            "case": bounded["case"],
            "witness": [error < 0.5 * bound for error in errors],
            "confirmed": below,
        }
        return Scores({"main": {"unit_id": names, "error": errors}, "bound": bounded, "witness": witness})


@dataclass(frozen=True)
class FitEmbeddings(Method[TableProblem, "NDArray[np.float64]"]):
    """Dual encoders: free query and document embeddings, fitted from several starts.

    The table from the singular value decomposition, the best there is, is among them.
    """

    problem_type: ClassVar[type] = TableProblem

    starts: int = param(8, source="ours", doc="random starts")
    steps: int = param(300, source="ours", doc="updates from each start")
    rate: float = param(0.05, source="ours", doc="learning rate of Adam")

    def run(self, problem: TableProblem, ctx: Context) -> NDArray[np.float64]:
        """Fit all starts at once; shape (starts + 1, n, n)."""
        import numpy as np
        import torch

        from methods.common.loop import Loop, drawn

        n, dim = problem.size, problem.dim
        start = ctx.rng("embeddings").normal(size=(2, self.starts, n, dim))
        left, right = (torch.tensor(half, requires_grad=True) for half in start)
        Loop(
            torch.optim.Adam([left, right], lr=self.rate),
            drawn(lambda: torch.eye(n, dtype=torch.float64)),
            lambda eye: (left @ right.transpose(1, 2) - eye).square().sum(),
            self.steps,
        ).run()
        fitted = (left @ right.transpose(1, 2)).detach().numpy()
        u, values, v = np.linalg.svd(np.eye(n))
        best = (u[:, :dim] * values[:dim]) @ v[:dim]
        return np.concatenate([fitted, best[None]])


@dataclass(frozen=True)
class BaseFitScorer(ScorerHook, Method[TableProblem, "NDArray[np.float64]"]):
    """The scorer of a subclass, on two one-hot token vectors a text."""

    problem_type: ClassVar[type] = TableProblem

    starts: int = param(3, source="ours", doc="random starts")
    steps: int = param(600, source="ours", doc="updates from each start")
    rate: float = param(1e-2, source="ours", doc="learning rate of Adam")

    def run(self, problem: TableProblem, ctx: Context) -> NDArray[np.float64]:
        """Fit from each start; shape (starts, n, n)."""
        import numpy as np
        import torch
        from torch.nn.functional import one_hot

        n = problem.size
        text = torch.arange(n)
        tokens = one_hot(torch.stack([text // 2, text % 2], 1), problem.dim).float()
        q = tokens.unsqueeze(1).expand(-1, n, -1, -1).reshape(n * n, 2, -1)
        d = tokens.unsqueeze(0).expand(n, -1, -1, -1).reshape(n * n, 2, -1)
        seeds = ctx.rng("scorers").integers(2**31, size=self.starts)
        return np.stack([self._fitted(q, d, int(seed)).reshape(n, n) for seed in seeds])

    def _fitted(self, q: Tensor, d: Tensor, seed: int) -> NDArray[np.float64]:
        """The table from one start, flat."""
        import torch

        from methods.common.draws import seeded
        from methods.common.loop import Loop, drawn

        pairs, n = len(q), math.isqrt(len(q))
        with seeded(seed):
            scorer = self.scorer_for(2, 2)
        ones = torch.ones(pairs, 2)
        Loop(
            torch.optim.Adam(scorer.parameters(), lr=self.rate),
            drawn(lambda: torch.eye(n).reshape(-1)),
            lambda gold: (scorer(q, d, ones, ones) - gold).square().mean(),
            self.steps,
        ).run()
        with torch.inference_mode():
            table: NDArray[np.float64] = scorer(q, d, ones, ones).double().numpy()
        return table


@dataclass(frozen=True)
class FitScorer(BaseFitScorer, NamedScorer):
    """A scorer of late interactions on two one-hot token vectors a text."""

    cites: ClassVar[str] = JI
