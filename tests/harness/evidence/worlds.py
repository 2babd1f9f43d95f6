"""Synthetic suites and runs with planted effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.claims import (
    Cell,
    Claim,
    Contrast,
    Control,
    Direction,
    Form,
    Profile,
    Replication,
    difference,
)
from harness.declared import claims_hash
from harness.method import Context, Method, Metric, Scores, Task, mean_of
from harness.store.memory import MemoryRun
from harness.store.records import Provenance, RunRecord, TrialRecord
from harness.store.view import TIMED_METHOD, trial_id
from harness.suite import Experiment, Paper, Scale, Suite, Timed

SCORE = mean_of("score", better="higher", worst=0.0)
SMALL = Scale(profile=Profile.SMALL)


@dataclass(frozen=True)
class Nothing(Task[Any, Any]):
    def problem(self, ctx: Context) -> Any:
        raise NotImplementedError

    def evaluate(self, result: Any, ctx: Context) -> Scores:
        raise NotImplementedError


@dataclass(frozen=True)
class Idle(Method[Any, Any]):
    problem_type = object

    def run(self, problem: Any, ctx: Context) -> Any:
        raise NotImplementedError


def cell(method: str, metric: Metric = SCORE, **more: Any) -> Cell:
    return Cell("e", method, metric, **more)


def gain(better: str = "a", worse: str = "b", metric: Metric = SCORE, **more: Any) -> Contrast:
    return difference(cell(better, metric, **more), cell(worse, metric, **more))


def direction(**more: Any) -> Direction:
    values: dict[str, Any] = {
        "theta": gain(),
        "delta": 0.1,
        "delta_reason": "a tenth is what users notice",
        "replication": Replication.SEEDS,
    }
    return Direction(**(values | more))


def claim(form: Form | None, name: str = "C1", profile: Profile = Profile.SMALL, **more: Any) -> Claim:
    forms = {profile: form} if form is not None else {}
    told = {"otherwise": "b may be as good as a"} | more
    return Claim(id=name, statement="a beats b", source="Table 1", forms=forms, **told)


def experiment(methods: Sequence[str], seeds: Sequence[int], **more: Any) -> Experiment:
    return Experiment(
        id=more.pop("name", "e"),
        title="An experiment",
        tasks=more.pop("tasks", {"t": Nothing()}),
        methods={name: Idle() for name in methods},
        seeds=tuple(seeds),
        **more,
    )


def suite(
    claims: Sequence[Claim],
    experiments: Sequence[Experiment] = (),
    controls: Sequence[Control] = (),
    **more: Any,
) -> Suite:
    paper = Paper(
        slug="toy",
        title="A toy",
        authors=("A. Author",),
        arxiv="0000.00000",
        year=2024,
        venue="nowhere",
        bibtex="@misc{toy}",
        summary="Nothing.",
        reported=more.pop("reported", {}),
    )
    return Suite(
        paper=paper,
        experiments=lambda _: list(experiments),
        claims=tuple(claims),
        deviations=(),
        folder=Path(),
        controls=tuple(controls),
        **more,
    )


def record(planned: Sequence[str], declared: Suite | None = None, **more: Any) -> RunRecord:
    values: dict[str, Any] = {
        "run": "run-1",
        "suite": "toy",
        "profile": "small",
        "claims_sha256": claims_hash(declared) if declared else "",
        "provenance": Provenance(created="2026-01-01T00:00:00Z", command=["run"], corroborate="0"),
        "planned": list(planned),
    }
    return RunRecord(**(values | more))


def trial(
    method: str,
    seed: int,
    *,
    status: str = "ok",
    environment: str = "here",
    experiment: str = "e",
    task: str = "t",
) -> TrialRecord:
    return TrialRecord(
        trial=trial_id(experiment, task, method, seed),
        status=status,  # type: ignore[arg-type]
        experiment=experiment,
        task=task,
        method=method,
        seed=seed,
        fingerprint=f"{method}/{seed}",
        environment=environment,
    )


def run_of(
    scores: Mapping[str, np.ndarray],
    declared: Suite | None = None,
    *,
    first_seed: int = 100,
    **more: Any,
) -> MemoryRun:
    """A run of experiment "e" on task "t".

    Args:
        scores: For each method, values of shape (seeds, units); column ``score``.
    """
    planned = [
        trial_id("e", "t", method, first_seed + i)
        for method, rows in scores.items()
        for i in range(len(rows))
    ]
    run = MemoryRun(record(planned, declared, **more))
    for method, rows in scores.items():
        for i, row in enumerate(np.asarray(rows, dtype=float)):
            units = [f"u{j}" for j in range(len(row))]
            run.add(trial(method, first_seed + i), main={"unit_id": units, "score": row})
    return run


def seeded(effects: Sequence[float] | np.ndarray, units: int = 4, base: float = 0.5) -> dict[str, np.ndarray]:
    """Methods a and b whose difference in each seed is exactly as given."""
    b = np.full((len(effects), units), base)
    return {"a": b + np.asarray(effects)[:, None], "b": b}


def timed_run(
    seconds: Mapping[str, Sequence[float] | np.ndarray], declared: Suite | None = None, **more: Any
) -> MemoryRun:
    """One timed trial with a block for each number."""
    planned = [trial_id("e", "t", TIMED_METHOD, 100)]
    run = MemoryRun(record(planned, declared, **more))
    rows = [(f"block-{i}", arm, s) for arm, times in seconds.items() for i, s in enumerate(times)]
    units, arms, values = zip(*rows, strict=True)
    run.add(trial(TIMED_METHOD, 100), time={"unit_id": units, "arm": arms, "seconds": values})
    return run


def timed_experiment(methods: Sequence[str]) -> Experiment:
    return experiment(methods, (100,), timed=Timed())
