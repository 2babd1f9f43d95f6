"""What selection costs: one call of a rule on distributions over a vocabulary of a given size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.method import Context, Method, Scores, Task, param


@dataclass(frozen=True)
class SpeedProblem:
    """Pairs of distributions by vocabulary size; p, q have shape (1, V)."""

    laws: dict[int, tuple[Any, Any]]


@dataclass(frozen=True)
class Speed(Task[SpeedProblem, int]):
    """Distributions of several sizes, drawn once before anything is timed."""

    sizes: tuple[int, ...] = param((), source="ours", doc="vocabulary sizes")

    def problem(self, ctx: Context) -> SpeedProblem:
        """Softmax of normal logits with standard deviation 2; the draft's are off by 1."""
        import torch

        rng = ctx.rng("laws")
        laws = {}
        for size in self.sizes:
            logits = torch.from_numpy(2.0 * rng.normal(size=(1, size)))
            noisy = logits + torch.from_numpy(rng.normal(size=(1, size)))
            laws[size] = (torch.softmax(noisy, 1).to(ctx.device), torch.softmax(logits, 1).to(ctx.device))
        return SpeedProblem(laws)

    def evaluate(self, result: int, ctx: Context) -> Scores:
        """How many selections were made."""
        return Scores({"main": {"unit_id": ["selections"], "count": [result]}})


@dataclass(frozen=True)
class SelectOnce(Method[SpeedProblem, int]):
    """One selection: K-SEQ with its root finding, or the transport plan's linear program.

    Attributes:
        program: Solve the paper's linear program instead.
    """

    problem_type: ClassVar[type] = SpeedProblem

    vocabulary: int = param(1024, source="ours", doc="|V|")
    candidates: int = param(8, source="paper, main table", doc="k")
    repeats: int = param(1, source="ours", doc="selections in a block")
    program: bool = param(default=False, source="ours")

    def run(self, problem: SpeedProblem, ctx: Context) -> int:
        """Select ``repeats`` tokens."""
        import torch

        from methods.common.draws import generator, uniform
        from methods.spectr.otm import full_program
        from methods.spectr.selection import KSeq, draw, sample

        p, q = problem.laws[self.vocabulary]
        if self.program:
            for _ in range(self.repeats):
                full_program(p[0].cpu().numpy(), q[0].cpu().numpy(), self.candidates)
            return self.repeats
        rng = generator(ctx.seed)
        shape = (self.repeats, 2, self.candidates + 1)
        numbers = uniform(shape, rng, dtype=torch.float64, device=ctx.device)
        active = torch.ones((1, self.candidates), dtype=torch.bool, device=ctx.device)
        for first, second in numbers:
            candidates = sample(p, first[:-1])[None]
            draw(KSeq().plan(p, q, candidates, active), candidates, second[None])
        return self.repeats
