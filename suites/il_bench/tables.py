"""Tables of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.claims import MEASURED, Place, Profile
from harness.suite import Arm, Entry, PaperTable, ReportedRef, TableRow, arms, by_arm
from methods.il_bench.method import CALLS, EXECUTOR_CALLS, LEARNER_CALLS, MODULES, RULES, UNREADABLE
from suites.il_bench.arms import OPTIMISERS, PROGRAMS
from suites.il_bench.cells import (
    COUNTS,
    DEEP,
    GEMMA,
    IN_LIMITS,
    INSTRUCT,
    LARGER,
    LIMITS,
    MAIN,
    NEURAL,
    ON_OTHER_TASKS,
    OTHER_TASKS,
    RUNS,
    SEARCHES,
    SERVED,
    SERVED_WEAKER,
    SHIFTED,
    SHIFTS,
    SURROGATE,
    arms_of,
    followed,
    tree,
)

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
    runs = RUNS[here]

    def entries(method: str) -> Mapping[str, Entry | None]:
        deepest = here.on(tree(max(runs[method])))
        search = deepest.on(part="search")
        return {
            **{f"d{depth}": here(method, task=tree(depth)) for depth in runs[method]},
            "calls": deepest(method, CALLS),
            "learner": search(method, LEARNER_CALLS),
            "executor": search(method, EXECUTOR_CALLS),
            "unreadable": search(method, UNREADABLE),
            "paper": ReportedRef("language") if method in _IN_PAPER else None,
        }

    return by_arm(arms_of(runs), entries)


def _sizes(here: Place) -> Sequence[TableRow]:
    """Modules and rules of the programs."""

    def entries(method: str) -> Mapping[str, Entry]:
        return {
            f"{key}-d{depth}": here(method, metric, task=tree(depth), part="search")
            for key, metric in (("modules", MODULES), ("rules", RULES))
            for depth in DEEP
        }

    return by_arm(_without_group(arm for arm in PROGRAMS if arm.method in RUNS[here]), entries)


def _shifts(method: str) -> Mapping[str, Entry | None]:
    return {
        "test": SHIFTED(method),
        **{part: SHIFTED(method, part=part) for part in SHIFTS},
        "paper": ReportedRef("shift") if method == "lsp" else None,
    }


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
        TableRow(label=f"{label}, depth {depth}", entries=entries(here.on(tree(depth))))
        for depth in RUNS[here]["lsp"]
    ]


_OTHER_TASKS = {
    "waveform": "Waveform",
    "wine": "wine",
    "breast-cancer": "breast cancer",
    "digits": "digits 3, 8, 9",
}
_LIMITS = {
    "exact": "no errors",
    "noisy": "10 % of the calls err",
    "each-rule": "2 % for each rule",
}


def _by_task(here: Place, methods: Sequence[str], tasks: Mapping[str, str]) -> Sequence[TableRow]:
    return by_arm(arms_of(methods), lambda method: {task: here(method, task=task) for task in tasks})


TABLES = (
    PaperTable(
        id="main",
        title="Accuracy on hidden trees, and what the search on the deepest asks",
        columns=_MAIN_COLUMNS,
        rows=_accuracy(*MAIN),
        source="main table, language tasks",
        profiles=MEASURED,
    ),
    PaperTable(
        id="search",
        title="Programs grown in different ways (surrogates)",
        columns={key: text for key, text in _MAIN_COLUMNS.items() if key != "d1"},
        rows=_accuracy(SEARCHES),
        source="ablation studies",
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="neural",
        title="The same with a small transformer that follows the rules",
        columns=_MAIN_COLUMNS,
        rows=_accuracy(NEURAL),
        source="main table, language tasks",
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="second",
        title="The same with a second executor",
        columns=_MAIN_COLUMNS,
        rows=_accuracy(LARGER, INSTRUCT, SERVED_WEAKER),
        source="main table, language tasks",
        profiles=MEASURED,
    ),
    PaperTable(
        id="following",
        title="Share of inputs that get the label that a list of rules gives, by its rules",
        columns={str(rules): str(rules) for rules in COUNTS},
        rows=by_arm(EXECUTORS, lambda task: {str(rules): followed(task, rules) for rules in COUNTS}),
        profiles=MEASURED,
    ),
    PaperTable(
        id="limits",
        title="Trees of depth 3 under other limits of the surrogates",
        columns=_LIMITS,
        rows=_by_task(LIMITS, IN_LIMITS, _LIMITS),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="tasks",
        title="Accuracy on the tasks that are no hidden trees, by surrogates",
        columns=_OTHER_TASKS,
        rows=_by_task(OTHER_TASKS, ON_OTHER_TASKS, _OTHER_TASKS),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="transfer",
        title="Programs of one executor run by another",
        columns=_TRANSFER,
        rows=(
            *_transferred("small → wider transformer", NEURAL, *_OTHER, "proxy"),
            *_transferred("wider → small transformer", LARGER, *_OTHER),
            *_transferred("surrogates", SURROGATE, "proxy"),
            *_transferred("Gemma-3-270M → instruction-tuned", GEMMA, *_OTHER),
            *_transferred("instruction-tuned → Gemma-3-270M", INSTRUCT, *_OTHER),
            *_transferred("weaker → stronger", SERVED_WEAKER, *_OTHER),
            *_transferred("stronger → weaker", SERVED, *_OTHER),
        ),
        source="table on transfer",
        profiles=MEASURED,
    ),
    PaperTable(
        id="shift",
        title="Accuracy under shifts, on trees of depth 2",
        columns={"test": "no shift", **SHIFTS, "paper": "paper"},
        rows=by_arm(_without_group(arms_of(RUNS[SHIFTED])), _shifts),
        source="figure on shifted inputs",
        profiles=MEASURED,
    ),
    PaperTable(
        id="size",
        title="Modules and rules of the programs",
        columns={
            f"{key}-d{depth}": f"{key}, depth {depth}" for key in ("modules", "rules") for depth in DEEP
        },
        rows=(*_sizes(SEARCHES), *_sizes(GEMMA), *_sizes(SERVED)),
        source="table on program size",
        profiles=MEASURED,
    ),
)
