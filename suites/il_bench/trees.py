"""Experiments that several profiles have: hidden trees, and how well executors follow rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.claims import Place
from harness.suite import Experiment, FirstSeed
from methods.il_bench.following import Follow, RuleFollowing
from methods.il_bench.models import Speaker
from methods.il_bench.sabotage import ErringStranger
from methods.il_bench.task import SynTreeTask
from suites.il_bench.arms import Sizes, chosen
from suites.il_bench.cells import ERRING, FOLLOWING, QUESTIONED, RUNS, SHIFTED, SIZES, TRANSFERS, tree

FIRST = FirstSeed(200, "Parts of the seeds 100 to 119 were seen while settings changed.")


def on_trees(
    here: Place, title: str, sizes: Sizes, count: int, *, minutes: float = 10.0, **changes: Any
) -> Experiment:
    """The methods of a place, each on the depths that it runs on.

    Args:
        here: The place.
        title: What the experiment shows.
        sizes: Sizes of the searches.
        count: Seeds.
        minutes: Hard limit of a trial.
        changes: Parameters of the tasks, among them ``other``, who else runs the programs. Where claims on
            that are decided, a task joins them whose other executor errs.
    """
    runs = RUNS[here]
    pairs = {(tree(depth), method) for method, depths in runs.items() for depth in depths}
    tasks = {tree(depth): syntree(depth, **changes) for depth in SIZES if (tree(depth), "lsp") in pairs}
    if here in TRANSFERS:
        tasks[ERRING] = ErringStranger.of(tasks[tree(2)])
        pairs |= {(ERRING, "lsp"), (ERRING, "zero-shot")}
    return Experiment(
        id=here.experiment,
        title=title,
        tasks=tasks,
        methods=chosen(runs, sizes),
        seeds=FIRST.take(count),
        unit="input",
        minutes=minutes,
        only=frozenset(pairs),
    )


def syntree(depth: int, **changes: Any) -> SynTreeTask:
    """Hidden trees of one depth."""
    variables, labels = SIZES[depth]
    return SynTreeTask(depth=depth, variables=variables, labels=labels, **changes)


def shifted(
    reader: Speaker, sizes: Sizes, count: int, *, minutes: float = 10.0, **changes: Any
) -> Experiment:
    """Shifted test sets, for programs and for learners that compare with examples."""
    title = "Shifted test sets, on trees of depth 2"
    return on_trees(SHIFTED, title, sizes, count, minutes=minutes, reader=reader, shifted=True, **changes)


def untaught(
    reader: Speaker, sizes: Sizes, count: int, *, minutes: float = 10.0, **changes: Any
) -> Experiment:
    """The question without examples, and programs to show that the executor can follow something."""
    title = "Hidden trees without an example"
    return on_trees(QUESTIONED, title, sizes, count, minutes=minutes, reader=reader, **changes)


def following(readers: Mapping[str, tuple[Speaker, bool]], *, minutes: float = 10.0) -> Experiment:
    """How well executors follow lists of rules, by their length.

    Args:
        readers: By task id: an executor, and whether it chooses among the labels.
        minutes: Hard limit of a trial.
    """
    return Experiment(
        id=FOLLOWING.experiment,
        title="How well executors follow lists of rules that describe a hidden tree",
        tasks={
            name: RuleFollowing(reader=reader, options=options) for name, (reader, options) in readers.items()
        },
        methods={"follow": Follow()},
        seeds=FIRST.take(5),
        unit="list and input",
        minutes=minutes,
    )
