"""Pretrained language models on public data sets, under ``gpu`` and ``paper``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Reference, Resource
from harness.suite import Experiment, Scale, Tuned
from methods.common import datasets
from methods.common.gemma import SafeWeights
from methods.lora_rite.finetune import ACCURACY, FineTune
from methods.lora_rite.models import GEMMA2_2B, GEMMA_2B, GEMMA_7B, MT5_XXL
from methods.lora_rite.public import INSTRUCTIONS, T5_LINEAR, PublicTask
from suites.lora_rite.cells import LORA_RANKS, OPTIMIZERS, arm

FOLDER = "suites/lora_rite/tasks"
CENTRES = {
    "rite": 1e-3,
    "adam": 3e-4,
    "lora-plus": 1e-4,
    "scaled-adam": 3e-4,
    "lamb": 1e-2,
    "shampoo": 6e-3,
}
"""Middle of each grid: the official code's rates for LoRA-RITE and Adam, and the ratios that the
small language model shows between the others."""
STEP = 10**0.5
GEMMA_SMALL = SafeWeights()


def _task(model: Reference, data: Resource, **changes: Any) -> PublicTask:
    name = "instructions" if data is INSTRUCTIONS else data.name.replace("-", "_")
    return PublicTask(model=model, data=data, tasks=FOLDER, file=f"lora_rite_{name}", **changes)


def _gpu_tasks() -> dict[str, PublicTask]:
    sets = (datasets.ARC_EASY, datasets.OPENBOOKQA, datasets.BOOLQ, datasets.MAWPS)
    return {data.name: _task(GEMMA_SMALL, data) for data in sets}


def _paper_tasks() -> dict[str, PublicTask]:
    changes: dict[str, Any] = {"steps": 1000, "batch": 16, "accumulate": 4, "longest": 512, "limit": 0}
    sets = (datasets.HELLASWAG, datasets.ARC_CHALLENGE, datasets.GSM8K, datasets.OPENBOOKQA, INSTRUCTIONS)
    tasks = {data.name: _task(GEMMA_2B, data, **changes) for data in sets}
    tasks["instructions"] = tasks.pop(INSTRUCTIONS.name)
    larger = {f"{data.name}-7b": _task(GEMMA_7B, data, **changes) for data in sets[:4]}
    other = {
        "openbookqa-gemma2": _task(GEMMA2_2B, datasets.OPENBOOKQA, **changes),
        "openbookqa-mt5": _task(MT5_XXL, datasets.OPENBOOKQA, targets=T5_LINEAR, **changes),
    }
    return {**tasks, **larger, **other}


def public_experiment(scale: Scale) -> Experiment:
    """Six optimizers on each set; rank 4 and the sabotage where a claim needs them."""
    gpu = scale.profile is Profile.GPU
    tasks = _gpu_tasks() if gpu else _paper_tasks()
    methods: dict[str, Any] = {}
    points = 5 if scale.full or not gpu else 3
    for name, centre in CENTRES.items():
        rates = tuple(float(f"{centre * STEP**k:.2g}") for k in range(-(points // 2), points // 2 + 1))
        methods[arm(name, 16)] = Tuned(
            method=FineTune(optimizer=name, rate=centre), grid={"rate": rates}, select=ACCURACY, seeds=(1,)
        )
    for name in ("rite", "adam"):
        small = FineTune(optimizer=name, rate=CENTRES[name], rank=4, alpha=4.0)
        methods[arm(name, 4)] = replace(methods[arm(name, 16)], method=small)
    for rank in LORA_RANKS:
        broken = FineTune(optimizer="rite-misaligned", rate=CENTRES["rite"], rank=rank, alpha=float(rank))
        methods[arm("misaligned", rank)] = broken
    only = {(task, arm(name, 16)) for task in tasks for name in (*OPTIMIZERS, "misaligned")}
    only |= {("openbookqa", arm(name, 4)) for name in ("rite", "adam", "misaligned")}
    return Experiment(
        id="public",
        title="Pretrained language models on public data sets",
        tasks=dict(tasks),
        methods=methods,
        seeds=tuple(range(100, 105)),
        unit="question",
        minutes=20.0 if gpu else 600.0,
        memory_gb=24.0 if gpu else 200.0,
        only=frozenset(only),
    )
