"""What a suite declares: paper, experiments, claims, deviations, controls, tables, figures."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.claims import Cell, Claim, Contrast, Control, Profile
from harness.errors import SuiteError
from harness.method.contract import Method, Task
from harness.method.metric import Metric


class Standing(StrEnum):
    """How a reported number was established."""

    VERIFIED = "verified"
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A number (or a statement) of the paper.

    Attributes:
        id: Unique in the suite: ``"tau-k8-l8"``.
        value: The number; ``None`` where the paper's statement is qualitative or unknown.
        unit: Its unit, or empty.
        where: Table, figure or section.
        row: Row or cell in it.
        standing: How well it is established.
        note: Source of a second-hand number, or the qualitative statement.
    """

    id: str
    value: float | None
    where: str
    standing: Standing
    unit: str = ""
    row: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Bibliographic record and reported numbers, read from ``paper.toml``."""

    slug: str
    title: str
    authors: tuple[str, ...]
    arxiv: str
    year: int
    venue: str
    bibtex: str
    summary: str
    """What the paper proposes, in two or three sentences."""
    reported: Mapping[str, Reported]

    @classmethod
    def read(cls, path: Path) -> Paper:
        """Read ``paper.toml``.

        Raises:
            SuiteError: If a field is missing or of the wrong kind, or a number has another's id.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            rows = [Reported(**{"value": None, **row}) for row in raw.pop("reported", [])]
            rows = [_with_standing(row) for row in rows]
            _check_once(rows)
            return cls(
                **{**raw, "authors": tuple(raw["authors"])},
                reported={row.id: row for row in rows},
            )
        except (tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
            raise SuiteError(f"The paper's record cannot be read: {error}", where=str(path)) from error


def _check_once(rows: Sequence[Reported]) -> None:
    for name, times in Counter(row.id for row in rows).items():
        if times > 1:
            raise ValueError(f"'{name}' is reported {times} times")


def _with_standing(row: Reported) -> Reported:
    return replace(row, standing=Standing(row.standing))


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One place where the run differs from the paper.

    Attributes:
        id: ``"D1"``.
        field: What differs: "model", "data", "steps", "hardware", "protocol".
        paper: What the paper used.
        here: What is used here.
        effect: The expected direction of its effect.
        profiles: The profiles it applies to; empty means all.
        claims: The claims it touches; empty means all.
    """

    id: str
    field: str
    paper: str
    here: str
    effect: str
    profiles: tuple[Profile, ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """A method whose parameters are chosen on validation data.

    Every point of ``grid`` (the product of its values) is a trial of stage ``tune``, for every
    seed of ``seeds``; main trials use the best.

    Attributes:
        method: The method; its own values of the tuned parameters are the grid's centre.
        grid: Values by parameter name.
        select: The metric that chooses.
        part: The part of the tuning scores that it reads.
        seeds: Seeds of the tuning trials; never those of the verdict.
    """

    method: Method[Any, Any]
    grid: Mapping[str, Sequence[float | int | str]]
    select: Metric
    seeds: tuple[int, ...] = (1,)
    part: str = "validation"


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Marks an experiment as a measurement of time.

    All its methods are arms of one trial: they run in turn in every block, in an order drawn
    anew for each block, after ``warmup`` blocks that are not recorded, with nothing else
    running. Part ``"time"`` has the columns ``unit_id`` (the block), ``arm`` and ``seconds``.
    """

    blocks: int = 8
    warmup: int = 1


FIRST_SEED = 100
"""Seeds below are for pilots and tuning and never enter a verdict."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Methods × tasks × seeds.

    Attributes:
        id: Unique in the suite.
        title: What it shows.
        tasks: By id.
        methods: By id; methods a user adds join those with the same problem type.
        seeds: Seeds of the verdict, from 100 on (0-99 are for pilots and tuning).
        unit: What a unit row is about: "prompt", "item".
        timed: Set if seconds are what is measured.
        threads: CPU threads of a trial.
        minutes: Hard limit of a trial.
        memory_gb: Main memory of a trial for data and Python; with ``device_gb``, its hard limit.
        device_gb: Memory that its models need on the computing device, which on the CPU is main
            memory too: one number, or one for each pair (task id, method id). See
            :mod:`harness.method.sizes`. Trials that cannot fit are left out with the reason; those
            that need less than half of a GPU share it. Without it a trial has a GPU for itself.
        device: ``"cpu"`` if a GPU is of no use to it; it then runs beside those that need it.
        tf32: Why products of float32 may be computed in TF32 on a GPU; empty if they may not.
        only: Pairs (task id, method id) to run, if not all.
    """

    id: str
    title: str
    tasks: Mapping[str, Task[Any, Any]]
    methods: Mapping[str, Method[Any, Any] | Tuned]
    seeds: tuple[int, ...]
    unit: str = "item"
    timed: Timed | None = None
    threads: int = 1
    minutes: float = 10.0
    memory_gb: float = 6.0
    device_gb: float | Mapping[tuple[str, str], float] | None = None
    device: Literal["any", "cpu"] = "any"
    tf32: str = ""
    only: frozenset[tuple[str, str]] | None = None

    def device_need(self, task_id: str, method_ids: Iterable[str]) -> float | None:
        """Memory in GB that the models of a trial need, or ``None`` if that is not declared."""
        if not isinstance(self.device_gb, Mapping):
            return self.device_gb
        known = [self.device_gb.get((task_id, method_id)) for method_id in method_ids]
        return max((gb for gb in known if gb is not None), default=None)


def on_cpu(experiments: Iterable[Experiment]) -> tuple[Experiment, ...]:
    """The experiments, kept off the GPU: small worlds and exact checks gain nothing there."""
    return tuple(replace(experiment, device="cpu") for experiment in experiments)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What a suite is asked to plan."""

    profile: Profile
    full: bool = False
    """Wider grids and more seeds, for committed results."""


@dataclass(frozen=True, kw_only=True)
class ReportedRef:
    """A table entry: a number of the paper."""

    id: str


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row: its label, and an entry for each column that has one."""

    label: str
    entries: Mapping[str, Cell | Contrast | ReportedRef]
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table of the report.

    Attributes:
        id: Unique in the suite; ``corroborate table SUITE ID`` prints it.
        title: The caption.
        columns: Headers by column key, in order.
        rows: In order.
        source: The paper's table that it mirrors, or empty.
        bold: Column keys in which a winner may be set in bold, if it passes every pairwise test.
        profiles: The profiles it is made for; empty means all.
    """

    id: str
    title: str
    columns: Mapping[str, str]
    rows: Callable[[Scale], Sequence[TableRow]]
    source: str = ""
    bold: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Series:
    """A line or a group of bars: its label, and points (x, y); x may be measured too."""

    label: str
    points: tuple[tuple[float | str | Cell | Contrast, Cell | Contrast], ...]
    reported: tuple[tuple[float | str, ReportedRef], ...] = ()
    """Numbers of the paper to draw beside the measured ones."""


@dataclass(frozen=True, kw_only=True)
class PaperFigure:
    """A figure of the report; intervals are drawn wherever they can be computed."""

    id: str
    title: str
    x: str
    y: str
    series: Callable[[Scale], Sequence[Series]]
    kind: Literal["line", "bar", "scatter"] = "line"
    log_x: bool = False
    log_y: bool = False
    source: str = ""
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """Results of a method's first seed, to be read one by one.

    They are text columns of a part of the scores. As ``steps``, a row is one step of a longer course
    of events: ``unit_id`` names the course, ``heading`` and ``mark`` ("right", "wrong" or empty) say the
    same in all of its rows, ``step`` counts from 0, ``kind`` and ``text`` are what happened. As ``tree``,
    a row is a node: ``unit_id`` names it, ``parent`` the node above (empty for the root), ``edge`` is the
    label of the way there, ``text`` and ``note`` are what it says and what is said about it.

    Attributes:
        id: Unique in the suite.
        title: The caption.
        experiment: Id of the experiment.
        method: Id of the method in it.
        part: The part of the scores.
        kind: How the rows are shown.
        task: Id of the task; may be empty when the experiment has one.
        most: Courses to show, half of them wrong ones where there are any.
        profiles: The profiles it is made for; empty means all.
    """

    id: str
    title: str
    experiment: str
    method: str
    part: str
    kind: Literal["steps", "tree"]
    task: str = ""
    most: int = 12
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnUnits:
    """Says that methods have units of their own, and why; elsewhere one without some units left them out.

    Attributes:
        why: What a unit is, that each method has others.
        experiment: Id of the experiment; empty means all.
        part: The part of the scores; empty means all.
    """

    why: str
    experiment: str = ""
    part: str = ""

    def covers(self, experiment: str, part: str) -> bool:
        """Whether it speaks of a part, or of its probes."""
        whole = part.removeprefix("probe:") if part != "probe" else "main"
        return self.experiment in ("", experiment) and self.part in ("", part, whole)


class StandIn(Protocol):
    """A tiny copy of a resource, of the very kind and form, made without a network."""

    def make(self, folder: Path) -> None:
        """Fill the empty ``folder`` as the resource's own source would."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """How the large profiles are run at toy size; see :mod:`harness.rehearsal`.

    Attributes:
        stand_ins: What takes the place of each resource, by the resource's name. One without an
            entry is used as it is, which suits small packages.
        sizes: Largest values of declared fields, as ``Class.field``: of a number the number, of a
            tuple the length. A class is named by itself or by one that it derives from.
        servers: Addresses of served models, each with the ``module:function`` that serves a tiny
            one on this machine: a context manager that gives an address.
        stops: Arms (``experiment/task/method``) that need a model which knows something, each with
            the words of the error by which a random one ends them. They are told apart.
    """

    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Everything that is declared about one paper.

    Attributes:
        paper: The bibliographic record and the reported numbers.
        experiments: From a scale to the experiments that run under it.
        claims: All claims of the paper, also those that cannot be run.
        deviations: All places where a run differs from the paper.
        controls: Sabotages with predicted effects.
        tables: Tables of the report.
        figures: Figures of the report.
        exhibits: Single results that the report shows.
        own_units: Where methods need not answer the same units.
        bindings: Names for ``--bind NAME=PATH``, each with the name of the resource it replaces.
        rehearsal: How profiles for larger machines are tried out on small ones.
        folder: Where ``paper.toml`` and ``reference/`` are.
    """

    paper: Paper
    experiments: Callable[[Scale], Sequence[Experiment]]
    claims: tuple[Claim, ...]
    deviations: tuple[Deviation, ...]
    folder: Path
    controls: tuple[Control, ...] = ()
    tables: tuple[PaperTable, ...] = ()
    figures: tuple[PaperFigure, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    own_units: tuple[OwnUnits, ...] = ()
    bindings: Mapping[str, str] = field(default_factory=dict)
    rehearsal: Rehearsal = field(default_factory=Rehearsal)

    @property
    def slug(self) -> str:
        """The name used in commands: ``spectr``."""
        return self.paper.slug
