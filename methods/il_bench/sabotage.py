"""A broken search, for a control; others are :class:`~methods.il_bench.method.Sabotaged`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.method import Context
from methods.il_bench.method import LSP
from methods.il_bench.problem import Learned, ProgramProblem


@dataclass(frozen=True)
class Backwards(LSP):
    """LSP whose search undoes its expansions one by one: a control, not a method to use."""

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """The search of LSP, told backwards; the program is the one that it ends with."""
        done = super().run(problem, ctx)
        return replace(done, growth=done.growth[::-1])
