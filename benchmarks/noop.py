"""Trials that do nothing, and import nothing for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from harness.method import Context, Method, Scores, Task, param


@dataclass(frozen=True)
class Nothing(Task[int, int]):
    """No problem."""

    def problem(self, ctx: Context) -> int:
        """Nothing to see."""
        return 0

    def evaluate(self, result: int, ctx: Context) -> Scores:
        """One row."""
        return Scores({"main": {"unit_id": [0], "value": [float(result)]}})


@dataclass(frozen=True)
class Noop(Method[int, int]):
    """Does nothing."""

    problem_type: ClassVar[type] = int
    cell: int = param(0, source="ours")

    def run(self, problem: int, ctx: Context) -> int:
        """Nothing."""
        return problem


def crash(ctx: Context) -> bytes:
    """End the worker."""
    os._exit(3)


def nothing(ctx: Context) -> bytes:
    """Nothing."""
    return b""
