"""Toy suites whose declarations are odd in one way each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.claims import Cell, Claim, Contrast, Direction, Form, Profile
from harness.suite import (
    Deviation,
    Experiment,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Series,
    Suite,
    TableRow,
    Tuned,
)
from tests.harness.toy import ERROR, MeanTask, Shrunk, cell, toy_suite

SEEDS = (100, 101, 102, 103, 104)
HALF = Shrunk(factor=0.5)
CLAIM = toy_suite().claims[0]
RULE = CLAIM.forms[Profile.SMALL]


def experiment(**changes: Any) -> Experiment:
    """The toy's experiment, changed."""
    declared: dict[str, Any] = {
        "id": "e",
        "title": "Means",
        "tasks": {"t": MeanTask()},
        "methods": {"mean": Shrunk(), "half": HALF},
        "seeds": SEEDS,
    }
    return Experiment(**{**declared, **changes})


def declared(*experiments: Experiment, **changes: Any) -> Suite:
    """The toy suite with these experiments and these fields."""
    return replace(toy_suite(Path("absent")), experiments=lambda _: list(experiments), **changes)


def sound(**changes: Any) -> Suite:
    """The toy suite with its own experiment."""
    return declared(experiment(), **changes)


def with_methods(**methods: Any) -> Suite:
    """The toy suite with more methods."""
    return declared(experiment(methods={"mean": Shrunk(), "half": HALF, **methods}))


def with_task(name: Any) -> Suite:
    """The toy suite, its task under another id."""
    return declared(experiment(tasks={name: MeanTask()}))


def with_seeds(*seeds: Any) -> Suite:
    """The toy suite on these seeds."""
    return declared(experiment(seeds=seeds))


def with_claim(**changes: Any) -> Suite:
    """The toy suite with its claim changed."""
    return sound(claims=(replace(CLAIM, **changes),))


def claim(name: str, **changes: Any) -> Claim:
    """The toy's claim under another id."""
    return replace(CLAIM, id=name, **changes)


def more_than_half() -> dict[Profile, Form]:
    """The toy's rule about half of what it asks for, a question of its own."""
    assert isinstance(RULE, Direction)
    return dict.fromkeys(Profile, replace(RULE, theta=RULE.theta - 0.5))


def over(better: Cell, **changes: Any) -> Suite:
    """The toy suite, its claim about another cell."""
    assert isinstance(RULE, Direction)
    theta = Contrast(((-1.0, better), (1.0, cell("half"))))
    return with_claim(forms=dict.fromkeys(Profile, replace(RULE, theta=theta, **changes)))


def with_grid(**changes: Any) -> Suite:
    """The toy suite with one method tuned."""
    tuned = Tuned(method=Shrunk(), grid={"factor": (0.5, 1.0)}, select=ERROR, seeds=(1, 2))
    return declared(experiment(methods={"mean": replace(tuned, **changes), "half": HALF}))


def table(name: str, entry: Any = None) -> PaperTable:
    """A table with one number."""
    rows: Sequence[TableRow] = [TableRow(label="row", entries={"x": entry or cell("mean")})]
    return PaperTable(id=name, title="A table", columns={"x": "X"}, rows=rows)


def figure(name: str) -> PaperFigure:
    """A figure with two points."""
    line = Series(label="s", points=((1.0, cell("mean")), (2.0, cell("half"))))
    return PaperFigure(id=name, title="A figure", x="x", y="y", series=[line])


def reported(name: str) -> ReportedRef:
    """A number of the paper."""
    return ReportedRef(id=name)


def deviation(name: str) -> Deviation:
    """A deviation."""
    return Deviation(id=name, field="data", paper="large", here="small", effect="none")


SLASHED = with_task("a/b")
NAMED = sound()
