"""Gemma-3-270M on a CPU: equivalent starts of its adapters, and a question about short texts."""

from __future__ import annotations

from harness.suite import Experiment
from methods.lora_rite.descent import Descend
from methods.lora_rite.grades import NATS, GradeTask
from methods.lora_rite.pretrained import PretrainedStarts
from methods.lora_rite.sabotage import MisalignedDescend
from suites.lora_rite.arms import FIRST, GEMMA_RATES, fine_tune, tuned

_RATE = 1e-3
"""Of the trajectories: steps of Z that are small beside the weights, as in fine-tuning."""


def gemma_invariance() -> Experiment:
    """Three steps from each start, in float32; one seed, whose cases are kinds of R."""
    return Experiment(
        id="gemma-invariance",
        title="Trajectories of Gemma-3-270M's adapters from equivalent factors",
        tasks={"gemma": PretrainedStarts()},
        methods={
            "rite": Descend(rate=_RATE),
            "adam": Descend(optimizer="adam", rate=_RATE),
            "misaligned": MisalignedDescend(rate=_RATE),
        },
        seeds=FIRST.take(1),
        unit="case",
        minutes=20.0,
        memory_gb=4.0,
    )


def gemma_grades(seeds: int) -> Experiment:
    """LoRA-RITE and Adam, each at the best of three rates."""
    methods = {name: tuned(fine_tune(name, rate, 16), NATS, points=3) for name, rate in GEMMA_RATES.items()}
    return Experiment(
        id="gemma",
        title="Gemma-3-270M learns grades of film reviews",
        tasks={"grades": GradeTask()},
        methods=methods,
        seeds=FIRST.take(seeds),
        unit="review",
        minutes=20.0,
        memory_gb=4.0,
    )
