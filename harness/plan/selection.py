"""What a user may restrict or change before planning."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from harness.claims import Cell, Claim
from harness.errors import UsageError, unknown_name
from harness.method.contract import Method
from harness.plan.canonical import class_name
from harness.plan.declarations import with_values
from harness.store.view import TIMED_METHOD
from harness.suite import Experiment, Scale, Suite, Tuned

_ID = re.compile(r"\w[\w.+-]*")

Place = tuple[str, str, str]
"""Experiment, task and method of some trials; the method of timed ones is ``*``."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Restrictions and changes, all empty by default.

    Attributes:
        claims: Only what these claims need.
        methods: Only these methods.
        seeds: A number: this many seeds of each experiment, the first of the declared ones, continued
            upwards if there are too few. A tuple: those of the declared seeds that are in it.
        settings: Parameter values by method id and name, already of the right type.
        added: Methods from outside, by id: none that the suite has, nor one that stands for something else.
        extended: How many seeds a later look has given to places; fewer than those of ``seeds`` say nothing.
    """

    claims: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    seeds: int | tuple[int, ...] | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    added: Mapping[str, Method[Any, Any]] = field(default_factory=dict)
    extended: Mapping[Place, int] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, str]:
        """``module:Class`` of each method from outside, by id."""
        return {name: class_name(type(method)) for name, method in self.added.items()}


def select(suite: Suite, scale: Scale, selection: Selection) -> list[Experiment]:
    """The experiments of a suite under a scale, restricted and changed as asked.

    Raises:
        UsageError: For unknown claims and methods, an added method that nothing would run, or if nothing is
            left.
    """
    experiments = list(suite.experiments(scale))
    check_added(suite, {name for experiment in experiments for name in experiment.methods}, selection.added)
    known = {name for experiment in experiments for name in experiment.methods} | set(selection.added)
    for name in [*selection.methods, *selection.settings]:
        if name not in known:
            raise unknown_name(
                "method", name, sorted(known), where=f"suite {suite.slug}, profile {scale.profile}"
            )
    _check_seeds(experiments, selection.seeds)
    _refuse_strangers(suite, scale, experiments, selection.added)
    needed = needed_by(suite, scale, selection.claims, selection.added) if selection.claims else None
    chosen = [_restrict(_extend(item, selection), selection, needed) for item in experiments]
    left = [item for item in chosen if item.seeds and item.methods and item.tasks and _pairs(item)]
    _check_most(left, f"suite {suite.slug}, profile {scale.profile}")
    _refuse_left_out(selection, left)
    if not left and experiments:
        raise UsageError(
            "Nothing is left to run",
            where=f"suite {suite.slug}, profile {scale.profile}",
            fix="These claims, methods and seeds are not measured together under this profile.",
        )
    return left


def check_added(suite: Suite, declared: Collection[str], added: Mapping[str, Method[Any, Any]]) -> None:
    """Refuse ids of added methods under which results could be taken for those of another method.

    Raises:
        UsageError: If an id is one of the suite's, differs from another by no letter or digit, or cannot
            be part of a trial's id.
    """
    taken = {plain_id(name): (name, f"suite {suite.slug}") for name in declared}
    for name, method in added.items():
        place = class_name(type(method))
        if not _ID.fullmatch(name):
            raise UsageError(
                f"A method cannot have the id '{name}'",
                where=place,
                fix="An id is of letters, digits, '-', '_', '.' and '+'.",
            )
        other, owner = taken.setdefault(plain_id(name), (name, place))
        if owner is not place:
            raise UsageError(
                f"Two methods would have the id '{name}'" + ("" if other == name else f" or '{other}'"),
                where=f"{owner} and {place}",
                fix="Give the added method another id; its results would be taken for the other's.",
            )


def plain_id(name: str) -> str:
    """What of an id is left in every name that is made of it: letters without case, and digits."""
    return "".join(filter(str.isalnum, name.casefold()))


def pairs(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """The (task id, method id) pairs that an experiment runs."""
    for task in experiment.tasks:
        for method in experiment.methods:
            if experiment.only is None or (task, method) in experiment.only:
                yield task, method


def _pairs(experiment: Experiment) -> bool:
    return next(pairs(experiment), None) is not None


def _extend(experiment: Experiment, selection: Selection) -> Experiment:
    """Add the user's methods where they fit, and the user's parameter values."""
    methods = dict(experiment.methods)
    only = experiment.only
    for name, method in selection.added.items():
        if _fits(method, experiment):
            methods[name] = method
            only = None if only is None else only | {(task, name) for task in experiment.tasks}
    for name, values in selection.settings.items():
        if name in methods:
            methods[name] = _with_values(methods[name], values)
    return replace(experiment, methods=methods, only=only)


def _fits(method: Method[Any, Any], experiment: Experiment) -> bool:
    types = [_plain(other).problem_type for other in experiment.methods.values()]
    return bool(types) and all(issubclass(kind, method.problem_type) for kind in types)


def _refuse_strangers(
    suite: Suite, scale: Scale, experiments: Sequence[Experiment], added: Mapping[str, Method[Any, Any]]
) -> None:
    """Refuse an added method that fits no experiment: the run would be the suite's alone.

    Raises:
        UsageError: With the types of problem that there are.
    """
    for method in added.values():
        if any(_fits(method, item) for item in experiments):
            continue
        declared = [_plain(one) for item in experiments for one in item.methods.values()]
        posed = sorted({class_name(one.problem_type) for one in declared})
        raise UsageError(
            f"{type(method).__qualname__} answers problems of type {class_name(method.problem_type)}, and no "
            f"experiment of {suite.slug} has those under the profile {scale.profile}",
            where=class_name(type(method)),
            fix=f"Its experiments pose problems of the types {', '.join(posed) or '(none)'}.",
        )


def _refuse_left_out(selection: Selection, left: Sequence[Experiment]) -> None:
    """Refuse an added method that the restrictions leave out.

    Raises:
        UsageError: Naming it.
    """
    missing = [name for name in selection.added if not any(name in item.methods for item in left)]
    if not left or not missing:
        return
    name = missing[0]
    unnamed = bool(selection.methods) and name not in selection.methods
    raise UsageError(
        f"The added method '{name}' takes no part in what the run is restricted to",
        where="--methods" if unnamed else "--claim",
        fix=f"Name it among the methods: --methods {','.join((*selection.methods, name))}."
        if unnamed
        else "Choose a claim on problems that it answers, or leave the restriction out.",
    )


def _plain(method: Method[Any, Any] | Tuned) -> Method[Any, Any]:
    return method.method if isinstance(method, Tuned) else method


def parameters_of(kind: type[Method[Any, Any]]) -> list[str]:
    """The names of a method's parameters."""
    return [item.name for item in fields(kind) if item.init]  # type: ignore[arg-type]


