"""The paper's own scale: public questions, and bound models as agents."""

from __future__ import annotations

from dataclasses import replace

from harness.suite import Experiment, Methods
from methods.rest_react.method import OutcomeFiltered, Pilot, Prompted, SelfImprove
from methods.rest_react.public_task import FewShotTeacher, PublicAgents
from methods.rest_react.sabotage import CopiedTrajectories, StandIn
from suites.rest_react.cells import LAST, SIZES, STUDENTS, SUBSETS


def public_experiment(seeds: tuple[int, ...]) -> Experiment:
    """All agents of the paper's tables: ten runs, and questions as units.

    The pilot has 500 trajectories, a quarter of the questions to learn from, as in the paper.
    """
    task = PublicAgents(generation_0=FewShotTeacher())
    take_all = ("gen0-L", *STUDENTS)
    main = SelfImprove(ranker="model", subsets=(1, 2), start=False, everywhere=take_all, shown=("gen2-L",))
    largest = replace(main, sizes=("L",), subsets=(), everywhere=("gen2-L",), shown=())
    everybody = ("gen0-L", *STUDENTS, *SUBSETS)
    methods: Methods = {
        "rest": main,
        "prompted": Prompted(everywhere=("gen0-L",), shown=("gen0-L",)),
        "pilot": Pilot(sizes=SIZES, trajectories=500),
        "pilot-all": Pilot(sizes=("XS",), trajectories=500, removed=0.0),
        "no-ranker": replace(largest, ranker="none", generations=1),
        "random": replace(main, ranker="random", shown=()),
        "copied": CopiedTrajectories(ranker="model", sizes=("XS",), subsets=(1, 2), start=False),
        "star": OutcomeFiltered(sizes=("L",), start=False, generations=1),
        "one-size": StandIn(names=everybody),
        "astray": StandIn(names=everybody, astray=LAST, everywhere=("gen0-L",)),
        "unchecked": StandIn(names=everybody, checks=False),
        "pilot-hardly": Pilot(sizes=("XS",), trajectories=500, removed=0.97),
    }
    return Experiment(
        id="agents",
        title="The paper's agents on Bamboogle and BamTwoogle",
        tasks={"public": task, "labelled": replace(task, labels=True)},
        methods=methods,
        seeds=seeds,
        unit="question",
        minutes=2880.0,
        memory_gb=400.0,
        tf32="models are fine-tuned with float32 weights, which are rounded to bfloat16 after",
        only=frozenset(("labelled" if name == "star" else "public", name) for name in methods),
    )
