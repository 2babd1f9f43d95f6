"""What runs under each profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.claims import Profile
from harness.suite import Experiment, Scale, on_cpu
from methods.il_bench.expressive import Representation, WriteProgram
from methods.il_bench.models import NeuralReader, SurrogateInterpreter
from methods.il_bench.prepare import RuleFollower
from methods.il_bench.task import DigitsTask, SynTreeTask, TableTask, WaveformTask
from suites.il_bench import cells
from suites.il_bench.arms import Sizes, chosen
from suites.il_bench.large import local, served
from suites.il_bench.trees import FIRST, following, on_trees, shifted, syntree

_SMALL_READER = NeuralReader(follower=RuleFollower())
_LARGE_READER = NeuralReader(follower=RuleFollower(hidden=96, tokens=3072))
"""The executors of the neural experiments."""
_ASKED: dict[str, Any] = {"train": 150, "validation": 30, "test": 200, "options": True}
"""Sizes of the tasks that they are asked, choosing among the labels."""
_EACH_RULE = SurrogateInterpreter(error=0.0, per_rule=0.02)


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a scale."""
    match scale.profile:
        case Profile.SMOKE:
            return (_smoke(), _expressive(1))
        case Profile.SMALL:
            return (*_small(full=scale.full), _expressive(4))
        case Profile.GPU:
            return (*local(full=scale.full), *on_cpu([_expressive(4)]))
        case Profile.PAPER:
            # The models run elsewhere.
            return on_cpu([*served(full=scale.full), _expressive(4)])


def _smoke() -> Experiment:
    sizes = Sizes(expansions=4, proposals=2, batch=20)
    names = ("zero-shot", "best-of", "ape", "long-24", "lsp", "lsp-fewest", "majority", "cart")
    task = SynTreeTask(train=60, validation=20, test=60, budget=sizes.budget, proxy=True, drawn=True)
    return Experiment(
        id=cells.SEARCHES.experiment,
        title="Hidden trees of depth 2; surrogates write and follow the rules",
        tasks={cells.tree(2): task},
        methods=chosen(names, sizes),
        seeds=FIRST.take(2),
        unit="input",
    )


def _small(*, full: bool) -> Sequence[Experiment]:
    readers = {
        "surrogate": (SurrogateInterpreter(), False),
        "each-rule": (_EACH_RULE, False),
        "transformer": (_SMALL_READER, True),
        "larger-transformer": (_LARGE_READER, True),
    }
    return (
        # Under `small` nothing is decided with transformers of ours: they are shown.
        *_neural(12 if full else 6),
        shifted(_SMALL_READER, Sizes(), 12 if full else 6, **_ASKED | {"test": 100}),
        on_trees(
            cells.SURROGATE,
            "Hidden trees of rising depth; surrogates write and follow the rules",
            Sizes(),
            20 if full else 8,
            proxy=True,
        ),
        on_trees(
            cells.SEARCHES,
            "Programs grown in different ways; surrogates write and follow the rules",
            Sizes(),
            20 if full else 16,
            proxy=True,
            drawn=True,
        ),
        _other_tasks(20 if full else 10),
        _limits(12 if full else 5),
        following(readers),
    )


def _neural(count: int) -> tuple[Experiment, Experiment]:
    """Smaller sets, followed by transformers that were trained to follow rules."""
    return (
        on_trees(
            cells.NEURAL,
            "Hidden trees of rising depth; a small transformer follows the rules",
            Sizes(),
            count,
            reader=_SMALL_READER,
            other=_LARGE_READER,
            proxy=True,
            drawn=True,
            **_ASKED,
        ),
        on_trees(
            cells.LARGER,
            "The same with a wider transformer, which is no better trained",
            Sizes(),
            count,
            reader=_LARGE_READER,
            other=_SMALL_READER,
            **_ASKED,
        ),
    )


def _other_tasks(count: int) -> Experiment:
    """The tasks that are no hidden trees, with surrogates."""
    return Experiment(
        id=cells.OTHER_TASKS.experiment,
        title="Waveform, tables and digits in symbols; surrogates write and follow the rules",
        tasks={
            "waveform": WaveformTask(),
            "wine": TableTask(table="wine"),
            "breast-cancer": TableTask(table="breast cancer", train=300, validation=50),
            "digits": DigitsTask(),
        },
        methods=chosen(cells.ON_OTHER_TASKS, Sizes()),
        seeds=FIRST.take(count),
        unit="input",
    )


def _limits(count: int) -> Experiment:
    """What the surrogates' declared limits do to the comparison, on trees of depth 3."""
    readers = {
        "exact": SurrogateInterpreter(error=0.0),
        "noisy": SurrogateInterpreter(error=0.1),
        "each-rule": _EACH_RULE,
    }
    return Experiment(
        id=cells.LIMITS.experiment,
        title="Trees of depth 3 under other limits of the surrogates",
        tasks={name: syntree(max(cells.DEPTHS), reader=reader) for name, reader in readers.items()},
        methods=chosen(cells.IN_LIMITS, Sizes()),
        seeds=FIRST.take(count),
        unit="input",
    )


def _expressive(count: int) -> Experiment:
    return Experiment(
        id=cells.EXPRESSIVE.experiment,
        title="Hidden trees written as programs of short modules",
        tasks={"trees": Representation(trees=count)},
        methods={"written": WriteProgram()},
        seeds=FIRST.take(5),
        unit="tree",
    )
