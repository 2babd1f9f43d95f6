"""A method under check, with a small problem to run it on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from harness.claims import Profile
from harness.ends import Stops, own_process
from harness.engine.context import Loader, TrialContext, seed_everything
from harness.engine.framework import import_framework
from harness.engine.job import TrialJob
from harness.engine.state import State
from harness.engine.trial import run_trial
from harness.errors import ProblemError, SuiteError, UsageError
from harness.foreign import make_method
from harness.method.contract import Method, Scores, Task
from harness.method.references import Resource
from harness.plan.declarations import with_values
from harness.plan.references import all_references, bound, reference_key
from harness.plan.selection import pairs
from harness.resources import Resolver
from harness.suite import Experiment, OwnUnits, Scale, Suite, Tuned

AnyMethod = Method[Any, Any]
AnyTask = Task[Any, Any]
_SEED = 1
"""Whose artifacts all trials of a check are given, where each seed has its own."""


@dataclass(frozen=True)
class Subject:
    """A method and a task of its problem type, as a worker has them.

    Attributes:
        method: The method, with the parameters of the suite's smoke profile if it is in it.
        task: The task.
        where: Suite, experiment and task, for messages.
        scratch: A folder for temporary files.
        paths: Folders of the references, by reference key.
        loader: Keeps what was loaded, as a worker does.
        memory_gb: What its experiment may use.
        others: The suite's own methods on the task, besides this one.
        own_units: Where the suite lets methods have units of their own.
    """

    method: AnyMethod
    task: AnyTask
    where: str
    scratch: Path
    paths: Mapping[str, str] = field(default_factory=dict)
    loader: Loader = field(default_factory=Loader)
    memory_gb: float = 6.0
    others: Mapping[str, AnyMethod] = field(default_factory=dict)
    own_units: tuple[OwnUnits, ...] = ()

    def context(self, seed: int) -> TrialContext:
        """A trial's context."""
        return TrialContext(
            seed=seed,
            stage="main",
            device="cpu",
            dtype="float32",
            threads=1,
            scratch=Path(tempfile.mkdtemp(dir=self.scratch)),
            loader=self.loader,
            paths=self.paths,
        )

    def trial(self, seed: int, method: AnyMethod | None = None) -> Scores:
        """Execute one trial, exactly as a worker does."""
        return self.observed(seed, method)[0]

    def _job(self, seed: int, method: AnyMethod) -> TrialJob:
        return TrialJob(
            id="check",
            device="cpu",
            dtype="float32",
            paths=self.paths,
            task=self.task,
            methods={"subject": method},
            seed=seed,
            stage="main",
        )

    def observed(self, seed: int, method: AnyMethod | None = None) -> tuple[Scores, list[str]]:
        """A trial's scores, and the state of the process that it leaves changed, in words."""
        with self.isolated() as left:
            scores = run_trial(self._job(seed, method or self.method), self.context(seed))
        return scores, left

    @contextmanager
    def isolated(self) -> Iterator[list[str]]:
        """Run foreign code as a worker does: what it leaves changed is named in the list, and put back."""
        import_framework()
        with State().watched() as left:
            yield left


class EndedError(Exception):
    """What was called has ended without a result: by a limit, by a crash, or by an exception."""


class Call(Protocol):
    """Calls a function with a subject, and gives what it returns."""

    def __call__(self, subject: Subject, function: Callable[..., Any], /, *args: Any) -> Any:
        """Call ``function(subject, *args)``.

        Raises:
            EndedError: If it ended without a result.
        """


def directly(subject: Subject, function: Callable[..., Any], /, *args: Any) -> Any:
    """Call in this process."""
    return function(subject, *args)


@contextmanager
def prepared(
    kind: type[AnyMethod],
    suites: Sequence[Suite],
    resolver: Resolver,
    values: Mapping[str, Any] | None = None,
    call: Call = directly,
) -> Iterator[Subject]:
    """A subject for a method class, on the first smoke problem that the method takes.

    Args:
        kind: The method's class.
        suites: Where to look for a problem.
        resolver: Provides resources, if the problem needs any.
        values: Parameters to use instead of the suite's or the defaults.
        call: Runs foreign code; by default in this process, where nothing can stop it.

    Raises:
        UsageError: If no suite has a problem for it, or it cannot be made without arguments.
        ResourceError: If a resource is missing.
        SuiteError: If what the problem needs cannot be built.
    """
    refusals = []
    with tempfile.TemporaryDirectory(prefix="corroborate-check-") as folder:
        for subject in _candidates(kind, suites, Path(folder), values or {}):
            ready = replace(subject, paths=_provided(subject, resolver, call))
            if not (refusal := _refused(ready, call)):
                yield ready
                return
            refusals.append(f"{subject.where}: {refusal}")
    raise UsageError(
        f"{kind.__qualname__} refuses every problem of its type under 'smoke'",
        where=refusals[0],
        fix="Other parameters (--set PARAMETER=VALUE) may suit these problems.",
    )


