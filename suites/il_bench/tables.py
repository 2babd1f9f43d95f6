"""Tables of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from harness.claims import MEASURED, Place, Profile
from harness.suite import (
    Arm,
    Columns,
    Entry,
    PaperTable,
    ReportedRef,
    TableRow,
    arms,
    by_arm,
    by_column,
    headers,
)
from methods.il_bench.method import CALLS, EXECUTOR_CALLS, LEARNER_CALLS, MODULES, RULES, UNREADABLE
from suites.il_bench import cells
from suites.il_bench.arms import OPTIMISERS, PROGRAMS

EXECUTORS = arms(
    {
        "surrogate": "surrogate interpreter",
        "each-rule": "surrogate that errs in 2 % of the rules",
        "transformer": "small rule transformer (4 × 64)",
        "larger-transformer": "wider rule transformer (4 × 96)",
        "gemma": "Gemma-3-270M",
        "instruct": "instruction-tuned model",
        "served": "stronger served model",
        "served-weaker": "weaker served model",
    }
)
"""By task of the experiment on rule following."""

_MAIN_COLUMNS = {
    "d1": "depth 1",
    "d2": "depth 2",
    "d3": "depth 3",
    "calls": "calls an input",
    "learner": "learner requests",
    "executor": "executor calls",
    "unreadable": "unreadable",
    "paper": "paper",
}
_IN_PAPER = {"lsp", *(arm.method for arm in OPTIMISERS)}


def _accuracy(*places: Place) -> Sequence[TableRow]:
    """Accuracy by depth, and what the deepest task costs."""
    return [row for here in places for row in _accuracy_at(here)]


def _accuracy_at(here: Place) -> Sequence[TableRow]:
    runs = cells.RUNS[here]

    def entries(method: str) -> Mapping[str, Entry | None]:
        deepest = here.on(cells.tree(max(runs[method])))
        search = deepest.on(part="search")
        return {
            **{f"d{depth}": here(method, task=cells.tree(depth)) for depth in runs[method]},
            "calls": deepest(method, CALLS),
            "learner": search(method, LEARNER_CALLS),
            "executor": search(method, EXECUTOR_CALLS),
            "unreadable": search(method, UNREADABLE),
            "paper": ReportedRef("language") if method in _IN_PAPER else None,
        }

    return by_arm(cells.arms_of(runs), entries)


def _size(here: Place) -> Columns:
    """Modules and rules of the programs."""
    return {
        f"{key}-d{depth}": (f"{key}, depth {depth}", here.on(cells.tree(depth), part="search", metric=metric))
        for key, metric in (("modules", MODULES), ("rules", RULES))
        for depth in cells.DEEP
    }


def _sizes(here: Place) -> Sequence[TableRow]:
    return by_column(_without_group(arm for arm in PROGRAMS if arm.method in cells.RUNS[here]), _size(here))


def _without_group(listed: Iterable[Arm]) -> Sequence[Arm]:
    return [Arm(arm.method, arm.label) for arm in listed]


_TRANSFER = {
    "own": "own executor",
    "other": "the other one",
    "zero": "the other one, zero-shot",
    "proxy": "interpreter (proxy)",
    "paper": "paper",
}
_OTHER = ("other", "zero")


def _transferred(label: str, here: Place, *columns: str) -> Sequence[TableRow]:
    """Programs of a place under their own executor and under others."""

    def entries(there: Place) -> Mapping[str, Entry]:
        measured = {
            "own": there("lsp"),
            "other": there("lsp", part="transfer"),
            "zero": there("zero-shot", part="transfer"),
            "proxy": there("lsp", part="proxy"),
        }
        paper = ReportedRef("transfer" if "other" in columns else "humans")
        return {**{key: measured[key] for key in ("own", *columns)}, "paper": paper}

    return [
        TableRow(label=f"{label}, depth {depth}", entries=entries(here.on(cells.tree(depth))))
        for depth in cells.RUNS[here]["lsp"]
    ]


def _by_task(here: Place, tasks: Mapping[str, str]) -> Columns:
    """A column a task."""
    return {task: (label, here.on(task)) for task, label in tasks.items()}


TABLES = (
    PaperTable(
        id="main",
        title="Accuracy on hidden trees, and what the search on the deepest asks",
        columns=_MAIN_COLUMNS,
        rows=_accuracy(*cells.MAIN),
        source="main table, language tasks",
    ),
    PaperTable(
        id="search",
        title="Programs grown in different ways (surrogates)",
        columns={key: text for key, text in _MAIN_COLUMNS.items() if key != "d1"},
        rows=_accuracy(cells.SEARCHES),
        source="ablation studies",
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="neural",
        title="Accuracy on hidden trees with a small transformer that follows the rules",
        columns=_MAIN_COLUMNS,
        rows=_accuracy(cells.NEURAL),
        source="main table, language tasks",
    ),
    PaperTable(
        id="second",
        title="Accuracy on hidden trees with a second executor",
        columns=_MAIN_COLUMNS,
        rows=_accuracy(cells.LARGER, cells.INSTRUCT, cells.SERVED_WEAKER),
        source="main table, language tasks",
    ),
    PaperTable.of(
        EXECUTORS,
        {str(rules): (str(rules), partial(cells.followed, rules=rules)) for rules in cells.COUNTS},
        id="following",
        title="Share of inputs that get the label that a list of rules gives, by its rules",
    ),
    PaperTable.of(
        cells.arms_of(cells.IN_LIMITS),
        _by_task(
            cells.LIMITS,
            {"exact": "no errors", "noisy": "10 % of the calls err", "each-rule": "2 % for each rule"},
        ),
        id="limits",
        title="Trees of depth 3 under other limits of the surrogates",
    ),
    PaperTable.of(
        cells.arms_of(cells.ON_OTHER_TASKS),
        _by_task(
            cells.OTHER_TASKS,
            {
                "waveform": "Waveform",
                "wine": "wine",
                "breast-cancer": "breast cancer",
                "digits": "digits 3, 8, 9",
            },
        ),
        id="tasks",
        title="Accuracy on the tasks that are no hidden trees, by surrogates",
    ),
    PaperTable(
        id="transfer",
        title="Programs of one executor run by another",
        columns=_TRANSFER,
        rows=(
            *_transferred("small → wider transformer", cells.NEURAL, *_OTHER, "proxy"),
            *_transferred("wider → small transformer", cells.LARGER, *_OTHER),
            *_transferred("surrogates", cells.SURROGATE, "proxy"),
            *_transferred("Gemma-3-270M → instruction-tuned", cells.GEMMA, *_OTHER),
            *_transferred("instruction-tuned → Gemma-3-270M", cells.INSTRUCT, *_OTHER),
            *_transferred("weaker → stronger", cells.SERVED_WEAKER, *_OTHER),
            *_transferred("stronger → weaker", cells.SERVED, *_OTHER),
        ),
        source="table on transfer",
    ),
    PaperTable.of(
        _without_group(cells.arms_of(cells.RUNS[cells.SHIFTED])),
        {
            "test": ("no shift", cells.SHIFTED),
            **{part: (shift, cells.SHIFTED.on(part=part)) for part, shift in cells.SHIFTS.items()},
            "paper": ("paper", lambda method: ReportedRef("shift") if method == "lsp" else None),
        },
        id="shift",
        title="Accuracy under shifts, on trees of depth 2",
        source="figure on shifted inputs",
    ),
    PaperTable(
        id="size",
        title="Modules and rules of the programs",
        columns=headers(_size(cells.SEARCHES)),
        rows=(*_sizes(cells.SEARCHES), *_sizes(cells.GEMMA), *_sizes(cells.SERVED)),
        source="table on program size",
        profiles=MEASURED,
    ),
)
