"""The checks themselves. Each raises :class:`CheckError` if the method breaks its promise."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

import numpy as np

from harness.checks.state import state_of
from harness.checks.subject import Call, EndedError, Subject, directly
from harness.checks.units import unanswered
from harness.ends import Stops, own_process, story_of
from harness.engine.context import seed_everything
from harness.engine.trial import solve
from harness.errors import ProblemError
from harness.method.contract import Scores

_SEEDS = tuple(range(1, 10))
"""Pilot seeds: nothing that a check runs may serve as evidence."""


class CheckError(Exception):
    """The method does not do what the contract asks for."""


class StateLeftError(CheckError):
    """A trial changes what later trials of other methods see: no declared reason makes that right."""


@dataclass(frozen=True)
class Check:
    """A named check.

    Attributes:
        name: As in ``check_exceptions``.
        promise: What it checks, as a sentence about the method.
        run: Raises if the promise is broken.
    """

    name: str
    promise: str
    run: Callable[[Subject], None]


@dataclass(frozen=True)
class Outcome:
    """What a check found; ``excepted`` if it failed and the method declares why that is right."""

    check: str
    status: Literal["passed", "failed", "excepted"]
    detail: str = ""


def run_battery(subject: Subject, call: Call = directly) -> Iterator[Outcome]:
    """All checks in order, and one outcome for each exception that names no check.

    Args:
        subject: The method and its problem.
        call: Runs each check; by default in this process, where nothing can stop it.
    """
    for check in CHECKS:
        try:
            yield call(subject, _outcome_named, check.name)
        except EndedError as error:
            yield Outcome(check.name, "failed", str(error))
    known = {check.name for check in CHECKS}
    for name in sorted(set(type(subject.method).check_exceptions) - known):
        yield Outcome(name, "failed", "check_exceptions names a check that does not exist")


def _outcome_named(subject: Subject, name: str) -> Outcome:
    return outcome_of(next(check for check in CHECKS if check.name == name), subject)


def outcome_of(check: Check, subject: Subject) -> Outcome:
    """Run one check; anything it raises is a failure."""
    failure: BaseException | None = None
    with Stops() as stops, own_process():
        try:
            check.run(subject)
        except BaseException as error:  # noqa: BLE001 - the method is foreign code
            failure = error
        stops.obey()
    if failure is None:
        return Outcome(check.name, "passed")
    detail = str(failure) if isinstance(failure, CheckError) else story_of(failure, frames=3)
    if isinstance(failure, StateLeftError):
        return Outcome(check.name, "failed", detail)
    reason = type(subject.method).check_exceptions.get(check.name, "")
    return Outcome(check.name, "excepted", reason) if reason else Outcome(check.name, "failed", detail)


def _frozen_dataclass(subject: Subject) -> None:
    kind = type(subject.method)
    params = vars(kind).get("__dataclass_params__")
    if params is None:
        raise CheckError(f"{kind.__qualname__} is not a dataclass: decorate it with @dataclass(frozen=True)")
    if not params.frozen:
        raise CheckError(f"{kind.__qualname__} can be changed: write @dataclass(frozen=True)")


def _documented(subject: Subject) -> None:
    kind = type(subject.method)
    text = vars(kind).get("__doc__") or ""
    if not text.strip() or text.startswith(f"{kind.__name__}("):
        raise CheckError(f"{kind.__qualname__} has no docstring; the report describes the method with it")


def _parameters(subject: Subject) -> dict[str, Any]:
    items = fields(subject.method)  # type: ignore[arg-type]
    return {item.name: getattr(subject.method, item.name) for item in items if item.init}


def _parameters_stored_untouched(subject: Subject) -> None:
    # Both what the suite gives and the defaults, since correcting a value twice changes nothing.
    for given in (_parameters(subject), _defaults(subject)):
        before = {name: state_of(value) for name, value in given.items()}
        made = type(subject.method)(**(_parameters(subject) | given))
        for name, value in given.items():
            if state_of(getattr(made, name)) != before[name]:
                raise CheckError(f"parameter '{name}' was given {value!r} and holds {getattr(made, name)!r}")


def _defaults(subject: Subject) -> dict[str, Any]:
    items = fields(subject.method)  # type: ignore[arg-type]
    return {item.name: item.default for item in items if item.init and item.default is not MISSING}


def _parameters_have_sources(subject: Subject) -> None:
    items = fields(subject.method)  # type: ignore[arg-type]
    without = [item.name for item in items if not item.metadata.get("source")]
    if without:
        raise CheckError(
            f"no source is given for {', '.join(without)}: declare them with param(..., source=...)"
        )


def _parameters_have_defaults(subject: Subject) -> None:
    items = fields(subject.method)  # type: ignore[arg-type]
    without = [i.name for i in items if i.init and i.default is MISSING and i.default_factory is MISSING]
    if without:
        raise CheckError(f"no default is given for {', '.join(without)}")


def _picklable(subject: Subject) -> None:
    copy = pickle.loads(pickle.dumps(subject.method))  # noqa: S301 - our own bytes
    if copy != subject.method:
        raise CheckError("a pickled copy is not equal to the method")
    if difference := difference_of(subject.trial(_SEEDS[0]), subject.trial(_SEEDS[0], copy)):
        raise CheckError(f"a pickled copy gives another result: {difference}")


def _same_seed_same_result(subject: Subject) -> None:
    if difference := difference_of(subject.trial(_SEEDS[0]), subject.trial(_SEEDS[0])):
        raise CheckError(
            f"two trials with the same seed differ: {difference}. Draw from ctx.rng and ctx.torch_rng"
        )


def _trials_leave_no_trace(subject: Subject) -> None:
    first, left = subject.observed(_SEEDS[0])
    for seed in _SEEDS[1:]:
        left += subject.observed(seed)[1]
    tenth, _ = subject.observed(_SEEDS[0])
    if left:
        raise StateLeftError(
            f"a trial leaves state of the process changed: {', '.join(dict.fromkeys(left))}. "
            "Put it back when run ends, with a context manager or try and finally"
        )
    if difference := difference_of(first, tenth):
        raise CheckError(
            f"the first and the tenth trial in one worker differ: {difference}. Something is kept"
        )


def _inputs_not_changed(subject: Subject) -> None:
    ctx = subject.context(_SEEDS[0])
    seed_everything(ctx.seed)
    problem = subject.task.problem(ctx)
    # Once beforehand, so that what the method loads is there to be compared.
    with subject.isolated():
        solve(subject.method, problem, ctx)
    problem = subject.task.problem(ctx)
    before, kept, own = state_of(problem), state_of(subject.loader), state_of(subject.method)
    with subject.isolated():
        solve(subject.method, problem, ctx)
    if state_of(problem) != before:
        raise CheckError("the problem was changed: copy what is written to")
    if state_of(subject.loader) != kept:
        raise CheckError("a loaded model or data set was changed: load it with fresh=True")
    if state_of(subject.method) != own:
        raise CheckError("the method changed itself: keep state in variables of run")


class _ForeignProblem:
    """A problem that no method accepts."""


def _clear_error_on_wrong_problem(subject: Subject) -> None:
    try:
        solve(subject.method, _ForeignProblem(), subject.context(_SEEDS[0]))
    except ProblemError:
        return
    raise CheckError("a problem of a foreign type was accepted: name the right class in problem_type")


def _answers_every_unit(subject: Subject) -> None:
    if fault := unanswered(subject):
        raise CheckError(f"{fault}. A number over other units than the others' compares with none of theirs")


def difference_of(one: Scores, other: Scores) -> str:
    """Where two scores differ, or nothing. Columns of seconds may."""
    if set(one.parts) != set(other.parts):
        return f"parts {sorted(one.parts)} and {sorted(other.parts)}"
    for part, table in one.parts.items():
        if set(table) != set(other.parts[part]):
            return f"columns of part '{part}'"
        for name in table:
            if not name.endswith("seconds") and not _equal(table[name], other.parts[part][name]):
                return f"column '{name}' of part '{part}'"
    return ""


def _equal(one: Any, other: Any) -> bool:
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


CHECKS: tuple[Check, ...] = (
    Check("frozen-dataclass", "It is a frozen dataclass.", _frozen_dataclass),
    Check("documented", "Its docstring describes it.", _documented),
    Check("parameters-have-defaults", "Every parameter has a default.", _parameters_have_defaults),
    Check(
        "parameters-have-sources",
        "Every parameter says where its value comes from.",
        _parameters_have_sources,
    ),
    Check("parameters-stored-untouched", "It keeps parameters as given.", _parameters_stored_untouched),
    Check("wrong-problem", "It refuses a foreign problem with a clear error.", _clear_error_on_wrong_problem),
    Check("picklable", "A pickled copy is equal and gives the same result.", _picklable),
    Check("same-seed-same-result", "The same seed gives the same result.", _same_seed_same_result),
    Check("first-and-tenth-trial", "Trials leave no trace in a worker.", _trials_leave_no_trace),
    Check("inputs-not-changed", "It changes neither the problem nor what it loads.", _inputs_not_changed),
    Check("answers-every-unit", "It answers every unit, and each once.", _answers_every_unit),
)
