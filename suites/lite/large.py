"""Rankers whose encoder is trained, under ``gpu`` and ``paper``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Artifact, HubSource, Method, Resource
from harness.suite import Experiment, Scale
from methods.common.minilm import MINILM
from methods.lite import ir_sets
from methods.lite.finetuning import FineTuning
from methods.lite.method import TrainRanker
from methods.lite.public_sets import CRANFIELD, TRECQA, CollectionPassages, JudgedPassages
from methods.lite.teacher import GivenTeacher, Teacher
from suites.lite.rankers import PASSAGES, trained, untrained

DISTILBERT = Resource(
    name="six-layer-bert",
    kind="model",
    licence="Apache-2.0",
    version="main",
    sources=(HubSource(repo="distilbert/distilbert-base-uncased"),),
    loader="methods.common.minilm:load_encoder",
    size_mb=270,
)
"""A public six-layer BERT of 768 dimensions; the paper's own is not public."""
RATES: dict[str, Any] = {"rate": 1e-3, "encoder_rate": 5e-5}
"""Rates of scorer and encoder that the card of the paper's experiments suggests at this size."""
SEEDS = tuple(range(100, 105))


def arms(common: dict[str, Any], quarter: int, factor: int) -> dict[str, Method[Any, Any]]:
    """Rankers that train the encoder, at fixed rates."""
    found: dict[str, Method[Any, Any]] = {}
    for name, arm in trained(**common).items():
        if name != "lite-flat":
            changes: dict[str, Any] = {**RATES, "factor": factor}
            changes["trains"] = "scorer" if arm.trains == "scorer" else "encoder"
            changes["doc_tokens"] = quarter if arm.doc_tokens else 0
            found[name] = replace(arm, **changes)
    for name, method in untrained(**common).items():
        found[name] = method
        if isinstance(method, TrainRanker):
            trains = "scorer" if name.endswith(("-frozen", "-random")) else "encoder"
            found[name] = replace(method, **{**RATES, "factor": factor, "trains": trains})
    return found


def large_ranking(scale: Scale) -> Experiment:
    """The same comparison with the encoder in training."""
    return _gpu() if scale.profile is Profile.GPU else _paper()


def _gpu() -> Experiment:
    """About six seconds a trial on a large GPU; the second set runs what its claim needs."""
    methods = arms({"steps": 120, "batch": 64}, quarter=16, factor=12)
    answers = JudgedPassages(source=TRECQA)
    cranfield = CollectionPassages(parts=((CRANFIELD, "zero-shot"),))
    tasks = {
        "docstrings": FineTuning(
            data=PASSAGES, teacher=_teacher(PASSAGES), elsewhere=(cranfield,), l1=32, l2=64
        ),
        "trecqa": FineTuning(data=answers, teacher=_teacher(answers), l1=32, l2=64),
    }
    return _experiment(tasks, methods, second=("trecqa",), minutes=10.0)


def _teacher(data: Artifact) -> Teacher:
    """A cross-encoder whose six layers all read both texts, trained on all queries."""
    return Teacher(data=data, encoder=MINILM, joined=6, queries=0, rate=5e-5)


def _paper() -> Experiment:
    methods = arms({"steps": 1_500_000, "batch": 128}, quarter=50, factor=12)
    marco = CollectionPassages(
        parts=((ir_sets.MSMARCO_TRAIN, "train"), (ir_sets.MSMARCO_DEV, "test")), depth=1000
    )
    questions = CollectionPassages(parts=((ir_sets.NQ_TRAIN, "train"), (ir_sets.NQ_DEV, "test")), depth=1000)
    others = ((ir_sets.DL19, "test"), (ir_sets.DL20, "test"))
    beir = tuple((data, "zero-shot") for data in ir_sets.BEIR_SETS)
    elsewhere = tuple(
        CollectionPassages(parts=((data, split),), depth=1000) for data, split in (*others, *beir)
    )
    tasks = {
        "msmarco": FineTuning(
            data=marco,
            teacher=GivenTeacher(data=marco),
            encoder=DISTILBERT,
            vectors=DISTILBERT,
            elsewhere=elsewhere,
        ),
        "nq": FineTuning(
            data=questions,
            teacher=GivenTeacher(data=questions),
            encoder=DISTILBERT,
            vectors=DISTILBERT,
        ),
    }
    return _experiment(tasks, methods, second=("nq",), minutes=60.0 * 24 * 7)


def _experiment(
    tasks: dict[str, FineTuning],
    methods: dict[str, Method[Any, Any]],
    *,
    second: tuple[str, ...],
    minutes: float,
) -> Experiment:
    first = next(iter(tasks))
    needed = ("bm25", "de", "maxsim", "lite", "lite-random")
    if first == "msmarco":
        needed = (*needed, *(f"{name}-{loss}" for name in ("lite", "maxsim") for loss in ("one-hot", "kl")))
        needed = (*needed, "lite-shuffled", "maxsim-shuffled")
    only = {(first, name) for name in methods} | {(task, name) for task in second for name in needed}
    return Experiment(
        id="ranking",
        title="Re-ranking, with the encoder in training",
        tasks=dict(tasks),
        methods=methods,
        seeds=SEEDS,
        unit="query",
        minutes=minutes,
        memory_gb=24.0 if first == "docstrings" else 200.0,
        only=frozenset(only),
    )
