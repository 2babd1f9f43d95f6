"""What ``corroborate list SUITE --problems`` tells of a suite's problems and results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import get_annotations, getdoc
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.claims import Profile
from harness.cli.main import main
from harness.cli.problems_table import problems_text
from harness.cli.suites import usable_suites
from harness.method import Context, Method, Scores, Task
from harness.suite import Experiment, Scale, Suite, Tuned

if TYPE_CHECKING:
    from methods.ibws.crowd import Session as Opaque

SUITES = usable_suites([])


class Well:
    """Draws lots."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._drawn = 0

    def draw(self, count: int = 1) -> list[Lot]:
        """So many lots.

        Args:
            count: How many.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Lot:
    """What comes out of the well."""

    side: Literal["heads", "tails"]


class Place:
    """Where lots are drawn."""

    name: str
    _secret: int

    @property
    def size(self) -> int:
        """Its size."""
        raise NotImplementedError


@dataclass(frozen=True)
class Lots(Place):
    """Lots to draw.

    Attributes:
        well: Where they come from.
    """

    well: Well

    def open(self, side: Literal["heads", "tails"]) -> None:
        """Open it."""


@dataclass(frozen=True)
class Guess(Task[Lots, "tuple[Opaque, ...]"]):
    def problem(self, ctx: Context) -> Lots:
        raise NotImplementedError

    def evaluate(self, result: tuple[Opaque, ...], ctx: Context) -> Scores:
        raise NotImplementedError


@dataclass(frozen=True)
class Count(Task[Lots, int]):
    def problem(self, ctx: Context) -> Lots:
        raise NotImplementedError

    def evaluate(self, result: int, ctx: Context) -> Scores:
        raise NotImplementedError


@dataclass(frozen=True)
class Draw(Method[Lots, Any]):
    problem_type = Lots

    def run(self, problem: Lots, ctx: Context) -> Any:
        raise NotImplementedError


def experiment(name: str, **tasks: Task[Any, Any]) -> Experiment:
    return Experiment(id=name, title="Lots", tasks=tasks, methods={"draw": Draw()}, seeds=(100,))


def test_a_problem_is_told_with_all_that_it_is_made_of() -> None:
    told = problems_text([experiment("one", a=Guess()), experiment("two", a=Guess(), b=Count())])
    here = __name__
    assert (
        told
        == f"""{here}.Lots
  posed by one, two; `run` returns tuple[Opaque, ...], as in {here}, or int

  {here}.Lots
    Lots to draw.

    Attributes:
        well: Where they come from.
      .name: str
      .well: Well
      .size
          Its size.
      .open(side: Literal['heads', 'tails']) -> None
          Open it.

  {here}.Well
    Draws lots.
      .depth
      .draw(count: int = 1) -> list[Lot]
          So many lots.

          Args:
              count: How many.

  {here}.Lot
    What comes out of the well.
      .side: Literal['heads', 'tails']"""
    )


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.slug)
def test_every_problem_of_every_suite_is_told_with_its_fields(suite: Suite) -> None:
    experiments = suite.experiments(Scale(profile=Profile.SMALL))
    told = problems_text(experiments)
    assert "a result" not in [line.partition("returns ")[2] for line in told.splitlines()]
    for item in experiments:
        assert any(item.id in line for line in told.splitlines() if line.startswith("  posed by"))
        for method in item.methods.values():
            kind = (method.method if isinstance(method, Tuned) else method).problem_type
            start = told.index(f"\n  {kind.__module__}.{kind.__qualname__}\n")
            own = re.split(r"\n\n(?=(?:  )?\S)", told[start:])[0]
            assert (getdoc(kind) or "").splitlines()[0] in own
            assert [name for name in get_annotations(kind) if f"\n      .{name}: " not in own] == []


def test_without_a_suite_it_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--problems"]) == 2
    assert "corroborate list SUITE --problems" in capsys.readouterr().err
