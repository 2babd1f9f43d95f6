"""The experiments of each profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method
from harness.suite import Experiment, Scale, Timed, on_cpu
from methods.lite.approximation import FitTarget, Regress
from methods.lite.generated import GeneratedRanking
from methods.lite.latency import Rescore, StoredVectors
from methods.lite.neighbours import LearnNeighbours, Neighbours
from methods.lite.order import LearnOrder, WordOrder
from methods.lite.tables import FitEmbeddings, FitScorer, IdentityTable
from suites.lite.cells import BETAS, TARGETS, beta
from suites.lite.large import large_ranking
from suites.lite.rankers import FIRST, rankers, small_ranking, smoke_rankers

Methods = dict[str, Method[Any, Any]]
RATE_MAXSIM, RATE_LITE = 1e-2, 5e-3


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        smoke = _ranking(GeneratedRanking(), smoke_rankers())
        return (smoke, *_smoke_theory())
    theory = (
        # Thirty trials of half a minute and more would take `small` beyond its ten minutes.
        *((_neighbours(10, steps=1500),) if scale.full else ()),
        _order(3, steps=300),
        _approximation(1, steps=500, full=scale.full),
        _tables(3, steps=300),
    )
    latency = _latency(scale.profile)
    if scale.profile is Profile.SMALL:
        # The longest trials start first, so that no worker is idle at the end.
        return (small_ranking(rankers(full=scale.full), full=scale.full), *theory, latency)
    return (large_ranking(scale), *on_cpu(theory), latency)


def _smoke_theory() -> tuple[Experiment, ...]:
    """What existence and exact claims need, with the negative controls that must lose them; and plumbing."""
    kept = {"order": ("maxsim", "lite"), "approximation": ("maxsim", "lite"), "tables": ("de",)}
    found = []
    for experiment in (_order(1, steps=30), _approximation(1, steps=220), _tables(1, steps=100)):
        names = (*kept[experiment.id], "maxsim", "lite")
        tasks = {name: task for name, task in experiment.tasks.items() if name != "maxsim"}
        methods = {name: experiment.methods[name] for name in dict.fromkeys(names)}
        found.append(replace(experiment, tasks=tasks, methods=methods))
    return (*found, replace(_neighbours(1, steps=3), tasks={beta(0.5): Neighbours(test=50)}))


def _ranking(task: GeneratedRanking, methods: Methods) -> Experiment:
    return Experiment(
        id="ranking",
        title="Re-ranking generated candidates",
        tasks={"generated": task},
        methods=methods,
        seeds=FIRST.take(1),
        unit="query text",
    )


def _order(seeds: int, *, steps: int) -> Experiment:
    methods: Methods = {
        "de": LearnOrder(scorer="de", vectors=True, steps=steps),
        "maxsim-frozen": LearnOrder(scorer="maxsim", steps=0),
        "maxsim": LearnOrder(scorer="maxsim", vectors=True, steps=steps),
        "lite": LearnOrder(steps=steps),
        "lite-vectors": LearnOrder(vectors=True, steps=steps),
        "lite-flat": LearnOrder(scorer="lite-flat", steps=steps),
    }
    return Experiment(
        id="order",
        title="Phrases among the same words out of order",
        tasks={"phrases": WordOrder()},
        methods=methods,
        seeds=FIRST.take(seeds),
        unit="query text",
    )


def _neighbours(seeds: int, *, steps: int) -> Experiment:
    """Encoder and scorer together from scratch, where neighbours are worth nothing, some and more.

    The rates are each arm's best of the same five at β = .25 on one pilot seed (``docs/papers/lite.md``).
    """
    methods: Methods = {
        "maxsim": LearnNeighbours(scorer="maxsim", steps=steps, rate=RATE_MAXSIM),
        "lite": LearnNeighbours(factor=4, steps=steps, rate=RATE_LITE),
    }
    tasks = {beta(value): Neighbours(beta=value) for value in BETAS}
    return Experiment(
        id="neighbours",
        title="Relevance beyond the best match, encoder and scorer trained together",
        tasks=tasks,
        methods=methods,
        seeds=FIRST.take(seeds),
        unit="query text",
    )


def _approximation(seeds: int, *, steps: int, full: bool = False) -> Experiment:
    """Two by two similarities, which the theory asks for; ``full`` adds four by eight."""
    names = ("maxsim", *TARGETS)
    tasks = {name: FitTarget(name, l1=2, l2=2) for name in names}
    if full:
        tasks |= {f"{name}-4x8": FitTarget(name) for name in names}
    methods: Methods = {
        "maxsim": Regress(scorer="maxsim", steps=steps),
        "lite": Regress(out_norm=False, steps=steps),
        "lite-norm": Regress(steps=steps),
        "lite-flat": Regress(scorer="lite-flat", steps=steps),
    }
    return Experiment(
        id="approximation",
        title="Functions of the similarities, fitted",
        tasks=tasks,
        methods=methods,
        seeds=FIRST.take(seeds),
        unit="sample",
    )


def _tables(seeds: int, *, steps: int) -> Experiment:
    methods: Methods = {
        "de": FitEmbeddings(steps=steps),
        "maxsim": FitScorer(scorer="maxsim", steps=steps),
        "lite": FitScorer(out_norm=False, steps=steps),
        "lite-flat": FitScorer(scorer="lite-flat", steps=steps),
    }
    return Experiment(
        id="tables",
        title="The identity as scores of eight queries and documents",
        tasks={"identity": IdentityTable()},
        methods=methods,
        seeds=FIRST.take(seeds),
        unit="start",
    )


def _latency(profile: Profile) -> Experiment:
    """A thousand documents of a query; more of them at once on a GPU."""
    batch = 100 if profile is Profile.SMALL else 1000
    arms: Methods = {}
    for count in (200, 50):
        arms[f"maxsim-{count}"] = Rescore(scorer="maxsim", doc_tokens=count, batch=batch)
        arms[f"lite-{count}"] = Rescore(doc_tokens=count, batch=batch)
    width = 384 if profile is Profile.SMALL else 768
    return Experiment(
        id="latency",
        title="Seconds to re-rank a thousand documents from stored vectors, loading included",
        tasks={"stored": StoredVectors(dim=width)},
        methods=arms,
        seeds=FIRST.take(1),
        unit="block",
        timed=Timed(blocks=8, warmup=1),
    )
