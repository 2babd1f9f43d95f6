"""The experiments of each profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from harness.claims import Profile
from harness.method import Artifact, PerSeed, Reference, Task
from harness.method.sizes import model_gb
from harness.suite import Experiment, FirstSeed, Methods, Scale
from methods.common.countries import TABLES
from methods.common.elements import ELEMENTS
from methods.common.gemma import SafeWeights
from methods.common.recast import recast
from methods.rest_react.baselines import (
    ClosedBook,
    MajorityVote,
    PlainReAct,
    SearchAgent,
    SingleSearch,
)
from methods.rest_react.first_exams import FirstExams
from methods.rest_react.judging import (
    Judging,
    LanguageJudge,
    MentionJudge,
    RuleJudge,
    StringJudge,
)
from methods.rest_react.method import OutcomeFiltered, Pilot, Prompted, SelfImprove
from methods.rest_react.prepare import PretrainedTeacher, Teacher
from methods.rest_react.public_task import AGENT
from methods.rest_react.sabotage import CopiedTrajectories, LenientJudge, StandIn, SwappedWorlds
from methods.rest_react.task import WorldAgents
from suites.rest_react.cells import DISTILLED, LAST, SAMPLES, SIZES, STUDENTS, SUBSETS
from suites.rest_react.paper import public_experiment

XS = 8
"""Samples of the smallest agents; the paper's 16 take twice as long and choose the mode as surely."""
FIRST = FirstSeed(200, "Seed 100 was seen with an earlier generation 0 (deviation D13).")
"""Of the bound models under ``paper``, which no pilot had."""
IN_WORLDS = FirstSeed(
    500, "Seeds below were seen while generation 0, training and the number of seeds changed (deviation D13)."
)
"""Of generated worlds and of judges."""
TEACHER = Teacher()
"""Generation 0 as it is for every seed but for what it draws."""


def _each(artifact: Artifact) -> PerSeed:
    return PerSeed(artifact=artifact, seed_field="seed")


