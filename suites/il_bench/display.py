"""Tables of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.method import Metric
from harness.suite import PaperTable, ReportedRef, Scale, TableRow
from methods.il_bench.method import (
    ACCURACY,
    CALLS,
    EXECUTOR_CALLS,
    LEARNER_CALLS,
    MODULES,
    RULES,
    UNREADABLE,
)
from suites.il_bench.cells import (
    CLASSICAL,
    COUNTS,
    DEEP,
    DEPTHS,
    EMBEDDED,
    GEMMA,
    INSTRUCT,
    LABELS,
    LARGER,
    LONG,
    NEURAL,
    OPTIMISERS,
    POOLED,
    PROGRAMS,
    SABOTAGED,
    SEARCHES,
    SERVED,
    SERVED_WEAKER,
    SHIFTED,
    SHIFTS,
    SURROGATE,
    UNTAUGHT,
    Place,
    followed,
    tree,
)
from suites.il_bench.experiments import experiments

Entries = dict[str, Cell | Contrast | ReportedRef]

_MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_SMALL = (Profile.SMALL,)
_GROUPS: dict[str, Mapping[str, str]] = {
    "without learning": UNTAUGHT | {"reasoning": LABELS["reasoning"]},
    "one instruction of three rules": OPTIMISERS,
    "one instruction of more rules": {name: LABELS[name] for name in (*LONG.values(), "long-24-all")},
    "several instructions": POOLED,
    "programs": PROGRAMS,
    "sabotaged programs": SABOTAGED,
    "asking nobody": CLASSICAL | EMBEDDED,
}
EXECUTORS = {
    "surrogate": "surrogate interpreter",
    "each-rule": "surrogate that errs in 2 % of the rules",
    "transformer": "small rule transformer (4 × 64)",
    "larger-transformer": "wider rule transformer (4 × 96)",
    "gemma": "Gemma-3-270M",
    "instruct": "instruction-tuned model",
    "served": "stronger served model",
    "served-weaker": "weaker served model",
}
"""By task of the experiment on rule following."""


class Planned:
    """What a scale runs, so that displays ask for nothing else."""

    def __init__(self, scale: Scale) -> None:
        self._experiments = {one.id: one for one in experiments(scale)}

    def runs(self, experiment: str, task: str, method: str) -> bool:
        """Whether a pair is planned."""
        found = self._experiments.get(experiment)
        if found is None or task not in found.tasks or method not in found.methods:
            return False
        return found.only is None or (task, method) in found.only

    def cells(self, place: Place, method: str, part: str, metric: Metric) -> dict[str, Cell]:
        """A metric on trees of each depth that is planned, by ``d1`` to ``d3``."""
        return {
            f"d{depth}": place.of(method, depth, part, metric)
            for depth in DEPTHS
            if self.runs(place.experiment, tree(depth), method)
        }

    def tasks(self, experiment: str) -> tuple[str, ...]:
        """The tasks of an experiment; none if it is not planned."""
        found = self._experiments.get(experiment)
        return () if found is None else tuple(found.tasks)


def main_place(scale: Scale) -> Place:
    """Where the largest number of methods is compared."""
    return {Profile.GPU: GEMMA, Profile.PAPER: SERVED}.get(scale.profile, SURROGATE)


def search_place(scale: Scale) -> Place:
    """Where programs grown in different ways are compared."""
    place = main_place(scale)
    return SEARCHES if place is SURROGATE else place


def _rows(scale: Scale, place: Place, deepest: int = 3) -> Sequence[TableRow]:
    """Accuracy by depth, and what the deepest task costs."""
    planned, found = Planned(scale), []
    for group, methods in _GROUPS.items():
        for method, label in methods.items():
            entries: Entries = {**planned.cells(place, method, "test", ACCURACY)}
            if not entries:
                continue
            if f"d{deepest}" in entries:
                entries["calls"] = place.of(method, deepest, "test", CALLS)
                entries["learner"] = place.of(method, deepest, "search", LEARNER_CALLS)
                entries["executor"] = place.of(method, deepest, "search", EXECUTOR_CALLS)
                entries["unreadable"] = place.of(method, deepest, "search", UNREADABLE)
            if method == "lsp" or method in OPTIMISERS:
                entries["paper"] = ReportedRef(id="language")
            found.append(TableRow(label=label, entries=entries, group=group))
    return found


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


def _main_rows(scale: Scale) -> Sequence[TableRow]:
    return _rows(scale, main_place(scale))


def _search_rows(scale: Scale) -> Sequence[TableRow]:
    return _rows(scale, SEARCHES)


def _neural_rows(scale: Scale) -> Sequence[TableRow]:
    return _rows(scale, NEURAL)


def _larger_rows(scale: Scale) -> Sequence[TableRow]:
    places = {Profile.GPU: INSTRUCT, Profile.PAPER: SERVED_WEAKER}
    deepest = 3 if scale.profile is Profile.PAPER else 2
    return _rows(scale, places.get(scale.profile, LARGER), deepest)


def _size_rows(scale: Scale) -> Sequence[TableRow]:
    """Modules and rules of the programs."""
    planned, place, found = Planned(scale), search_place(scale), []
    for method, label in PROGRAMS.items():
        entries: Entries = {}
        for column, metric in (("modules", MODULES), ("rules", RULES)):
            cells = planned.cells(place, method, "search", metric)
            entries |= {f"{column}-{key}": cell for key, cell in cells.items() if key != "d1"}
        if entries:
            found.append(TableRow(label=label, entries=entries))
    return found


_TRANSFER = {
    "own": "own executor",
    "other": "the other one",
    "zero": "the other one, zero-shot",
    "proxy": "interpreter (proxy)",
    "paper": "paper",
}


def _transfer_rows(scale: Scale) -> Sequence[TableRow]:
    planned, found = Planned(scale), []
    places = {
        Profile.GPU: {
            "Gemma-3-270M → instruction-tuned": GEMMA,
            "instruction-tuned → Gemma-3-270M": INSTRUCT,
        },
        Profile.PAPER: {"weaker → stronger": SERVED_WEAKER, "stronger → weaker": SERVED},
    }.get(scale.profile, {"small → wider transformer": NEURAL, "wider → small transformer": LARGER})
    for label, place in places.items():
        for depth in DEPTHS:
            if not planned.runs(place.experiment, tree(depth), "lsp"):
                continue
            entries: Entries = {
                "own": place.of("lsp", depth),
                "other": place.of("lsp", depth, "transfer"),
                "zero": place.of("zero-shot", depth, "transfer"),
                "paper": ReportedRef(id="transfer"),
            }
            if place is NEURAL:
                entries["proxy"] = place.of("lsp", depth, "proxy")
            found.append(TableRow(label=f"{label}, depth {depth}", entries=entries))
    if scale.profile is Profile.SMALL:
        found += [
            TableRow(
                label=f"surrogates, depth {depth}",
                entries={
                    "own": SURROGATE.of("lsp", depth),
                    "proxy": SURROGATE.of("lsp", depth, "proxy"),
                    "paper": ReportedRef(id="humans"),
                },
            )
            for depth in DEPTHS
        ]
    return found


def _shift_rows(scale: Scale) -> Sequence[TableRow]:
    planned, found = Planned(scale), []
    for methods in _GROUPS.values():
        for method, label in methods.items():
            if not planned.runs("shifted", tree(2), method):
                continue
            entries: Entries = {"test": SHIFTED.of(method, 2)}
            entries |= {part: SHIFTED.of(method, 2, part) for part in SHIFTS}
            if method == "lsp":
                entries["paper"] = ReportedRef(id="shift")
            found.append(TableRow(label=label, entries=entries))
    return found


def _following_rows(scale: Scale) -> Sequence[TableRow]:
    return [
        TableRow(label=EXECUTORS[task], entries={str(rules): followed(task, rules) for rules in COUNTS})
        for task in Planned(scale).tasks("following")
    ]


_TABLES = {
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


def _other_rows(scale: Scale, experiment: str, columns: Mapping[str, str]) -> Sequence[TableRow]:
    planned, found = Planned(scale), []
    for group, methods in _GROUPS.items():
        for method, label in methods.items():
            entries: Entries = {
                task: Cell(experiment, method, ACCURACY, task=task, part="test")
                for task in columns
                if planned.runs(experiment, task, method)
            }
            if entries:
                found.append(TableRow(label=label, entries=entries, group=group))
    return found


def _table_rows(scale: Scale) -> Sequence[TableRow]:
    return _other_rows(scale, "tables", _TABLES)


def _limit_rows(scale: Scale) -> Sequence[TableRow]:
    return _other_rows(scale, "limits", _LIMITS)


TABLES = (
    PaperTable(
        id="main",
        title="Accuracy on hidden trees, and what the search on the deepest asks",
        columns=_MAIN_COLUMNS,
        rows=_main_rows,
        source="main table, language tasks",
        profiles=_MEASURED,
    ),
    PaperTable(
        id="search",
        title="Programs grown in different ways (surrogates)",
        columns={key: text for key, text in _MAIN_COLUMNS.items() if key != "d1"},
        rows=_search_rows,
        source="ablation studies",
        profiles=_SMALL,
    ),
    PaperTable(
        id="neural",
        title="The same with a small transformer that follows the rules",
        columns=_MAIN_COLUMNS,
        rows=_neural_rows,
        source="main table, language tasks",
        profiles=_SMALL,
    ),
    PaperTable(
        id="second",
        title="The same with a second executor",
        columns=_MAIN_COLUMNS,
        rows=_larger_rows,
        source="main table, language tasks",
        profiles=_MEASURED,
    ),
    PaperTable(
        id="following",
        title="Share of inputs that get the label that a list of rules gives, by its rules",
        columns={str(rules): str(rules) for rules in COUNTS},
        rows=_following_rows,
        profiles=_MEASURED,
    ),
    PaperTable(
        id="limits",
        title="Trees of depth 3 under other limits of the surrogates",
        columns=_LIMITS,
        rows=_limit_rows,
        profiles=_SMALL,
    ),
    PaperTable(
        id="tasks",
        title="Accuracy on the tasks that are no hidden trees, by surrogates",
        columns=_TABLES,
        rows=_table_rows,
        profiles=_SMALL,
    ),
    PaperTable(
        id="transfer",
        title="Programs of one executor run by another",
        columns=_TRANSFER,
        rows=_transfer_rows,
        source="table on transfer",
        profiles=_MEASURED,
    ),
    PaperTable(
        id="shift",
        title="Accuracy under shifts, on trees of depth 2",
        columns={"test": "no shift", **SHIFTS, "paper": "paper"},
        rows=_shift_rows,
        source="figure on shifted inputs",
        profiles=_MEASURED,
    ),
    PaperTable(
        id="size",
        title="Modules and rules of the programs",
        columns={
            f"{key}-d{depth}": f"{key}, depth {depth}" for key in ("modules", "rules") for depth in DEEP
        },
        rows=_size_rows,
        source="table on program size",
        profiles=_MEASURED,
    ),
)