def _with_values(method: Method[Any, Any] | Tuned, asked: Mapping[str, Any]) -> Method[Any, Any] | Tuned:
    """The method with those of the values that it has parameters for: its id may name another elsewhere."""
    known = parameters_of(type(_plain(method)))
    values = {name: value for name, value in asked.items() if name in known}
    if isinstance(method, Tuned):
        grid = {name: grid for name, grid in method.grid.items() if name not in values}
        inner = with_values(method.method, values)
        return replace(method, method=inner, grid=grid) if grid else inner
    return with_values(method, values)


def _restrict(
    experiment: Experiment, selection: Selection, needed: set[tuple[str, str, str]] | None
) -> Experiment:
    keep = [
        (task, method)
        for task, method in pairs(experiment)
        if (not selection.methods or method in selection.methods)
        and (needed is None or is_needed(experiment, task, method, needed))
    ]
    tasks = {task for task, _ in keep}
    methods = {method for _, method in keep}
    return replace(
        experiment,
        tasks={name: task for name, task in experiment.tasks.items() if name in tasks},
        methods={name: method for name, method in experiment.methods.items() if name in methods},
        only=frozenset(keep),
        seeds=_seeds(experiment.seeds, selection.seeds),
    )


def _check_seeds(experiments: Sequence[Experiment], wanted: int | tuple[int, ...] | None) -> None:
    if not isinstance(wanted, tuple):
        return
    declared = sorted({seed for experiment in experiments for seed in experiment.seeds})
    unknown = sorted(set(wanted) - set(declared))
    if unknown:
        raise UsageError(
            f"No experiment declares {'seeds' if len(unknown) > 1 else 'seed'} {_told(unknown)}",
            where="--seeds",
            fix=f"Declared under this profile: {_told(declared)}. "
            "A number alone (--seeds 12) asks for as many seeds, beyond those declared if need be.",
        )


