"""A class is run with the parameters that are written down for it, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.claims import Profile
from harness.errors import CorroborateError, SuiteError
from harness.method import Resource, param
from harness.plan import Planner, Selection
from harness.suite import Scale, Tuned
from tests.harness.cli.conftest import Shell, shell
from tests.harness.toy import ERROR, MeanTask, Noisy, Offset, Shrunk, toy_suite
from tests.reliability.toys_planning import HEAD, imported_from

__all__ = ["shell"]


class Nothing:
    """No resource is needed."""

    def identity(self, resource: Resource) -> str:
        return resource.name

    def blocked(self, resource: Resource) -> str:
        return ""


def planned(selection: Selection | None = None, **settings: Any) -> list[Any]:
    plan = Planner(Nothing()).plan(toy_suite(**settings), Scale(profile=Profile.SMALL), selection)
    return list(plan.trials)


class Undecorated(Shrunk):
    """Says .5 where its field says 1."""

    factor: float = 0.5


class Bare(Shrunk):
    """Overrides a field by a plain attribute."""

    factor = 0.5


@dataclass(frozen=True, kw_only=True)
class Unannotated(Shrunk):
    """A dataclass, whose new value has no annotation and so no effect on the field."""

    factor = 0.5


class Beside(Shrunk):
    """A parameter that no dataclass knows of."""

    extra: float = param(2.0, source="ours")


@dataclass(frozen=True, kw_only=True)
class Below(Undecorated):
    """Its base has the fault."""


class OwnInit(Shrunk):
    """Takes what it likes."""

    def __init__(self, factor: float = 1.0) -> None:
        object.__setattr__(self, "factor", factor * 2)


@dataclass(frozen=True, kw_only=True)
class Clipped(Shrunk):
    """Changes what it is given."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", min(self.factor, 0.5))


@dataclass(frozen=True)
class Doubled(Shrunk):
    """A written __init__ stays in a dataclass."""

    factor: float = param(1.0, source="ours")

    def __init__(self, factor: float = 1.0) -> None:
        object.__setattr__(self, "factor", factor * 2)


@dataclass(frozen=True, kw_only=True)
class Growing(Shrunk):
    """Holds a list."""

    seen: list[float] = field(default_factory=list)


class Loose(Noisy):
    """No parameters, nothing hidden: only what it does is another thing."""

    cites: ClassVar[str] = "nobody"


class SmallTask(MeanTask):
    """A task that says 5 where its field says 20."""

    size: int = 5


class Far(Offset):
    """An artifact that says 9 where its field says 1."""

    value: float = 9.0


FAULTS = [Undecorated, Bare, Unannotated, Beside, Below, OwnInit, Clipped, Doubled, Growing]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_method_that_hides_parameters_is_refused_in_a_suite(kind: type[Shrunk]) -> None:
    with pytest.raises(SuiteError, match=kind.__name__):
        planned(methods={"mean": kind()})


@pytest.mark.parametrize("kind", FAULTS)
def test_a_method_that_hides_parameters_is_refused_when_it_is_added(kind: type[Shrunk]) -> None:
    with pytest.raises(SuiteError, match=kind.__name__):
        planned(Selection(added={"mine": kind()}))


def test_tasks_and_artifacts_are_held_to_the_same() -> None:
    with pytest.raises(SuiteError, match="SmallTask"):
        planned(task=SmallTask())
    with pytest.raises(SuiteError, match="Far"):
        planned(task=MeanTask(offset=Far()))
    with pytest.raises(SuiteError, match="Far"):
        planned(task=MeanTask(offset=Offset(inner=Far())))


def test_a_subclass_that_only_does_something_else_is_welcome() -> None:
    assert planned(methods={"loose": Loose()})


def test_values_that_are_not_kept_are_refused() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Capped(Shrunk):
        def __post_init__(self) -> None:
            object.__setattr__(self, "factor", min(self.factor, 3.0))

    assert planned(methods={"mean": Capped()})
    with pytest.raises(SuiteError, match=r"holds 3\.0"):
        planned(Selection(settings={"mean": {"factor": 4.0}}), methods={"mean": Capped()})
    grid = Tuned(method=Capped(), grid={"factor": (1.0, 4.0)}, select=ERROR, seeds=(1,))
    with pytest.raises(SuiteError, match=r"holds 3\.0"):
        planned(methods={"mean": grid})


NO_FIELD = "class Mine(Trimmed):\n    share: float = 0.4\n"
BODY = "    problem_type: ClassVar[type] = Samples\n    def run(self, problem, ctx):\n        return 0\n"
NOT_FROZEN = f"@dataclass\nclass Mine(Method[Samples, np.ndarray]):\n    share: float = 0.4\n{BODY}"
NO_DATACLASS = f"class Mine(Method[Samples, np.ndarray]):\n{BODY}"


@pytest.mark.parametrize(
    ("source", "named"), [(NO_FIELD, "share"), (NOT_FROZEN, "frozen"), (NO_DATACLASS, "not a dataclass")]
)
def test_the_command_line_refuses_them_before_anything_runs(source: str, named: str, shell: Shell) -> None:
    Path("mine.py").write_text(f"{HEAD}\nfrom tests.harness.cli.demo import Trimmed\n\n{source}")
    for command in ("plan", "run"):
        with imported_from(Path.cwd()):
            assert shell(command, "demo", "--method", "mine:Mine", "--set", "mine.share=0.3") == 2, shell.err
        assert "Mine" in shell.err
        assert named in shell.err
    assert not Path("runs").exists()


def test_the_shipped_suites_keep_to_it() -> None:
    from harness.cli.suites import load_suite, suite_names

    for name in suite_names():
        try:
            Planner(Nothing()).plan(load_suite(name), Scale(profile=Profile.SMOKE))
        except CorroborateError as error:  # pragma: no cover - says which
            pytest.fail(f"{name}: {error}")
