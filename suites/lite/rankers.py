"""The rankers that are compared, and the set they are compared on under ``small``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.method import Method
from harness.suite import Experiment, FirstSeed, Tuned
from methods.common.minilm import MINILM
from methods.lite.docstrings import DocstringPassages
from methods.lite.functions import FunctionBodies
from methods.lite.method import KnownScores, TrainRanker
from methods.lite.prepare import TokenVectors
from methods.lite.sabotage import MixedColumns, ShuffledTeacher
from methods.lite.task import MRR, Reranking
from methods.lite.teacher import Teacher
from suites.lite.cells import TOP_K

PASSAGES = DocstringPassages()
VECTORS = TokenVectors(data=PASSAGES, encoder=MINILM, l1=24)
TEACHER = Teacher(data=PASSAGES, encoder=MINILM)
FUNCTIONS = FunctionBodies()
FUNCTION_VECTORS = TokenVectors(data=FUNCTIONS, encoder=MINILM, l1=24)
ON_FUNCTIONS = ("bm25", "maxsim-frozen", "maxsim-one-hot", "lite-one-hot", "lite-mixed-one-hot")
"""What the claim on a second set needs; there is no teacher for it, so labels teach."""
STEP = 10**0.5
"""Ratio of neighbouring rates in every grid."""
CENTRES = {"de": 1e-2, "maxsim": 3e-3, "knrm": 1e-2, "lite": 3e-3, "lite-flat": 3e-3}
"""Middle of each scorer's grid of rates, from tuning seeds."""
STEPS = 120
"""Updates of a trial, a few seconds of a trial; LITE takes twice as long as the others."""
QUARTER = 16
"""A quarter of the 64 document vectors."""

FIRST = FirstSeed()
FRESH = FirstSeed(200, "Seeds from 100 on were seen with narrower grids of rates.")
"""The first seed of rankers whose rate is tuned."""


def trained(**common: Any) -> dict[str, TrainRanker]:
    """All trained rankers by id, with what they have in common; LITE's hidden widths are 4 L."""
    lite = TrainRanker(factor=4, rate=CENTRES["lite"], **common)
    maxsim = TrainRanker(scorer="maxsim", rate=CENTRES["maxsim"], **common)
    arms = {
        "de": TrainRanker(scorer="de", rate=CENTRES["de"], **common),
        "maxsim": maxsim,
        "maxsim-unscaled": replace(maxsim, scale=False),
        **{f"maxsim-top{k}": replace(maxsim, top_k=k) for k in TOP_K},
        "knrm": TrainRanker(scorer="knrm", rate=CENTRES["knrm"], **common),
        "lite": lite,
        "lite-flat": replace(lite, scorer="lite-flat", rate=CENTRES["lite-flat"]),
        "lite-quarter": replace(lite, doc_tokens=QUARTER),
        "lite-scorer": replace(lite, trains="scorer"),
    }
    for name, arm in (("maxsim", maxsim), ("lite", lite)):
        arms[f"{name}-one-hot"] = replace(arm, loss="one-hot")
        arms[f"{name}-kl"] = replace(arm, loss="kl")
    return arms


def untrained(**common: Any) -> dict[str, Method[Any, Any]]:
    """Rankers of a frozen encoder, and systems whose scores are known."""
    frozen = TrainRanker(trains="scorer", scale=False, factor=4, **{**common, "steps": 0})
    return {
        "bm25": KnownScores(),
        "cross-encoder": KnownScores(system="cross-encoder"),
        "de-frozen": replace(frozen, scorer="de"),
        "maxsim-frozen": replace(frozen, scorer="maxsim"),
        "lite-random": frozen,
    }


def broken(**common: Any) -> dict[str, TrainRanker]:
    """Negative controls, which are trained as long as what they stand in for; see ``controls.py``."""
    arms = trained(**common)

    def kept(kind: type[TrainRanker], *names: str) -> dict[str, TrainRanker]:
        word = {ShuffledTeacher: "shuffled", MixedColumns: "mixed"}[kind]
        return {
            "-".join((scorer, word, *rest)): kind(**vars(arms[name]))
            for name in names
            for scorer, *rest in [name.split("-", 1)]
        }

    return {
        **kept(ShuffledTeacher, "lite", "maxsim"),
        **kept(MixedColumns, "lite", "lite-one-hot", "lite-quarter", "lite-scorer", "maxsim", "maxsim-kl"),
    }


def smoke_rankers() -> dict[str, Method[Any, Any]]:
    """One ranker of each kind, for a few steps."""
    common: dict[str, Any] = {"steps": 3, "batch": 4, "negatives": 2}
    arms = trained(**common)
    names = ("de", "maxsim", "knrm", "lite", "lite-flat", "lite-one-hot", "lite-kl")
    quarter = replace(arms["lite"], doc_tokens=2)
    mixed = {"lite-mixed": broken(**common)["lite-mixed"]}
    return {**{name: arms[name] for name in names}, "lite-quarter": quarter, **mixed, **untrained(**common)}


def tuned(arm: TrainRanker) -> Tuned:
    """Five rates around the arm's own centre, on validation queries."""
    rates = tuple(float(f"{arm.rate * STEP**k:.2g}") for k in (-2, -1, 0, 1, 2))
    return Tuned(method=arm, grid={"rate": rates}, select=MRR, seeds=(1,))


def rankers(*, full: bool) -> dict[str, Method[Any, Any] | Tuned]:
    """All rankers of ``small``: each trained one at the best of five rates.

    ``full`` adds MaxSim on a quarter of the vectors and the other ways to get there.
    """
    arms = trained(steps=STEPS)
    if full:
        arms["maxsim-quarter"] = replace(arms["maxsim"], doc_tokens=QUARTER)
        for way in ("truncate", "linear", "k-means"):
            arms[f"lite-quarter-{way}"] = replace(arms["lite-quarter"], reduction=way)
    fixed = {**untrained(steps=STEPS), **broken(steps=STEPS)}
    return {**{name: tuned(arm) for name, arm in arms.items()}, **fixed}


def small_ranking(methods: Mapping[str, Method[Any, Any] | Tuned], *, full: bool) -> Experiment:
    """Docstrings, and functions' bodies beside them, on token vectors of a frozen MiniLM."""
    tasks = {
        "docstrings": Reranking(data=PASSAGES, vectors=VECTORS, teacher=TEACHER, fold=60),
        "functions": Reranking(data=FUNCTIONS, vectors=FUNCTION_VECTORS),
    }
    only = {("docstrings", name) for name in methods} | {("functions", name) for name in ON_FUNCTIONS}
    return Experiment(
        id="ranking",
        title="Re-ranking passages of docstrings and bodies of functions",
        tasks=tasks,
        methods=methods,
        only=frozenset(only),
        seeds=FRESH.take(10 if full else 5),
        first_seed=FRESH,
        unit="query text",
    )
