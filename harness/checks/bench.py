"""Checks in a worker process: with limits, and whatever the method does there."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.checks.subject import Call, EndedError, Subject
from harness.engine.context import TrialContext
from harness.engine.job import CallJob, Outcome
from harness.errors import CorroborateError

if TYPE_CHECKING:
    from harness.engine.engines import Engine

TICK_SECONDS = 1.0
SHOWN_LINES = 30
"""Lines that are shown of what was running, and of what was printed."""


@contextmanager
def bench(minutes: float) -> Iterator[Call]:
    """A worker process for checks; one that fails is replaced.

    Args:
        minutes: Hard limit of each call.
    """
    from harness.engine.places import Places
    from harness.engine.pool import PoolEngine

    engine = PoolEngine(lambda _progress: None, Places(workers=1))
    try:
        yield partial(_call, engine, minutes)
    finally:
        engine.close()


def _call(
    engine: Engine, minutes: float, subject: Subject, function: Callable[..., Any], /, *args: Any
) -> Any:
    engine.submit(
        CallJob(
            id=function.__name__,
            device="cpu",
            dtype="float32",
            paths={},
            minutes=minutes,
            memory_gb=subject.memory_gb,
            call=partial(_in_worker, subject, function, args),
        )
    )
    ended: list[Outcome] = []
    while not ended:
        ended = engine.wait(TICK_SECONDS)
    (outcome,) = ended
    if outcome.status != "ok":
        raise EndedError(_story(outcome))
    value = pickle.loads(outcome.units)  # noqa: S301 - our own bytes
    if isinstance(value, CorroborateError):
        raise value
    return value


def _in_worker(
    subject: Subject, function: Callable[..., Any], args: tuple[Any, ...], ctx: TrialContext
) -> bytes:
    try:
        value = function(replace(subject, loader=ctx.loader), *args)
    except CorroborateError as error:
        value = error
    return pickle.dumps(value)


def _story(outcome: Outcome) -> str:
    """The reason first, then what was running and what was printed last."""
    lines = (outcome.error.strip() or outcome.status).split("\n")
    printed = outcome.log.strip().split("\n")[-SHOWN_LINES:] if outcome.log.strip() else []
    story = [lines[-1], *lines[:-1][-SHOWN_LINES:]]
    return "\n".join([*story, "It had printed:", *printed] if printed else story)
