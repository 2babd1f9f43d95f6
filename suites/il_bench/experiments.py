"""What runs under each profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Task
from harness.suite import Experiment, Scale, on_cpu
from methods.il_bench.expressive import Representation, WithoutSwitch, WriteProgram
from methods.il_bench.following import Follow, RuleFollowing
from methods.il_bench.models import NeuralReader, Speaker, SurrogateInterpreter
from methods.il_bench.prepare import RuleFollower
from methods.il_bench.task import DigitsTask, SynTreeTask, TableTask, WaveformTask
from suites.il_bench.arms import Methods, Sizes, classical, embedded, instructions, programs, some
from suites.il_bench.cells import DEEP, DEPTHS, ERRING, LONG, POOLED, SABOTAGED, SIZES, tree
from suites.il_bench.rules import SINGLES

Tasks = Mapping[str, Task[Any, Any]]

SMALL_READER = NeuralReader(follower=RuleFollower())
LARGE_READER = NeuralReader(follower=RuleFollower(hidden=96, tokens=3072))
"""The executors of the neural experiments."""
_ASKED: dict[str, Any] = {"train": 150, "validation": 30, "test": 200, "options": True}
"""Sizes of the tasks that they are asked, choosing among the labels."""
READERS = {
    "surrogate": (SurrogateInterpreter(), False),
    "each-rule": (SurrogateInterpreter(error=0.0, per_rule=0.02), False),
    "transformer": (SMALL_READER, True),
    "larger-transformer": (LARGE_READER, True),
}
"""Executors whose rule following is measured, and whether they choose among the labels."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a scale."""
    if scale.profile is Profile.SMOKE:
        return (_smoke(), _expressive(1))
    if scale.profile is Profile.SMALL:
        return (
            *_neural(scale),
            _shifted(scale),
            untaught(syntrees(reader=SMALL_READER, **_ASKED), Sizes(), 24),
            _surrogate(scale),
            _search(scale),
            _tables(scale),
            _limits(scale),
            following(READERS, 5),
            _expressive(4),
        )
    from suites.il_bench.large import large_experiments

    return (*large_experiments(scale), *on_cpu([_expressive(4)]))


def seeds(count: int) -> tuple[int, ...]:
    """The first seeds of the verdict."""
    # Parts of seeds 100 to 119 were seen while settings changed.
    return tuple(range(200, 200 + count))


def syntrees(**changes: Any) -> dict[str, SynTreeTask]:
    """A task for each depth."""
    return {
        tree(depth): SynTreeTask(depth=depth, variables=variables, labels=labels, **changes)
        for depth, (variables, labels) in SIZES.items()
    }


def erring(task: SynTreeTask) -> SynTreeTask:
    """The task with another executor that errs often: a sabotage of transfer."""
    return replace(task, other=SurrogateInterpreter(error=0.3))


def only(tasks: Tasks, methods: Methods, few: Mapping[str, Sequence[str]]) -> frozenset[tuple[str, str]]:
    """All pairs, except that some methods run on some of the tasks; few run with an erring executor."""
    return frozenset(
        (task, method)
        for task in tasks
        for method in methods
        if (method in ("lsp", "zero-shot") if task == ERRING else task in few.get(method, tuple(tasks)))
    )


def _surrogate(scale: Scale) -> Experiment:
    """Programs among everything else, at the card's sizes: learner and executor are surrogates."""
    sizes = Sizes()
    methods = {
        **instructions(sizes),
        **some(programs(sizes), ("lsp", "lsp-one", "lsp-shuffled")),
        **classical(),
    }
    tasks = syntrees(proxy=True)
    deep = tuple(tree(depth) for depth in DEEP)
    few = dict.fromkeys((*LONG.values(), *POOLED, "long-24-all"), deep)
    return Experiment(
        id="surrogate",
        title="Hidden trees of rising depth; surrogates write and follow the rules",
        tasks=tasks,
        methods=methods,
        seeds=seeds(20 if scale.full else 8),
        unit="input",
        only=only(tasks, methods, few),
    )


def _search(scale: Scale) -> Experiment:
    """Programs grown in different ways, with the same surrogates, on more seeds."""
    tasks = syntrees(proxy=True, drawn=True)
    return Experiment(
        id="search",
        title="Programs grown in different ways; surrogates write and follow the rules",
        tasks={tree(depth): tasks[tree(depth)] for depth in DEEP},
        methods=programs(Sizes()),
        seeds=seeds(20 if scale.full else 16),
        unit="input",
    )


def _neural(scale: Scale) -> tuple[Experiment, Experiment]:
    """Smaller sets, followed by transformers that were trained to follow rules."""
    sizes = Sizes()
    names = ("zero-shot", *SINGLES, "lsp", *[name for name in SABOTAGED if name != "lsp-backwards"])
    methods = some({**instructions(sizes), **programs(sizes)}, names)
    small = syntrees(reader=SMALL_READER, other=LARGE_READER, proxy=True, drawn=True, **_ASKED)
    small[ERRING] = erring(small[tree(2)])
    large = SynTreeTask(reader=LARGE_READER, other=SMALL_READER, **_ASKED)
    wide = {tree(2): large, ERRING: erring(large)}
    few = some(methods, ("zero-shot", "best-of", "long-12", "lsp", "lsp-shuffled"))
    shallow = {name: [tree(2), tree(3)] for name in SABOTAGED}
    return (
        Experiment(
            id="neural",
            title="Hidden trees of rising depth; a small transformer follows the rules",
            tasks=small,
            methods=methods,
            seeds=seeds(12 if scale.full else 10),
            unit="input",
            only=only(small, methods, shallow),
        ),
        Experiment(
            id="larger",
            title="The same with a wider transformer, which is no better trained",
            tasks=wide,
            methods=few,
            seeds=seeds(12 if scale.full else 10),
            unit="input",
            only=only(wide, few, {}),
        ),
    )