def _provided(subject: Subject, resolver: Resolver, call: Call) -> dict[str, str]:
    if not all_references((subject.task, subject.method)):
        return {}
    try:
        paths: dict[str, str] = call(subject, _provide, resolver)
    except EndedError as error:
        raise SuiteError(
            f"What the problem needs could not be built.\n{str(error).strip()}", where=subject.where
        ) from error
    return paths


def _refused(subject: Subject, call: Call) -> str:
    try:
        return str(call(subject, _refusal))
    except EndedError:
        return ""


def _refusal(subject: Subject) -> str:
    """Why the method does not take the problem; any other error is for the checks to tell."""
    with Stops() as stops, own_process():
        try:
            subject.trial(0)
        except ProblemError as error:
            return error.what
        except BaseException:  # noqa: BLE001 - the method is foreign code
            stops.obey()
    return ""


def _candidates(
    kind: type[AnyMethod], suites: Sequence[Suite], scratch: Path, values: Mapping[str, Any]
) -> Iterator[Subject]:
    for suite, experiment in _fitting(kind, suites):
        method = bound(with_values(_instance(kind, experiment), values), _SEED)
        for name, task in experiment.tasks.items():
            where = f"{suite.slug}/{experiment.id}/{name}"
            others = _besides(kind, experiment, name)
            yield Subject(
                method,
                bound(task, _SEED),
                where,
                scratch,
                memory_gb=experiment.memory_gb,
                others=others,
                own_units=suite.own_units,
            )


def _besides(kind: type[AnyMethod], experiment: Experiment, task: str) -> dict[str, AnyMethod]:
    """The experiment's methods on a task that are of another class."""
    found = {
        name: bound(_plain(experiment.methods[name]), _SEED) for at, name in pairs(experiment) if at == task
    }
    return {name: method for name, method in found.items() if type(method) is not kind}


def _fitting(kind: type[AnyMethod], suites: Sequence[Suite]) -> list[tuple[Suite, Experiment]]:
    """Experiments whose problems have the method's type, those that run the method first."""
    wanted = getattr(kind, "problem_type", None)
    if not isinstance(wanted, type):
        raise UsageError(
            "The method declares no problem_type", where=kind.__qualname__, fix="Set it to a class."
        )
    candidates = [(s, e) for s in suites for e in s.experiments(Scale(profile=Profile.SMOKE)) if not e.timed]
    fitting = [(s, e) for s, e in candidates if any(issubclass(other, wanted) for other in _types(e))]
    if not fitting:
        offered = sorted({f"{t.__module__}.{t.__qualname__}" for _, e in candidates for t in _types(e)})
        raise UsageError(
            f"No suite has a problem of type {wanted.__qualname__} under 'smoke'",
            where=", ".join(suite.slug for suite in suites),
            fix=f"There are problems of the types {', '.join(offered) or '(none)'}.",
        )
    return sorted(fitting, key=lambda pair: _own(kind, pair[1]) is None)


def _plain(method: AnyMethod | Tuned) -> AnyMethod:
    return method.method if isinstance(method, Tuned) else method


def _types(experiment: Experiment) -> set[type]:
    return {_plain(method).problem_type for method in experiment.methods.values()}


def _own(kind: type[AnyMethod], experiment: Experiment) -> AnyMethod | None:
    """The experiment's own instance of the class, whose parameters suit a small problem."""
    methods = map(_plain, experiment.methods.values())
    return next((method for method in methods if type(method) is kind), None)


def _instance(kind: type[AnyMethod], experiment: Experiment) -> AnyMethod:
    if (own := _own(kind, experiment)) is not None:
        return own
    return make_method(kind, f"{kind.__module__}:{kind.__qualname__}")


def _provide(subject: Subject, resolver: Resolver) -> dict[str, str]:
    """Fetch the resources and build the artifacts that the trial may load."""
    paths: dict[str, str] = {}
    for ref in all_references((subject.task, subject.method)):
        key = reference_key(ref)
        if isinstance(ref, Resource):
            paths[key] = str(resolver.path(ref))
            continue
        folder = Path(tempfile.mkdtemp(dir=subject.scratch))
        seed_everything(0)
        with subject.isolated():
            ref.build(folder, replace(subject, paths=paths).context(0))  # type: ignore[attr-defined]
        paths[key] = str(folder)
    return paths
