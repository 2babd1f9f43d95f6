"""A suite whose effects are planted, so that it is known at which look each of its claims is settled.

Each method answers its effect plus a wave over the seeds, whose mean over every four of them is zero. Of
five declared seeds and four looks, ``clear`` is shown at the first; ``slow`` has p = .009 there, which four
looks raise above .025, and is shown at 8 seeds; ``wide`` is shown at none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.claims import Cell, Claim, Contrast, Control, Direction, Precondition, Profile, difference
from harness.method import Context, DivergedError, Method, Scores, Task, mean_of, param
from harness.suite import Experiment, Paper, Suite

SCORE = mean_of("score", better="higher")
WAVE = (1.0, -0.6, 0.6, -1.0)


@dataclass(frozen=True)
class Nothing(Task[int, float]):
    """The answer is the score, of four units."""

    def problem(self, ctx: Context) -> int:
        return 0

    def evaluate(self, result: float, ctx: Context) -> Scores:
        return Scores({"main": {"unit_id": [f"u{i}" for i in range(4)], "score": [result] * 4}})


@dataclass(frozen=True, kw_only=True)
class Planted(Method[int, float]):
    """An effect, and a wave over the seeds around it."""

    problem_type: ClassVar[type] = int
    effect: float = param(0.0, source="ours")
    spread: float = param(0.0, source="ours")
    diverges: int = param(0, source="ours", doc="the seed in which it does")

    def run(self, problem: int, ctx: Context) -> float:
        if ctx.seed == self.diverges:
            raise DivergedError("as planted")
        return self.effect + self.spread * WAVE[ctx.seed % 4]


METHODS: dict[str, Planted] = {
    "base": Planted(),
    "clear": Planted(effect=0.5, spread=0.1),
    "slow": Planted(effect=0.14, spread=0.1),
    "wide": Planted(effect=0.1, spread=0.3),
    "broken": Planted(spread=0.1),
    "wrecked": Planted(diverges=101),
}


def cell(method: str) -> Cell:
    return Cell("e", method, SCORE)


def better(method: str, *preconditions: Precondition) -> Claim:
    """The claim that a method beats ``base`` by a tenth; it bears the method's name."""
    rule = Direction(
        theta=difference(cell(method), cell("base")),
        delta=0.1,
        delta_reason="a tenth is what users notice",
        preconditions=preconditions,
    )
    return Claim(
        id=method,
        statement=f"{method} beats base",
        source="Table 1",
        forms={Profile.SMALL: rule},
        otherwise="It may be as good as base.",
    )


UNMET = Precondition("headroom", Contrast(((1.0, cell("base")),)), above=0.5, reason="base is at the floor")

CONTROL = Control(
    id="off", title="Nothing is planted", replaces={"slow": "broken"}, predicts={"slow": "kill"}
)


def planted(*claims: Claim, controls: Sequence[Control] = (), **more: Any) -> Suite:
    """A suite with these claims, five seeds, and ``more`` fields of its experiment."""
    experiment = Experiment(
        id="e",
        title="Planted effects",
        tasks={"t": Nothing()},
        methods=more.pop("methods", METHODS),
        seeds=(100, 101, 102, 103, 104),
        **more,
    )
    paper = Paper(
        slug="planted",
        title="On Planted Effects",
        authors=("A. Author",),
        arxiv="0000.00000",
        year=2026,
        venue="nowhere",
        bibtex="@misc{planted}",
        summary="Effects are planted.",
        reported={},
    )
    return Suite(
        paper=paper,
        experiments=lambda _: [experiment],
        claims=claims,
        deviations=(),
        folder=Path(__file__).parent,
        controls=tuple(controls),
    )


SUITE = planted(better("clear"), better("slow"), controls=[CONTROL])
