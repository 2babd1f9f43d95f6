"""How evidence and reports see a run, whatever it is stored in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

    from harness.store.kept import KeptCell
    from harness.store.records import RunRecord, TrialRecord

TIMED_METHOD = "*"
"""The method id of a timed trial; its arms are in the column ``arm``."""


def trial_id(experiment: str, task: str, method: str, seed: int) -> str:
    """The id of a main trial."""
    return f"{experiment}/{task}/{method}/{seed}"


class MainTrial(NamedTuple):
    """A trial that verdicts rest on."""

    id: str
    experiment: str
    task: str
    method: str
    seed: int


def main_trials(planned: Iterable[str]) -> Iterator[MainTrial]:
    """What a run has planned; a run of one trial alone may have planned one that tunes, which is left out."""
    for trial in planned:
        experiment, task, method, *point, seed = trial.split("/")
        if not point:
            yield MainTrial(trial, experiment, task, method, int(seed))


class RunView(Protocol):
    """Read access to a run."""

    @property
    def record(self) -> RunRecord:
        """What was asked for."""

    @property
    def is_committed(self) -> bool:
        """Whether these are the results that are committed with a suite."""

    @property
    def omitted(self) -> frozenset[str]:
        """Trials of which committed results leave rows out for their size."""

    @property
    def kept(self) -> Mapping[str, KeptCell] | None:
        """The cells of which committed results keep the values, by key; ``None`` if rows are all there is."""

    @property
    def trials(self) -> Mapping[str, TrialRecord]:
        """The last record of each trial, by id."""

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one evaluation set of a finished trial, as columns.

        Raises:
            OmittedRowsError: If committed results leave them out for their size.
            RecordError: If the rows are missing or damaged.
        """


def not_finished(view: RunView) -> list[str]:
    """Planned trials that have neither a result nor a failure yet: the run was interrupted."""
    return [trial for trial in view.record.planned if trial not in view.trials]


def trials_sha256(view: RunView) -> str:
    """Hash over what the trials of a run returned, so that a verdict can name its evidence.

    It changes when a trial is added, rerun or returns other rows, not with its cost or log.
    """
    from hashlib import sha256

    lines = sorted(
        f"{trial}\t{record.status}\t{record.fingerprint}\t{record.units_sha256}"
        for trial, record in view.trials.items()
    )
    return sha256("\n".join(lines).encode()).hexdigest()