def shifted(
    reader: Speaker, count: int, sizes: Sizes, *, minutes: float = 10.0, **changes: Any
) -> Experiment:
    """Shifted test sets, for programs and for learners that compare with examples."""
    task = SynTreeTask(reader=reader, shifted=True, **changes)
    found = {**instructions(sizes), **programs(sizes), **classical(), **embedded()}
    names = ("best-of", "lsp", "majority", "cart", "knn", "logistic", "minilm-knn")
    return Experiment(
        id="shifted",
        title="Shifted test sets, on trees of depth 2",
        tasks={tree(2): task},
        methods=some(found, names),
        seeds=seeds(count),
        unit="input",
        minutes=minutes,
    )


def _shifted(scale: Scale) -> Experiment:
    asked = _ASKED | {"test": 100}
    return shifted(SMALL_READER, 12 if scale.full else 6, Sizes(), **asked)


def _tables(scale: Scale) -> Experiment:
    """The tasks that are no hidden trees, with surrogates."""
    sizes = Sizes()
    names = ("zero-shot", "in-context", "best-of", "ape", "opro", "protegi", "long-24", "lsp")
    methods = {**some({**instructions(sizes), **programs(sizes)}, names), **classical()}
    return Experiment(
        id="tables",
        title="Waveform, tables and digits in symbols; surrogates write and follow the rules",
        tasks={
            "waveform": WaveformTask(),
            "wine": TableTask(table="wine"),
            "breast-cancer": TableTask(table="breast cancer", train=300, validation=50),
            "digits": DigitsTask(),
        },
        methods=methods,
        seeds=seeds(10 if scale.full else 5),
        unit="input",
    )


def _limits(scale: Scale) -> Experiment:
    """What the surrogates' declared limits do to the comparison, on trees of depth 3."""
    sizes = Sizes()
    deepest = syntrees()[tree(max(DEPTHS))]
    errors = {
        "exact": SurrogateInterpreter(error=0.0),
        "noisy": SurrogateInterpreter(error=0.1),
        "each-rule": SurrogateInterpreter(error=0.0, per_rule=0.02),
    }
    names = ("best-of", "long-24", "long-24-all", "lsp", "lsp-random")
    return Experiment(
        id="limits",
        title="Trees of depth 3 under other limits of the surrogates",
        tasks={name: replace(deepest, reader=reader) for name, reader in errors.items()},
        methods=some({**instructions(sizes), **programs(sizes)}, names),
        seeds=seeds(12 if scale.full else 5),
        unit="input",
    )


def untaught(tasks: dict[str, SynTreeTask], sizes: Sizes, count: int, *, minutes: float = 10.0) -> Experiment:
    """The question without examples, and programs to show that the executor can follow something."""
    return Experiment(
        id="untaught",
        title="Hidden trees without an example",
        tasks=tasks,
        methods=some({**instructions(sizes), **programs(sizes)}, ("zero-shot", "lsp")),
        seeds=seeds(count),
        unit="input",
        minutes=minutes,
    )


def following(readers: Mapping[str, tuple[Speaker, bool]], count: int) -> Experiment:
    """How well executors follow lists of rules, by their length.

    Args:
        readers: By task id: an executor, and whether it chooses among the labels.
        count: Seeds.
    """
    return Experiment(
        id="following",
        title="How well executors follow lists of rules that describe a hidden tree",
        tasks={
            name: RuleFollowing(reader=reader, options=options) for name, (reader, options) in readers.items()
        },
        methods={"follow": Follow()},
        seeds=seeds(count),
        unit="list and input",
    )


def _expressive(count: int) -> Experiment:
    return Experiment(
        id="expressive",
        title="Hidden trees written as programs of short modules",
        tasks={"trees": Representation(trees=count)},
        methods={"written": WriteProgram(), "one-module": WithoutSwitch()},
        seeds=seeds(5),
        unit="tree",
    )


def _smoke() -> Experiment:
    sizes = Sizes(expansions=4, proposals=2, batch=20)
    found = {**instructions(sizes), **programs(sizes), **classical()}
    names = ("zero-shot", "best-of", "ape", "long-24", "lsp", "lsp-backwards", "majority", "cart")
    task = SynTreeTask(train=60, validation=20, test=60, budget=sizes.budget, proxy=True, drawn=True)
    return Experiment(
        id="search",
        title="Hidden trees of depth 2; surrogates write and follow the rules",
        tasks={tree(2): task},
        methods=some(found, names),
        seeds=seeds(2),
        unit="input",
    )
