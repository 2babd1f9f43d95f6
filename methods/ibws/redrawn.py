"""One trial that asks several crowds: raters, workers, tuples and answers are drawn again and again.

On one piece of the data nearly all of the spread between seeds is that of the crowd (card, section 9). A
trial that averages over many draws spends what data there are on what only data can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from harness.method import AskedModel, Checkpoints, Context, Method, ProblemError, Scores, Task
from harness.method.contract import Table
from methods.common.rank_metrics import spearman_rho
from methods.ibws.designs import Floats


@dataclass(frozen=True)
class Redrawing:
    """Problems of one kind about one piece of the data, each drawn independently of the others.

    Attributes:
        problems: An :class:`methods.ibws.problems.AnnotationProblem` or ``RankingProblem`` for each draw.
    """

    problems: tuple[Any, ...]


class DrawContext:
    """The context of one draw: that of its trial, with random streams of its own.

    Args:
        inner: The trial's.
        number: Which draw, from 0 on.
    """

    def __init__(self, inner: Context, number: int) -> None:
        self.seed: int = inner.seed
        self.stage: Literal["tune", "main"] = inner.stage
        self.device: str = inner.device
        self.dtype: str = inner.dtype
        self.threads: int = inner.threads
        self.scratch: Path = inner.scratch
        self.checkpoints: Checkpoints = inner.checkpoints
        self.probed: dict[int, Any] = {}
        self._inner, self._number = inner, number

    @property
    def devices(self) -> tuple[str, ...]:
        """The trial's."""
        return self._inner.devices

    @property
    def answers(self) -> Path | None:
        """The trial's."""
        return self._inner.answers

    def asks(self, model: AskedModel) -> None:
        """Tell the trial's record."""
        self._inner.asks(model)

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        """The object behind a reference."""
        return self._inner.load(ref, fresh=fresh)

    def rng(self, name: str) -> np.random.Generator:
        """The stream ``name`` of this draw, the same for every method."""
        return self._inner.rng(f"{name}, draw {self._number}")

    def torch_rng(self, name: str) -> Any:
        """As :meth:`rng`, for PyTorch."""
        return self._inner.torch_rng(f"{name}, draw {self._number}")

    def probe(self, step: int, result: Any) -> None:
        """Keep a result until all draws have one of this step."""
        self.probed[step] = result

    def progress(self, done: float, message: str = "") -> None:
        """Nothing: the trial tells how many draws are done."""


class OverDraws(Method[Any, Any]):
    """Mixed in before a method of one problem, it solves each draw on its own.

    What the method probes is evaluated once all draws have reached that step, so that they have to take the
    same steps.
    """

    problem_type: ClassVar[type] = Redrawing

    def run(self, problem: Any, ctx: Context) -> Any:
        """One result for each draw, in their order."""
        found, probed = [], []
        for number, one in enumerate(problem.problems):
            draw = DrawContext(ctx, number)
            found.append(super().run(one, draw))  # type: ignore[safe-super]
            probed.append(draw.probed)
            ctx.progress((number + 1) / len(problem.problems))
        for step in probed[0]:
            ctx.probe(step, tuple(steps[step] for steps in probed))
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Redrawn(Task[Redrawing, tuple[Any, ...]]):
    """Another task, drawn anew several times on the piece of the data that the seed has.

    Rows are draws. Their columns are Spearman's correlations of the estimate with gold (``rho``) and with the
    IBWS ranking (``rho_bt``, ``rho_position``), of the halves with each other (``reliability``), and means of
    what a label cost (``label_reads``); each where the task has it.

    Attributes:
        task: What is drawn again: its ``items`` come from the same piece each time.
        draws: How often.
    """

    task: Task[Any, Any]
    draws: int

    def problem(self, ctx: Context) -> Redrawing:
        """The problems of all draws.

        Raises:
            ProblemError: If there are none.
        """
        if self.draws < 1:
            raise ProblemError(
                "There is nothing to average over", where=f"draws={self.draws}", fix="Set draws to 1 or more."
            )
        return Redrawing(tuple(self.task.problem(DrawContext(ctx, k)) for k in range(self.draws)))

    def evaluate(self, result: tuple[Any, ...], ctx: Context) -> Scores:
        """Rows by draw, in the part that the task names."""
        tables: dict[str, list[dict[str, float]]] = {}
        for number, one in enumerate(result):
            for part, table in self.task.evaluate(one, DrawContext(ctx, number)).parts.items():
                tables.setdefault(part, []).append(summary(table))
        return Scores({part: _rows(found) for part, found in tables.items()})


_CORRELATIONS = {
    "rho": ("estimate", "gold"),
    "rho_bt": ("estimate", "ibws_bt"),
    "rho_position": ("estimate", "ibws_position"),
    "reliability": ("half_a", "half_b"),
}
"""Pairs of columns of one draw."""


def summary(table: Table) -> dict[str, float]:
    """The numbers of one draw, from its rows by item.

    An estimate without any spread ranks nothing, and correlates 0.
    """
    found = {
        name: _correlation(table[left], table[right])
        for name, (left, right) in _CORRELATIONS.items()
        if left in table and right in table
    }
    if "label_reads" in table:
        found["label_reads"] = float(np.mean(np.asarray(table["label_reads"], dtype=np.float64)))
    return found


def _correlation(left: Sequence[Any] | Floats, right: Sequence[Any] | Floats) -> float:
    x, y = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    constant = x.size < 2 or (x == x[0]).all() or (y == y[0]).all()
    return 0.0 if constant else spearman_rho(x, y)


def _rows(found: Sequence[dict[str, float]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [draw[name] for draw in found] for name in found[0]}
    return {"unit_id": [f"draw {number}" for number in range(len(found))], **columns}
