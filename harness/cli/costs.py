"""What trials took before, on whatever machine: the best that is known of what they will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.cli.runs import committed_folders
from harness.errors import CorroborateError
from harness.store import list_runs, open_run
from harness.suite import Scale, Suite

RUNS_READ = 3
"""Earlier runs of the same suite and profile that are looked at, the newest."""


def known_costs(suite: Suite, scale: Scale, runs: Path) -> dict[str, float]:
    """Seconds by trial, of the suite's committed results and of earlier runs, which count more."""
    found: dict[str, float] = {}
    for folder in _folders(suite, scale, runs):
        # An estimate is not worth a run: what cannot be read is passed over.
        with suppress(CorroborateError, OSError, ValueError):
            trials = open_run(folder).trials.values()
            found |= {
                record.trial: record.cost.wall_s
                for record in trials
                if record.kind == "trial" and record.status in ("ok", "diverged")
            }
    return found


def _folders(suite: Suite, scale: Scale, runs: Path) -> Iterator[Path]:
    """Where to look, what counts most last."""
    yield from reversed(committed_folders(suite, scale))
    mine = [run for run in list_runs(runs) if run.name.startswith(f"{suite.slug}-{scale.profile.value}-")]
    yield from mine[-RUNS_READ:]
