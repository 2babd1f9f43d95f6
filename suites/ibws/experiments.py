"""What runs under each profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.suite import Experiment, FirstSeed, Methods, Scale, on_cpu
from methods.common.minilm import MINILM, RatedTextEmbeddings
from methods.common.ratings import RATINGS
from methods.ibws.method import DirectAssessment, IteratedBestWorst
from methods.ibws.redrawn import Redrawn
from methods.ibws.tasks import FIRST_MAIN_SEED, AnnotationTask, Items, PerfectJudgeTask, RankingTask
from suites.ibws import arms

FIRST = FirstSeed(
    FIRST_MAIN_SEED, "Those from 100 on were seen before claims were averaged over draws of the crowd."
)
MAIN_SEEDS = FIRST.take(10)
RANKING_SEEDS = FIRST.take(8)
SHOWN_SEEDS = FIRST.take(5)
"""Of what is shown and decides nothing."""
DRAWS = 16
"""Crowds that a trial of ``redrawn`` asks, one after the other."""
DIVISIONS = 16
"""Divisions of a piece into texts for training and for testing, each with a crowd of its own."""

BIAS_LEVELS = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Standard deviation of a worker's shift, in points of the -4 ... 4 scale."""
STRETCH_SHARE = 0.3
"""Standard deviation of the log-stretch that goes with a shift of one point."""
COST_SIZES = (81, 243, 729)
FOLDS = Items().folds
"""Pieces of a set, one for each seed: as many seeds, at most, have items of their own."""
RANKING_FOLDS = 8
"""Of product reviews, ten pieces would be too small for training and testing."""

DOMAINS = ("amazon", "nyt")


ALL_BIAS_LEVELS = tuple(sorted({*BIAS_LEVELS, 0.75, 1.5}))
"""The finer grid of ``--full``."""


def bias_id(level: float) -> str:
    """Id of the task with this bias level: ``shift-0.5``."""
    return f"shift-{level:g}"


def _items(domain: str, **changes: Any) -> Items:
    return Items(domain=domain, data=RATINGS, **changes)