TASK = WorldAgents(
    generation_0=_each(TEACHER),
    questions=250,
    asked=80,
    second=50,
    facts=(*TABLES, ELEMENTS),
    facts_asked=40,
)
TF32 = "agents are fine-tuned for few steps at a noisy loss, and their weights are rounded to bfloat16 after"
"""Why products of float32 may be computed in TF32 on a GPU."""
TAKE_ALL = ("gen0-L", "gen2-L", "gen2-S", "gen2-XS")
"""Agents that take the second exam and the one on real facts, too."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return _smoke()
    if scale.profile is Profile.PAPER:
        return (public_experiment(FIRST.take(1)), replace(_judges(5, AGENT), minutes=240.0))
    if scale.profile is Profile.GPU:
        return _gpu(scale)
    seeds = IN_WORLDS.take(12 if scale.full else 8)
    task = replace(TASK, runs=10 if scale.full else 5)
    methods = arms(wide=scale.full, full=scale.full, sat=_first_exams(task))
    # Baselines are shown only.
    few = seeds if scale.full else seeds[:3]
    return (
        _agents(task, methods, seeds),
        _baselines(task, few),
        _judges(1),
    )


def _first_exams(task: WorldAgents) -> PerSeed:
    """What generation 0 answers in each seed."""
    return _each(FirstExams(task=task))


def arms(*, wide: bool, full: bool, sat: Reference | None = None) -> Methods:
    """Everything that trains agents.

    A pilot has 125 trajectories: half as many as the 250 questions of ``small``, where the paper's 500
    are a quarter of its 2000.

    Args:
        wide: With what only claims that are shown read, and with controls beside those that need no training.
        full: With all else.
        sat: What generation 0 answers, if that is at hand.
    """
    main = SelfImprove(samples_xs=XS, subsets=(1, 2), start=False, everywhere=TAKE_ALL, shown=("gen2-L",))
    # Ablations are about the largest agent, which grows the data of all others.
    largest = replace(main, sizes=("L",), subsets=(), everywhere=(), shown=())
    once = replace(largest, generations=1)
    found: Methods = {
        "rest": main,
        "prompted": Prompted(
            samples_xs=XS, sizes=("L", "S", "XS"), everywhere=("gen0-L",), shown=("gen0-L",), sat=sat
        ),
        "pilot": Pilot(samples_xs=XS, sizes=SIZES if full else DISTILLED),
        "pilot-all": Pilot(samples_xs=XS, sizes=("XS",), removed=0.0),
        **broken(sat),
    }
    if wide:
        found["random"] = replace(main, ranker="random", shown=())
        found["copied"] = CopiedTrajectories(
            **{field.name: getattr(main, field.name) for field in fields(main)}
            | {"sizes": ("XS",), "everywhere": (), "shown": ()}
        )
        found["no-ranker"] = replace(once, ranker="none")
        found["oracle"] = replace(once, ranker="oracle")
        found["star"] = OutcomeFiltered(sizes=("L",), start=False, generations=1)
    if full:
        found["noise"] = replace(once, noise=1.0)
        found["third"] = replace(main, generations=3, sizes=("L", "XS"), subsets=(), passes=(1, 4, 4))
        found["equal-k"] = replace(main, samples_xs=4, subsets=(), everywhere=(), shown=())
    return found


def broken(sat: Reference | None) -> Methods:
    """What negative controls put in the place of agents; see ``controls.py``.

    Args:
        sat: See :func:`arms`.
    """
    everybody = ("gen0-L", "gen0-S", "gen0-XS", *STUDENTS, *SUBSETS)
    return {
        "one-size": StandIn(names=everybody, sat=sat),
        "unchecked": StandIn(names=everybody, checks=False, sat=sat),
        "astray": StandIn(names=everybody, astray=LAST, everywhere=("gen0-L",), sat=sat),
        "pilot-hardly": Pilot(samples_xs=XS, sizes=("XS",), removed=0.97),
    }


def _agents(task: WorldAgents, methods: Methods, seeds: Sequence[int]) -> Experiment:
    tasks: dict[str, Task[Any, Any]] = {"worlds": task}
    pairs = {("worlds", name) for name in methods if name != "star"}
    if "star" in methods:
        tasks["labelled"] = replace(task, labels=True)
        pairs.add(("labelled", "star"))
    return Experiment(
        id="agents",
        title="Agents that learn from their own trajectories, asked about worlds that nobody has seen",
        tasks=tasks,
        methods=dict(methods),
        seeds=tuple(seeds),
        unit="question",
        first_seed=IN_WORLDS,
        minutes=20.0,
        only=frozenset(pairs),
    )


def _baselines(task: WorldAgents, seeds: Sequence[int]) -> Experiment:
    methods: Methods = {
        "search-agent": SearchAgent(),
        "closed-book": ClosedBook(),
        "single-search": SingleSearch(),
        "react": PlainReAct(),
        "majority": MajorityVote(),
        **{name: SearchAgent(samples=k) for k, name in SAMPLES.items() if name != "search-agent"},
    }
    own = replace(task, second=0, facts=())
    pairs = {("worlds", name) for name in methods}
    pairs |= {("swapped", name) for name in ("search-agent", "single-search")}
    return Experiment(
        id="baselines",
        title="Generation 0 with less than the search agent, or with more samples",
        tasks={"worlds": own, "swapped": recast(own, SwappedWorlds)},
        methods=methods,
        seeds=tuple(seeds),
        unit="question",
        first_seed=IN_WORLDS,
        only=frozenset(pairs),
    )


def _judges(seeds: int, model: Reference | None = None) -> Experiment:
    methods: Methods = {
        "rule": RuleJudge(),
        "mention": MentionJudge(),
        "string": StringJudge(),
        "lenient": LenientJudge(),
    }
    if model is not None:
        methods["language"] = LanguageJudge(model=model)
    return Experiment(
        id="judges",
        title="Judges of free answers of eleven agents, against the oracle",
        tasks={"answers": Judging()},
        methods=methods,
        **IN_WORLDS.own(seeds),
        unit="answer",
    )


def _smoke() -> tuple[Experiment, ...]:
    """The whole way with agents that hardly learn anything."""
    seeds = IN_WORLDS.take(1)
    teacher = replace(TEACHER, entities=20, relations=4, demonstrations=30, steps=40, batch=16)
    task = replace(TASK, generation_0=_each(teacher), runs=2, questions=24, asked=12, second=8, facts=())
    brief: dict[str, Any] = {"sizes": ("L", "XS"), "samples": 2, "samples_xs": 2, "shown": ("gen2-L",)}
    methods: Methods = {
        "rest": SelfImprove(passes=(1, 1), start=False, **brief),
        "prompted": Prompted(samples=2, shown=("gen0-L",)),
        "pilot": Pilot(trajectories=8, samples=2, samples_xs=2),
        "unchecked": StandIn(samples=2, names=STUDENTS, checks=False),
    }
    judging = replace(_judges(1), tasks={"answers": Judging(errors=(0.0, 0.2, 0.5), questions=8)})
    return (_agents(task, methods, seeds), judging)


def _gpu(scale: Scale) -> tuple[Experiment, ...]:
    """Gemma-3-270M as the largest agent; one training, so that only questions vary."""
    seeds = IN_WORLDS.take(1)
    teacher = PretrainedTeacher(demonstrations=200, base_steps=300 if scale.full else 100)
    task = replace(
        TASK,
        generation_0=_each(teacher),
        questions=500 if scale.full else 150,
        runs=10 if scale.full else 5,
    )
    # There is no time for the sweep of rankers.
    methods = {name: method for name, method in arms(wide=True, full=False).items() if name != "oracle"}
    agents = replace(_agents(task, methods, seeds), minutes=60.0, memory_gb=30.0, tf32=TF32)
    # Generation 0 is one artifact for both, so both see it trained in the same way.
    baselines = replace(_baselines(task, seeds), tf32=TF32)
    judges = replace(_judges(5, SafeWeights()), device_gb=model_gb(0.27, beside_gb=8.0))
    return (agents, baselines, judges)
