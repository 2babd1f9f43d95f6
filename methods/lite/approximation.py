"""Fitting scoring functions of S that MaxSim cannot express (C11), and tables that a DE cannot (C12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Metric, Scores, Task, param
from methods.lite.scoring import JI, NamedScorer, ScorerHook

if TYPE_CHECKING:
    from torch import Tensor

    from methods.lite.scorers import Scorer

GOOD_FIT = 0.9
"""R² from which a fit counts as a witness."""


def _r_squared(columns: Mapping[str, Any]) -> float:
    import numpy as np

    gold = np.asarray(columns["gold"], dtype=np.float64)
    residual = gold - np.asarray(columns["estimate"], dtype=np.float64)
    return float(1 - np.sum(residual**2) / np.sum((gold - gold.mean()) ** 2))


R_SQUARED = Metric("R²", ("gold", "estimate"), _r_squared, "higher", worst=0.0)


def _maxsim(s: Tensor) -> Tensor:
    return s.amax(-1).sum(-1)


def _all_match(s: Tensor) -> Tensor:
    return s.amax(-1).amin(-1)


def _second_best(s: Tensor) -> Tensor:
    return s.topk(2, dim=-1).values[..., 1].sum(-1)


def _phrase(s: Tensor) -> Tensor:
    import torch

    l1, l2 = s.shape[-2:]
    diagonals = [s.diagonal(j, -2, -1)[..., :l1].sum(-1) for j in range(l2 - l1 + 1)]
    return torch.stack(diagonals, -1).amax(-1)


def _must_not(s: Tensor) -> Tensor:
    """All query tokens but the last should match, the last one should not."""
    best = s.amax(-1)
    return best[..., :-1].sum(-1) - best[..., -1]


TARGETS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "maxsim": _maxsim,
    "all-match": _all_match,
    "second-best": _second_best,
    "phrase": _phrase,
    "must-not": _must_not,
}
"""Functions of S by name; all but the first are beyond MaxSim."""


def by_loops(name: str, s: list[list[float]]) -> float:
    """The same functions of one matrix in plain Python, as an oracle."""
    best = [max(row) for row in s]
    match name:
        case "maxsim":
            return sum(best)
        case "all-match":
            return min(best)
        case "second-best":
            return sum(sorted(row)[-2] for row in s)
        case "phrase":
            shifts = range(len(s[0]) - len(s) + 1)
            return max(sum(s[i][j + i] for i in range(len(s))) for j in shifts)
        case _:
            return sum(best[:-1]) - best[-1]


@dataclass(frozen=True)
class TargetProblem:
    """A function to learn from samples (S, f(S)), S uniform in [−1, 1]."""

    name: str
    shape: tuple[int, int]

    def draw(self, count: int, rng: Any) -> tuple[Tensor, Tensor]:
        """Similarities, shape (n, L1, L2), and values, shape (n,)."""
        from methods.common.draws import uniform

        s = 2 * uniform((count, *self.shape), rng) - 1
        return s, TARGETS[self.name](s)


@dataclass(frozen=True)
class FitTarget(Task[TargetProblem, "Scorer"]):
    """Approximate a function of the similarities."""

    name: str = param("all-match", source="ours", doc="which function")
    l1: int = param(4, source="ours", doc="query vectors")
    l2: int = param(8, source="ours", doc="document vectors")
    test: int = param(4000, source="ours", doc="fresh samples")

    def problem(self, ctx: Context) -> TargetProblem:
        """The function."""
        return TargetProblem(self.name, (self.l1, self.l2))

    def evaluate(self, result: Scorer, ctx: Context) -> Scores:
        """Estimates on fresh samples, and whether they are a witness in float64."""
        import torch

        from methods.common import draws

        rng = draws.generator(int(ctx.rng("test").integers(2**31)))
        s, gold = self.problem(ctx).draw(self.test, rng)
        ones = torch.ones(self.l1), torch.ones(self.l2)
        with torch.inference_mode():
            estimate = result.score(s, *ones)
            # After the estimate: a module's double() converts its weights in place.
            double = result.double().score(s.double(), ones[0].double(), ones[1].double())
        oracle = [by_loops(self.name, matrix) for matrix in s.double().tolist()]
        fit = _r_squared({"gold": gold, "estimate": estimate})
        rows: dict[str, Any] = {
            "unit_id": list(range(self.test)),
            "gold": gold.numpy(),
            "estimate": estimate.numpy(),
        }
        witness: dict[str, Any] = {
            "unit_id": [self.name],
            "witness": [fit >= GOOD_FIT],
            "confirmed": [_r_squared({"gold": oracle, "estimate": double}) >= GOOD_FIT],
            "case": [f"{self.name} on {self.l1} x {self.l2} similarities, R² {fit:.3f}"],
        }
        return Scores({"main": rows, "witness": witness})


@dataclass(frozen=True)
class BaseRegress(ScorerHook, Method[TargetProblem, "Scorer"]):
    """The scorer of a subclass, fitted to a function of S by least squares."""

    problem_type: ClassVar[type] = TargetProblem

    steps: int = param(1500, source="ours", doc="updates")
    batch: int = param(256, source="ours", doc="samples an update")
    rate: float = param(3e-3, source="ours", doc="learning rate of AdamW, falling to 0 along a cosine")

    def run(self, problem: TargetProblem, ctx: Context) -> Scorer:
        """Fit."""
        import torch

        from methods.common import draws
        from methods.common.loop import Loop, drawn

        with draws.seeded(int(ctx.rng("scorer").integers(2**31))):
            scorer = self.scorer_for(*problem.shape)
        rng = draws.generator(int(ctx.rng("samples").integers(2**31)))
        ones = torch.ones(problem.shape[0]), torch.ones(problem.shape[1])
        Loop(
            torch.optim.AdamW(scorer.parameters(), lr=self.rate),
            drawn(lambda: problem.draw(self.batch, rng)),
            lambda batch: (scorer.score(batch[0], *ones) - batch[1]).square().mean(),
            self.steps,
            schedule=lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps),
        ).run()
        return scorer.eval()


@dataclass(frozen=True)
class Regress(BaseRegress, NamedScorer):
    """A scorer fitted to a function of S by least squares."""

    cites: ClassVar[str] = JI