def _check_most(experiments: Sequence[Experiment], where: str) -> None:
    """Refuse more seeds than an experiment has data for: its trials would fail one after the other."""
    most = {item.id: item.most_seeds for item in experiments if item.most_seeds is not None}
    short = {item.id: most[item.id] for item in experiments if len(item.seeds) > most.get(item.id, math.inf)}
    if short:
        listing = ", ".join(f"{count} in '{name}'" for name, count in short.items())
        raise UsageError(
            f"More seeds than have data of their own: at most {listing}",
            where=where,
            fix=f"Ask for at most {min(short.values())} (--seeds), or for claims that other experiments "
            "measure (--claim).",
        )


def _told(seeds: Sequence[int]) -> str:
    return seeds_text(seeds) if len(seeds) > 1 else f"{seeds[0]}" if seeds else "none"


def seeds_text(seeds: Sequence[int]) -> str:
    """Seeds as ``--seeds`` takes them: ``100-104,107``; a single one as ``100-100``."""
    runs: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if runs and seed == runs[-1][1] + 1:
            runs[-1][1] = seed
        else:
            runs.append([seed, seed])
    if len(runs) == 1:
        return f"{runs[0][0]}-{runs[0][1]}"
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _seeds(declared: Sequence[int], wanted: int | tuple[int, ...] | None) -> tuple[int, ...]:
    if wanted is None or not declared:
        return tuple(declared)
    if isinstance(wanted, tuple):
        return tuple(seed for seed in declared if seed in wanted)
    return first_seeds(declared, wanted)


def first_seeds(declared: Sequence[int], count: int) -> tuple[int, ...]:
    """The first ``count`` of the declared seeds, continued upwards if there are too few."""
    return (*declared[:count], *range(max(declared) + 1, max(declared) + 1 + count - len(declared)))


def is_needed(
    experiment: Experiment, task: str, method: str, needed: Collection[tuple[str, str, str]]
) -> bool:
    """Whether one of the places ``needed`` (:func:`needed_by`) is measured by a pair of an experiment."""
    return any(
        cell_experiment == experiment.id and cell_task in ("", task) and cell_method in (method, TIMED_METHOD)
        for cell_experiment, cell_task, cell_method in needed
    )


def needed_by(
    suite: Suite, scale: Scale, names: Sequence[str], added: Iterable[str] = ()
) -> set[tuple[str, str, str]]:
    """What the named claims, and those that they rely on, measure: (experiment, task or empty, method).

    Added methods are measured beside it.
    """
    claims = {claim.id: claim for claim in suite.claims}
    waiting = [claim for name in names for claim in named_claims(suite, name)]
    cells: set[tuple[str, str, str]] = set()
    seen: set[str] = set()
    while waiting:
        claim = waiting.pop()
        if claim.id in seen:
            continue
        seen.add(claim.id)
        cells |= {(c.experiment, c.task, c.method) for c in cells_of(claim.forms.get(scale.profile))}
        waiting += [claims[other] for other in claim.relies_on if other in claims]
    return cells | {(experiment, task, own) for experiment, task, _ in cells for own in added}


def named_claims(suite: Suite, name: str) -> list[Claim]:
    """The claim ``name``, or the parts of the compound claim ``name``.

    Raises:
        UsageError: If there is none.
    """
    found = [claim for claim in suite.claims if name in (claim.id, claim.parent)]
    if not found:
        known = sorted({c.id for c in suite.claims} | {c.parent for c in suite.claims if c.parent})
        raise unknown_name("claim", name, known, where=f"suite {suite.slug}")
    return found


def cells_of(declaration: object) -> Iterator[Cell]:
    """All cells inside a form, a contrast or any other declaration."""
    if isinstance(declaration, Cell):
        yield declaration
    elif is_dataclass(declaration) and not isinstance(declaration, type):
        for item in fields(declaration):
            yield from cells_of(getattr(declaration, item.name))
    elif isinstance(declaration, tuple | list):
        for item in declaration:
            yield from cells_of(item)
