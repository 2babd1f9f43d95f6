"""Experiments: methods × tasks × seeds, and at which scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from harness.claims import Profile
from harness.errors import SuiteError
from harness.method.contract import Method, Task
from harness.method.footprint import Use
from harness.method.metric import Metric


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


Methods = dict[str, Method[Any, Any] | Tuned]
"""Methods of an experiment, by id."""


def numbers(grid: Iterable[float | int | str]) -> list[float]:
    """The values of a grid that have an order, sorted; switches have none."""
    return sorted(value for value in grid if isinstance(value, int | float) and not isinstance(value, bool))


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Marks an experiment as a measurement of time.

    All its methods are arms of one trial: they run in turn in every block, in an order drawn
    anew for each block, after ``warmup`` blocks that are not recorded, with nothing else
    running. Part ``"time"`` has the columns ``unit_id`` (the block), ``arm`` and ``seconds``. One more
    arm, ``calibration``, is a fixed amount of arithmetic, to which times of other days are compared.
    """

    blocks: int = 8
    warmup: int = 1


FIRST_SEED = 100
"""Lower seeds are for pilots and tuning in every suite, and never enter a verdict."""


@dataclass(frozen=True)
class FirstSeed:
    """The lowest seed that may enter a verdict of a suite; lower ones were seen before its rules were fixed.

    Attributes:
        seed: At least :data:`FIRST_SEED`.
        why: What the seeds below were seen for.

    Raises:
        SuiteError: If a lower one is given.
    """

    seed: int = FIRST_SEED
    why: str = "Seeds below 100 are for pilots and tuning."

    def __post_init__(self) -> None:
        if self.seed < FIRST_SEED:
            fix = f"Take at least {FIRST_SEED}: lower ones are for pilots and tuning in every suite."
            raise SuiteError(f"No verdict may start at seed {self.seed}", where="FirstSeed", fix=fix)

    def take(self, count: int) -> tuple[int, ...]:
        """So many seeds, from the first on."""
        return tuple(range(self.seed, self.seed + count))

    def own(self, count: int) -> dict[str, Any]:
        """The seeds of an experiment that starts here and not at the suite's first: ``**FIRST.own(5)``."""
        return {"seeds": self.take(count), "first_seed": self}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Methods × tasks × seeds.

    Attributes:
        id: Unique in the suite.
        title: What it shows.
        tasks: By id.
        methods: By id; methods a user adds join those with the same problem type.
        seeds: Seeds of the verdict, from the suite's first on: ``FIRST.take(5)``.
        unit: What a unit row is about: "prompt", "item".
        timed: Set if seconds are what is measured.
        threads: CPU threads of a trial.
        minutes: Hard limit of a trial.
        memory_gb: Main memory of a trial for data and Python; with ``device_gb``, its hard limit.
        device_gb: Memory that its models need on the computing device, which on the CPU is main
            memory too: one number, or one for each pair (task id, method id). See
            :mod:`harness.method.sizes`. Trials that cannot fit are left out with the reason; those
            that need less than half of a GPU share it. Without it a trial has a GPU for itself.
        gpus: GPUs that one trial has for itself, for models larger than one: one number, or one for each
            pair (task id, method id); 2 or more, or 0 where ``device_gb`` says it. ``device_gb`` then is
            what they hold together. A run on the CPU has as many processes instead. It is part of what a
            result depends on: sums over parts round differently.
        device: ``"cpu"`` if a GPU is of no use to it; it then runs beside those that need it.
        tf32: Why products of float32 may be computed in TF32 on a GPU; empty if they may not.
        uses: What arms do with large models, by pair (task id, method id), for telling their memory part by
            part; it decides nothing. See :mod:`harness.method.footprint`.
        only: Pairs (task id, method id) to run, if not all.
        first_seed: Where more seeds were seen than the suite's own first seed says.
        most_seeds: How many seeds it can have, where each takes a part of the data of its own.
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
    gpus: int | Mapping[tuple[str, str], int] = 0
    device: Literal["any", "cpu"] = "any"
    tf32: str = ""
    uses: Mapping[tuple[str, str], Use] = field(default_factory=dict)
    only: frozenset[tuple[str, str]] | None = None
    first_seed: FirstSeed | None = None
    most_seeds: int | None = None

    def device_need(self, task_id: str, method_ids: Iterable[str]) -> float | None:
        """Memory in GB that the models of a trial need, or ``None`` if that is not declared."""
        if not isinstance(self.device_gb, Mapping):
            return self.device_gb
        known = [self.device_gb.get((task_id, method_id)) for method_id in method_ids]
        return max((gb for gb in known if gb is not None), default=None)

    def gpu_count(self, task_id: str, method_ids: Iterable[str]) -> int:
        """GPUs that a trial has for itself, or 0 where its memory says what it takes of one."""
        if not isinstance(self.gpus, Mapping):
            return self.gpus
        return max((self.gpus.get((task_id, method_id), 0) for method_id in method_ids), default=0)


def on_cpu(experiments: Iterable[Experiment]) -> tuple[Experiment, ...]:
    """The experiments, kept off the GPU: small worlds and exact checks gain nothing there."""
    return tuple(replace(experiment, device="cpu") for experiment in experiments)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What a suite is asked to plan."""

    profile: Profile
    full: bool = False
    """Wider grids and more seeds, for committed results."""
