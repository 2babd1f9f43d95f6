"""Rankers whose encoder is trained, under ``gpu`` and ``paper``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Artifact, HubSource, Method, Resource
from harness.suite import Experiment, Scale
from methods.common.minilm import MINILM
from methods.lite import ir_sets
from methods.lite.finetuning import FineTuning, TokenIds
from methods.lite.method import TrainRanker
from methods.lite.public_sets import CRANFIELD, TRECQA, CollectionPassages, JudgedPassages
from methods.lite.teacher import GivenTeacher, Teacher
from suites.lite.rankers import FIRST, PASSAGES, broken, trained, untrained

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
QUICK: dict[str, Any] = {"rate": 1e-3, "encoder_rate": 5e-5}
"""Rates of scorer and encoder for a hundred steps, as the card suggests (card, section 9)."""
PAPERS: dict[str, Any] = {"rate": 2.8e-5, "encoder_rate": 2.8e-5}
"""The paper's peak rate, for all weights."""
MILLIONS: dict[str, Any] = {"minutes": 600.0, "memory_gb": 64.0}
"""Limits on preparing collections of millions of passages."""


def arms(
    common: dict[str, Any], quarter: int, factor: int, rates: dict[str, Any]
) -> dict[str, Method[Any, Any]]:
    """Rankers that train the encoder, at fixed rates."""
    found: dict[str, Method[Any, Any]] = {}
    for name, arm in {**trained(**common), **broken(**common)}.items():
        if name != "lite-flat":
            changes: dict[str, Any] = {**rates, "factor": factor}
            changes["trains"] = "scorer" if arm.trains == "scorer" else "encoder"
            changes["doc_tokens"] = quarter if arm.doc_tokens else 0
            found[name] = replace(arm, **changes)
    for name, method in untrained(**common).items():
        found[name] = method
        if isinstance(method, TrainRanker):
            trains = "scorer" if name.endswith(("-frozen", "-random")) else "encoder"
            found[name] = replace(method, **{**rates, "factor": factor, "trains": trains})
    return found


def large_ranking(scale: Scale) -> Experiment:
    """The same comparison with the encoder in training."""
    return _gpu() if scale.profile is Profile.GPU else _paper()


def _gpu() -> Experiment:
    """About five seconds a trial on a large GPU; the second set runs what its claim needs."""
    methods = arms({"steps": 100, "batch": 64}, quarter=16, factor=12, rates=QUICK)
    answers = JudgedPassages(source=TRECQA)
    cranfield = CollectionPassages(parts=((CRANFIELD, "zero-shot"),))
    tasks = {"docstrings": _tuned_on(PASSAGES, cranfield), "trecqa": _tuned_on(answers)}
    return _experiment(tasks, methods, second=("trecqa",), minutes=10.0)


def _tuned_on(data: Artifact, *elsewhere: Artifact) -> FineTuning:
    """MiniLM on a set, taught by a cross-encoder whose six layers all read both texts."""

    def ids(of: Artifact) -> TokenIds:
        return TokenIds(data=of, l1=32, l2=64)

    return FineTuning(
        data=data,
        vectors=ids(data),
        teacher=Teacher(data=data, encoder=MINILM, joined=6, queries=0, rate=5e-5),
        elsewhere=tuple((other, ids(other)) for other in elsewhere),
    )


def _paper() -> Experiment:
    methods = arms({"steps": 1_500_000, "batch": 128}, quarter=50, factor=12, rates=PAPERS)

    def collection(*parts: tuple[Resource, Any]) -> CollectionPassages:
        return CollectionPassages(parts=parts, depth=1000, **MILLIONS)

    marco = collection((ir_sets.MSMARCO_TRAIN, "train"), (ir_sets.MSMARCO_DEV, "test"))
    questions = collection((ir_sets.NQ_TRAIN, "train"), (ir_sets.NQ_DEV, "test"))
    queries = [collection((data, "test")) for data in (ir_sets.DL19, ir_sets.DL20)]
    beir = [collection((data, "zero-shot")) for data in ir_sets.BEIR_SETS]
    tasks = {"msmarco": _distilbert_on(marco, *queries, *beir), "nq": _distilbert_on(questions)}
    return _experiment(tasks, methods, second=("nq",), minutes=60.0 * 24 * 7)


def _distilbert_on(data: Artifact, *elsewhere: Artifact) -> FineTuning:
    """A six-layer BERT on a set, taught by a given cross-encoder, at the paper's lengths."""

    def ids(of: Artifact) -> TokenIds:
        return TokenIds(data=of, encoder=DISTILBERT, **MILLIONS)

    return FineTuning(
        data=data,
        vectors=ids(data),
        encoder=DISTILBERT,
        teacher=GivenTeacher(data=data, memory_gb=64.0),
        elsewhere=tuple((other, ids(other)) for other in elsewhere),
    )


def _experiment(
    tasks: dict[str, FineTuning],
    methods: dict[str, Method[Any, Any]],
    *,
    second: tuple[str, ...],
    minutes: float,
) -> Experiment:
    first = next(iter(tasks))
    needed = ["bm25", "de", "maxsim", "lite", "lite-mixed"]
    if first == "msmarco":
        needed += [f"{name}-{loss}" for name in ("lite", "maxsim") for loss in ("one-hot", "kl")]
        needed += ["lite-shuffled", "maxsim-shuffled", "lite-mixed-one-hot", "maxsim-mixed-kl"]
    only = {(first, name) for name in methods} | {(task, name) for task in second for name in needed}
    return Experiment(
        id="ranking",
        title="Re-ranking, with the encoder in training",
        tasks=dict(tasks),
        methods=methods,
        seeds=FIRST.take(5),
        unit="query text",
        minutes=minutes,
        memory_gb=24.0 if first == "docstrings" else 200.0,
        tf32="training is long and its gradients are noisy; TPUs, on which such rankers are trained, "
        "multiply in bfloat16, which keeps less",
        only=frozenset(only),
    )
