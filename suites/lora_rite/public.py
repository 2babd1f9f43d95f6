"""Pretrained language models on public data sets, under ``gpu`` and ``paper``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Reference, Resource
from harness.method.sizes import activations_gb, model_gb
from harness.suite import Experiment, Scale, Tuned
from methods.common import datasets
from methods.common.gemma import SafeWeights
from methods.lora_rite.finetune import ACCURACY, FineTune
from methods.lora_rite.models import GEMMA2_2B, GEMMA_2B, GEMMA_7B, MT5_XXL
from methods.lora_rite.public import INSTRUCTIONS, PublicTask
from suites.lora_rite.cells import FIRST_SEED, LORA_RANKS, arm

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


def _gpu_tasks(scale: Scale) -> dict[str, PublicTask]:
    sets = (datasets.ARC_EASY, datasets.OPENBOOKQA, datasets.BOOLQ, datasets.MAWPS)
    changes: dict[str, Any] = {} if scale.full else {"steps": 40, "limit": 150, "held_out": 100}
    return {data.name: _task(GEMMA_SMALL, data, **changes) for data in sets}


def _paper_tasks() -> dict[str, PublicTask]:
    changes: dict[str, Any] = {"steps": 1000, "batch": 16, "accumulate": 4, "longest": 512, "limit": 0}
    sets = (datasets.HELLASWAG, datasets.ARC_CHALLENGE, datasets.GSM8K, datasets.OPENBOOKQA, INSTRUCTIONS)
    tasks = {data.name: _task(GEMMA_2B, data, **changes) for data in sets}
    tasks["instructions"] = tasks.pop(INSTRUCTIONS.name)
    larger = {f"{data.name}-7b": _task(GEMMA_7B, data, **changes) for data in sets[:4]}
    other = {
        "openbookqa-gemma2": _task(GEMMA2_2B, datasets.OPENBOOKQA, **changes),
        "openbookqa-mt5": _task(MT5_XXL, datasets.OPENBOOKQA, **changes),
    }
    return {**tasks, **larger, **other}


def public_experiment(scale: Scale) -> Experiment:
    """Six optimizers on each set; rank 4 and the sabotage where a claim needs them.

    Under ``gpu`` LoRA-RITE, Adam and the sabotage only, which is planned for ten minutes on one large
    GPU by an estimate, not by a measurement: some 70 ms an update, 40 updates, two to three seconds of
    answers, 84 trials; the timed experiments take one more minute.
    """
    gpu = scale.profile is Profile.GPU
    tasks = _gpu_tasks(scale) if gpu else _paper_tasks()
    methods: dict[str, Any] = {}
    points = 5 if scale.full or not gpu else 3
    for name in ("rite", "adam") if gpu else CENTRES:
        centre = CENTRES[name]
        rates = tuple(float(f"{centre * STEP**k:.2g}") for k in range(-(points // 2), points // 2 + 1))
        methods[arm(name, 16)] = Tuned(
            method=FineTune(optimizer=name, rate=centre), grid={"rate": rates}, select=ACCURACY, seeds=(1,)
        )
    ranks = (16,) if gpu else LORA_RANKS
    for rank in ranks:
        broken = FineTune(optimizer="rite-misaligned", rate=CENTRES["rite"], rank=rank, alpha=float(rank))
        methods[arm("misaligned", rank)] = broken
    only = {(task, name) for task in tasks for name in methods if name != arm("misaligned", 4)}
    if not gpu:
        for name in ("rite", "adam"):
            small = FineTune(optimizer=name, rate=CENTRES[name], rank=4, alpha=4.0)
            methods[arm(name, 4)] = replace(methods[arm(name, 16)], method=small)
        only |= {("openbookqa", arm(name, 4)) for name in ("rite", "adam", "misaligned")}
    return Experiment(
        id="public",
        title="Pretrained language models on public data sets",
        tasks=dict(tasks),
        methods=methods,
        seeds=tuple(range(FIRST_SEED, FIRST_SEED + 5)),
        unit="question",
        minutes=20.0 if gpu else 600.0,
        memory_gb=24.0 if gpu else 32.0,
        device_gb={(task, name): _need_gb(tasks[task]) for task, name in only},
        only=frozenset(only),
    )


_SHAPES: dict[str, tuple[float, int, int, int]] = {
    GEMMA_2B.name: (2.5, 2048, 18, 256_000),
    GEMMA2_2B.name: (2.6, 2304, 26, 256_000),
    GEMMA_7B.name: (8.5, 3072, 28, 256_000),
    # An encoder-decoder has logits of the answer's few tokens only.
    MT5_XXL.name: (12.9, 4096, 48, 0),
}
"""Billions of parameters, width, layers and vocabulary of the paper's models."""
_GEMMA_270M = (0.27, 640, 18, 262_144)


def _need_gb(task: PublicTask) -> float:
    """Memory for a model whose adapters are trained; rows are half as long as they may be."""
    billions, width, layers, vocabulary = _SHAPES.get(getattr(task.model, "name", ""), _GEMMA_270M)
    tokens = task.batch * task.longest // 2
    batch_gb = activations_gb(tokens, width=width, layers=layers, vocabulary=vocabulary)
    return model_gb(billions, "adapter", beside_gb=batch_gb + 4.0)
