"""What trials took before, on whatever machine: the best that is known of what they will take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

from harness import cuda
from harness.cli.remaining import kind_of
from harness.cli.runs import committed_folders
from harness.errors import CorroborateError
from harness.processor import cpu_model
from harness.store import RunReader, list_runs, open_run
from harness.store.records import RunRecord, TrialRecord
from harness.suite import Scale, Suite

RUNS_READ = 3
"""Earlier runs of the same suite and profile that are looked at, the newest."""
IN_COMMON = 5
"""Trials that took some time both here and elsewhere, before the two machines are compared."""

ALIKE = 3
"""Artifacts of a class that took about the same time, before another is taken to be like them."""
UNLIKE = 3.0
"""Times that differ by this factor are not about the same."""

_ARTIFACT = "artifact/"

Job = tuple[str, str]
"""A device kind, and the id of a trial or artifact."""


def known_costs(suite: Suite, scale: Scale, runs: Path) -> dict[str, float]:
    """Seconds by trial, of the suite's committed results and of earlier runs, which count more."""
    found = recorded_costs(suite, scale, runs)
    return {name: seconds for costs in (found.elsewhere, found.here) for (_, name), seconds in costs.items()}


@dataclass(frozen=True)
class Costs:
    """Seconds that trials and artifacts took.

    Attributes:
        here: In runs of this machine.
        elsewhere: In committed results, and in runs of other machines.
        machines: What computed elsewhere.
    """

    here: Mapping[Job, float]
    elsewhere: Mapping[Job, float]
    machines: tuple[str, ...] = ()

    @cached_property
    def factor(self) -> float | None:
        """What this machine takes by what others took; nothing before enough trials ran on both."""
        shared = self.here.keys() & self.elsewhere.keys()
        there = sum(self.elsewhere[job] for job in shared)
        if len(shared) < IN_COMMON or there <= 0:
            return None
        return sum(self.here[job] for job in shared) / there

    def seconds(self, job: Job) -> float | None:
        """What a job will take: what it took, else the mean of others like it; nothing if none is known."""
        if job in self._known:
            return self._known[job]
        return self._kinds.get((job[0], _kind_of(job[1])))

    @cached_property
    def _known(self) -> dict[Job, float]:
        factor = self.factor or 1.0
        return {**{job: factor * seconds for job, seconds in self.elsewhere.items()}, **self.here}

    @cached_property
    def _kinds(self) -> dict[tuple[str, str], float]:
        alike: dict[tuple[str, str], list[float]] = {}
        for (device, name), seconds in self._known.items():
            alike.setdefault((device, _kind_of(name)), []).append(seconds)
        return {
            (device, kind): fmean(found)
            for (device, kind), found in alike.items()
            if not kind.startswith(_ARTIFACT) or _of_seeds(found)
        }


def _kind_of(job: str) -> str:
    """Of an artifact its class, which stands before a digest of its fields."""
    return job.rpartition("-")[0] if job.startswith(_ARTIFACT) else kind_of(job)


def _of_seeds(seconds: Sequence[float]) -> bool:
    """Whether artifacts of one class seem to be each seed's own: two that differ in size take other times."""
    return len(seconds) >= ALIKE and max(seconds) <= UNLIKE * min(seconds)


def recorded_costs(suite: Suite, scale: Scale, runs: Path) -> Costs:
    """What is recorded of a suite's trials under a profile."""
    here: dict[Job, float] = {}
    elsewhere: dict[Job, float] = {}
    machines: list[str] = []
    for folder, is_own in _folders(suite, scale, runs):
        # An estimate is not worth a run: what cannot be read is passed over.
        with suppress(CorroborateError, OSError, ValueError):
            reader = open_run(folder)
            costs, made_here = _costs(reader), is_own and _is_this_machine(reader.record)
            (here if made_here else elsewhere).update(costs)
            machines += [] if made_here else [reader.record.hardware]
    return Costs(here, elsewhere, tuple(dict.fromkeys(filter(None, machines))))


def _costs(reader: RunReader) -> dict[Job, float]:
    return {
        (_device(record), record.trial): record.cost.wall_s
        for record in reader.trials.values()
        if record.status in ("ok", "diverged")
    }


def _device(record: TrialRecord) -> str:
    return record.device or "cpu"  # Older records name none, and are of runs on the CPU.


def _is_this_machine(record: RunRecord) -> bool:
    gpus = cuda.driver().gpus if record.device == "cuda" else ()
    return record.hardware == (gpus[0].name if gpus else cpu_model())


def _folders(suite: Suite, scale: Scale, runs: Path) -> Iterator[tuple[Path, bool]]:
    """Where to look, what counts most last, and whether it is a run of the user's."""
    yield from ((folder, False) for folder in reversed(committed_folders(suite, scale)))
    mine = [run for run in list_runs(runs) if run.name.startswith(f"{suite.slug}-{scale.profile.value}-")]
    yield from ((run, True) for run in mine[-RUNS_READ:])
