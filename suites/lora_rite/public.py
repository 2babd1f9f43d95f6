"""Pretrained language models on public data sets, under ``gpu`` and ``paper``."""

from __future__ import annotations

from typing import Any, cast

from harness.claims import Profile
from harness.method import Reference, Resource
from harness.method.footprint import Use
from harness.method.sizes import activations_gb, model_gb
from harness.suite import Experiment, Scale, Tuned
from methods.common import datasets
from methods.lora_rite.finetune import ACCURACY
from methods.lora_rite.models import GEMMA2_2B, GEMMA_2B, GEMMA_7B, GEMMA_SMALL, MT5_XXL
from methods.lora_rite.public import INSTRUCTIONS, PublicTask
from suites.lora_rite import arms

FOLDER = "suites/lora_rite/tasks"
_FEW = ("rite", "adam")
"""Optimizers that run where six would take too long."""


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
    """Six optimizers on each set; other ranks and the sabotage where a claim needs them.

    Under ``gpu`` LoRA-RITE, Adam and the sabotage only, which is planned for ten minutes on one large
    GPU by an estimate, not by a measurement: some 70 ms an update, 40 updates, two to three seconds of
    answers, 84 trials; the timed experiments take one more minute.
    """
    gpu = scale.profile is Profile.GPU
    tasks = _gpu_tasks(scale) if gpu else _paper_tasks()
    points = 5 if scale.full or not gpu else 3

    rates = arms.GPU_RATES if gpu else arms.PUBLIC_RATES

    def chosen(name: str, rank: int) -> Tuned:
        return arms.tuned(arms.fine_tune(name, rates[name], rank), ACCURACY, points)

    methods: dict[str, Any] = {arms.at_rank(name, 16): chosen(name, 16) for name in rates}
    methods["misaligned-r16"] = arms.misaligned(rates["rite"], 16)
    only = {(task, name) for task in tasks for name in methods}
    if gpu:
        methods[arms.at_rank("uneven", 16)] = arms.uneven(rates["rite"], 16)
        only.add(("arc-easy", arms.at_rank("uneven", 16)))
    else:
        for rank in (4, 64):
            methods |= {arms.at_rank(name, rank): chosen(name, rank) for name in _FEW}
            only |= {("openbookqa", arms.at_rank(name, rank)) for name in _FEW}
        methods["misaligned-r4"] = arms.misaligned(rates["rite"], 4)
        only.add(("openbookqa", "misaligned-r4"))
    return Experiment(
        id="public",
        title="Pretrained language models on public data sets",
        tasks=dict(tasks),
        methods=methods,
        seeds=arms.FIRST.take(5),
        unit="question",
        minutes=20.0 if gpu else 600.0,
        memory_gb=24.0 if gpu else 32.0,
        device_gb={(task, name): _need_gb(tasks[task]) for task, name in only},
        uses={} if gpu else {(task, name): _use(tasks[task], name) for task, name in only},
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


def _use(task: PublicTask, method: str) -> Use:
    """What an arm does with its model; large models read a few rows at a time, layers computed again."""
    large = _SHAPES[task.model.name][0] >= 2.0  # type: ignore[attr-defined]
    rows = min(task.batch, 8) if large else task.batch
    return Use(
        model=cast("Resource", task.model),
        kind="adapter",
        rank=int(method.rpartition("-r")[2]),
        rows=rows,
        tokens=task.longest,
        targets=task.longest // 2 if task.data is INSTRUCTIONS else 32,
        passes=task.accumulate * task.batch // rows,
    )


def _need_gb(task: PublicTask) -> float:
    """Memory for a model whose adapters are trained; rows are half as long as they may be."""
    billions, width, layers, vocabulary = _SHAPES.get(getattr(task.model, "name", ""), _GEMMA_270M)
    tokens = task.batch * task.longest // 2
    batch_gb = activations_gb(tokens, width=width, layers=layers, vocabulary=vocabulary)
    return model_gb(billions, "adapter", beside_gb=batch_gb + 4.0)
