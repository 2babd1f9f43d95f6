"""Training of a model in parts, as the trial's own process drives it."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from harness.method import Context, CorroborateError, DivergedError, ProblemError, affordable
from methods.common.checkpoints import read, restore, state_of, write
from methods.common.sharded.crew import Crew, crew
from methods.common.sharded.work import Work

_REPORT = 10
"""Updates between two reports of progress."""


@dataclass(frozen=True)
class Trained:
    """What a training gave.

    Attributes:
        losses: Mean loss of a target token of each update, before it.
        folder: The trained weights, for :func:`methods.common.sharded.state.put`.
    """

    losses: list[float]
    folder: Path


def train(
    work: Work,
    ctx: Context,
    *,
    name: str = "training",
    watch: Callable[[int, Path], float | None] | None = None,
    also: Mapping[str, Any] | None = None,
) -> Trained:
    """Train a model that one process on each of ``ctx.devices`` holds a part of.

    A killed training that is called again goes on as if it had not stopped, bit for bit. No process outlives
    this one.

    Args:
        work: What to train, and how.
        ctx: The trial.
        name: Of this training, for its checkpoints.
        watch: Called with the number of updates done and the weights at that time: at 0, each
            ``recipe.every``, and at the end. Where the recipe keeps the best weights, it gives their score,
            higher being better.
        also: Other state that changes with training, such as that of ``watch``.

    Raises:
        DivergedError: If a loss is not finite, or the optimizer says so.
        ProblemError: If the best weights are asked for, and nothing gives a score.
        RuntimeError: If a process failed; its traceback is in the text.
    """
    folder = Path(tempfile.mkdtemp(prefix="parts-", dir=ctx.scratch))
    most = work.at_once or -(-work.recipe.batch // len(ctx.devices))
    work = replace(work, at_once=affordable(most))  # Their processes do not know of the trial.
    with crew(work, ctx.devices, folder / "store") as parts:
        losses = _Drive(work, ctx, name, parts, folder, watch, dict(also or {})).run()
    return Trained(losses, folder / "trained")


@dataclass
class _Drive:
    """One call of :func:`train`."""

    work: Work
    ctx: Context
    name: str
    parts: Crew
    folder: Path
    watch: Callable[[int, Path], float | None] | None
    also: Mapping[str, Any]

    def __post_init__(self) -> None:
        self._place = self.ctx.checkpoints.place(self.name)
        self._plan = json.loads(json.dumps([self.name, len(self.ctx.devices), self.work.plan]))
        self._begun = self.ctx.checkpoints.clock()
        self.losses: list[float] = []
        self._finished = False
        if self.work.recipe.keep == "best" and self.watch is None:
            raise self._unscored()

    def run(self) -> list[float]:
        """All updates that are left, and the whole weights; returns the loss of each update."""
        self._take_up()
        steps = self.work.recipe.steps
        if not self.losses:
            self._look()
        while len(self.losses) < steps:
            self._step()
            self._look()
            if self._place is not None and self.ctx.checkpoints.due:
                self._keep()
        if self.work.recipe.keep == "best" and not self._finished:
            self.parts.all("put_back")
        self._finish()
        self.parts.all("whole", self.folder / "trained")
        return self.losses

    def _step(self) -> None:
        loss = self.parts.all("step")[0]
        done, steps = len(self.losses) + 1, self.work.recipe.steps
        if not math.isfinite(loss):
            raise DivergedError(
                f"The loss of step {done} is not finite",
                where=self.name,
                fix="Lower the learning rate, warm up longer, or clip the gradient.",
            )
        self.losses.append(loss)
        if done % _REPORT == 0 or done == steps:
            self.ctx.progress(done / steps, f"loss {loss:.3f}")

    def _look(self) -> None:
        """Show the weights as they are now to whoever watches."""
        done, recipe = len(self.losses), self.work.recipe
        if self.watch is None or not recipe.every or (done % recipe.every and done != recipe.steps):
            return
        shown = self.folder / "shown"
        self.parts.all("whole", shown)
        score = self.watch(done, shown)
        shutil.rmtree(shown)
        if recipe.keep == "best":
            if score is None:
                raise self._unscored()
            self.parts.all("offer", score)

    def _unscored(self) -> ProblemError:
        return ProblemError(
            "The best weights are asked for, and nothing gives a score",
            where=self.name,
            fix="Let `watch` give one, or keep the last weights.",
        )

    def _take_up(self) -> None:
        found = None if self._place is None else read(self._place)
        if self._place is None or found is None:
            return
        if found["plan"] != self._plan:
            raise ProblemError(
                "The checkpoint belongs to other work: its sizes, rates or processes differ",
                where=str(self._place),
                fix="Give each piece of work a name of its own; or remove the folder to start anew.",
            )
        self.losses, self._finished = found["losses"], found["finished"]
        for name, value in found["also"].items():
            restore(self.also[name], value)
        self.parts.all("take_up", self._place / found["parts"], len(self.losses))
        self.ctx.checkpoints.restore(found["trial"])
        print(f"{self.name}: goes on after {len(self.losses)}.")  # noqa: T201 - the log

    def _finish(self) -> None:
        """Keep the end of the training, if it took long enough."""
        checkpoints = self.ctx.checkpoints
        if self._place is None or self._finished:
            return
        # Weights and the optimizer's states, as a rule three numbers each.
        size = 3 * sum(path.stat().st_size for path in self._place.glob("*/part-*/*")) or 2**30
        if checkpoints.is_worth(checkpoints.clock() - self._begun, size):
            self._keep(finished=True)

    def _keep(self, *, finished: bool = False) -> None:
        """Write a checkpoint: every process its part, then one file that names them replaces the old one."""
        assert self._place is not None
        start, parts = time.monotonic(), f"step-{len(self.losses)}"
        answers = self.parts.all("keep", self._place / parts)
        if wrong := next((answer for answer in answers if isinstance(answer, str)), ""):
            self._give_up(wrong)
            return
        try:
            state: dict[str, Any] = {"plan": self._plan, "parts": parts, "losses": self.losses}
            state["also"] = {name: state_of(part) for name, part in self.also.items()}
            trial = self.ctx.checkpoints.state()
            write(self._place, {**state, "finished": finished, "trial": trial})
        except (OSError, SafetensorError, CorroborateError) as error:
            self._give_up(str(error))
            return
        for old in self._place.glob("step-*"):
            if old.name != parts:
                shutil.rmtree(old, ignore_errors=True)
        self.ctx.checkpoints.written(time.monotonic() - start, sum(answers))

    def _give_up(self, reason: str) -> None:
        self._place = None
        self.ctx.checkpoints.give_up(reason)