def _biased(items: Items, level: float) -> Items:
    return replace(items, shift_sd=level, stretch_sd=STRETCH_SHARE * level)


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a scale."""
    if scale.profile is Profile.SMOKE:
        return (_exact(SHOWN_SEEDS), _smoke_quality(), _smoke_cost(), _smoke_ranking())
    from suites.ibws.gpu import encoder_experiment, reader_experiment

    if scale.profile is Profile.PAPER:
        return (*on_cpu([_exact(MAIN_SEEDS)]), encoder_experiment(scale))
    shared = (_exact(MAIN_SEEDS), _quality(), _redrawn(), _bias(scale), _cost(), _ranking())
    if scale.profile is Profile.GPU:
        return (*on_cpu(shared), encoder_experiment(scale), reader_experiment())
    return shared


def _exact(seeds: tuple[int, ...]) -> Experiment:
    return Experiment(
        id="exact",
        title="Judges without error and all tuples of every bucket",
        tasks={"perfect": PerfectJudgeTask()},
        methods={"ibws-complete": IteratedBestWorst(design="complete")},
        seeds=seeds,
        unit="number of items",
    )


def _quality() -> Experiment:
    plain = {domain: _items(domain) for domain in DOMAINS}
    tasks = {domain: AnnotationTask(items=items) for domain, items in plain.items()}
    tasks |= {f"{name}-biased": AnnotationTask(items=_biased(items, 1.0)) for name, items in plain.items()}
    methods = {**arms.DIRECT, **arms.ONE_SHOT, **arms.ITERATED, **arms.RANDOM}
    only = {(domain, method) for domain in plain for method in methods}
    # Bias cannot change best-worst answers, so only scales are run under it.
    only |= {("amazon-biased", method) for method in arms.DIRECT}
    only |= {("nyt-biased", method) for method in ("slider-4", "five-point-4")}
    return Experiment(
        id="quality",
        title="Quality and cost of the protocols on 300 items",
        tasks=tasks,
        methods=methods,
        seeds=SHOWN_SEEDS,
        most_seeds=FOLDS,
        only=frozenset(only),
    )


def _redrawn() -> Experiment:
    """What claims on protocols rest on: the spread between seeds is that of the crowd, so many are asked."""
    methods = {**arms.REDRAWN, **arms.REDRAWN_BROKEN}
    only = {("amazon", method) for method in methods}
    only |= {("nyt", method) for method in arms.REDRAWN_ON_EDITORIALS}
    return Experiment(
        id="redrawn",
        title=f"Protocols on 300 items, averaged over {DRAWS} crowds",
        tasks={domain: Redrawn(task=AnnotationTask(items=_items(domain)), draws=DRAWS) for domain in DOMAINS},
        methods=methods,
        seeds=MAIN_SEEDS,
        most_seeds=FOLDS,
        unit="crowd",
        only=frozenset(only),
    )


def _bias(scale: Scale) -> Experiment:
    items = _items("amazon")
    levels = ALL_BIAS_LEVELS if scale.full else BIAS_LEVELS
    tasks = {bias_id(level): AnnotationTask(items=_biased(items, level)) for level in levels}
    only = {(task, method) for task in tasks for method in arms.BIAS_SCALES}
    only |= {(bias_id(0.0), method) for method in arms.BIAS_TUPLES}
    return Experiment(
        id="bias",
        title="Best-worst scaling against scales as raters differ more",
        tasks=tasks,
        methods={**arms.BIAS_SCALES, **arms.BIAS_TUPLES},
        seeds=SHOWN_SEEDS,
        most_seeds=FOLDS,
        only=frozenset(only),
    )


def _cost_methods() -> Methods:
    return {
        "ibws-2": IteratedBestWorst(appearances=2),
        "slider-4": DirectAssessment(raters=4),
    }


def _cost() -> Experiment:
    few = {"gold": 5, "comparative": 5, "direct": 5}
    return Experiment(
        id="cost",
        title="Cost of an item as the set grows",
        tasks={f"items-{n}": AnnotationTask(items=_items("movie", count=n, **few)) for n in COST_SIZES},
        methods=_cost_methods(),
        seeds=SHOWN_SEEDS,
        most_seeds=FOLDS,
    )


def _ranking() -> Experiment:
    sizes = {"amazon": (408, 160), "movie": (1170, 400)}
    raters = {"amazon": {}, "movie": {"gold": 5, "comparative": 5, "direct": 5}}
    tasks = {
        domain: Redrawn(
            task=RankingTask(
                items=_items(domain, count=count, folds=RANKING_FOLDS, **raters[domain]),
                test=test,
                embeddings=RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain=domain),
            ),
            draws=DIVISIONS,
        )
        for domain, (count, test) in sizes.items()
    }
    few = ("slider-2", "gold")
    methods: Methods = {
        **arms.rankers("ridge"),
        **arms.rankers("pairwise", few),
        **arms.rankers("tfidf", few),
        **arms.shuffled("ridge"),
        **arms.LEXICON_RANKER,
    }
    return Experiment(
        id="ranking",
        title=f"Learning to rank from cheap labels, averaged over {DIVISIONS} divisions and crowds",
        tasks=tasks,
        methods=methods,
        seeds=RANKING_SEEDS,
        most_seeds=RANKING_FOLDS,
        unit="division",
    )


def _smoke_quality() -> Experiment:
    names = ("slider-2", "slider-4", "five-point-4", "easl-4")
    chosen: Methods = {name: arms.DIRECT[name] for name in names}
    chosen |= {name: arms.ONE_SHOT[name] for name in ("bws-count-8", "bws-bt-8")}
    chosen |= {name: arms.ITERATED[name] for name in ("ibws-2", "ibws-4", "ibws-4-bt")}
    return Experiment(
        id="quality",
        title="Quality and cost of the protocols on generated items",
        tasks={"generated": AnnotationTask(items=Items(count=60))},
        methods=chosen,
        seeds=SHOWN_SEEDS[:2],
    )


def _smoke_cost() -> Experiment:
    return Experiment(
        id="cost",
        title="Cost of an item as the set grows",
        tasks={f"items-{n}": AnnotationTask(items=Items(count=n)) for n in COST_SIZES},
        methods=_cost_methods(),
        seeds=SHOWN_SEEDS[:2],
    )


def _smoke_ranking() -> Experiment:
    return Experiment(
        id="ranking",
        title="Learning to rank from cheap labels, on generated texts",
        tasks={"generated": RankingTask(items=Items(count=120), test=40)},
        methods={f"tfidf-{name}": arms.once(name, "tfidf") for name in ("slider-2", "gold")},
        seeds=SHOWN_SEEDS[:2],
        unit="test text",
    )
