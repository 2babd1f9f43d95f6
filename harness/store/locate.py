"""Where runs are, and how a user names one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from harness.errors import UsageError, unknown_name

SINGLE_TRIALS = "trials"
"""Folder inside the runs folder for trials that were run one by one."""


def runs_folder(given: str | Path | None = None) -> Path:
    """The folder of all runs: as given, else ``CORROBORATE_RUNS``, else ``runs`` here."""
    return Path(given or os.environ.get("CORROBORATE_RUNS") or "runs")


def list_runs(folder: Path) -> list[Path]:
    """All runs in a runs folder, the oldest first."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if (path / "run.json").is_file()]
    return sorted(found, key=lambda path: ((path / "run.json").stat().st_mtime_ns, path.name))


def list_single_trials(folder: Path) -> list[Path]:
    """The folders of trials that were run one by one, the oldest first; runs take finished trials there."""
    return list_runs(folder / SINGLE_TRIALS)


def single_trial_folder(folder: Path, suite: str, profile: str, fingerprint: str, environment: str) -> Path:
    """Where a trial that is run by itself is kept: the same place each time, so that it can go on."""
    place = sha256(environment.encode()).hexdigest()[:8]
    return folder / SINGLE_TRIALS / f"{suite}-{profile}-{fingerprint[:20]}-{place}"


def new_run_folder(folder: Path, suite: str, profile: str) -> Path:
    """A new folder, named after suite, profile and time; two runs that start at once get two."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    base = folder / f"{suite}-{profile}-{stamp}"
    path, count = base, 1
    while True:
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            count += 1
            path = base.with_name(f"{base.name}-{count}")
        except OSError:
            return path  # Its writer will say what is wrong.
        else:
            return path


def find_run(name: str, folder: Path) -> Path:
    """The run that ``name`` means.

    Args:
        name: A path to a run, a run's name, or the start of one (``spectr``,
            ``spectr-small``): then the newest such run.
        folder: The runs folder.

    Raises:
        UsageError: If there is none.
    """
    path = Path(name)
    if (path / "run.json").is_file():
        return path
    if (folder / name / "run.json").is_file():
        return folder / name
    runs = list_runs(folder)
    matching = [run for run in runs if run.name.startswith(f"{name}-") or not name]
    if matching:
        return matching[-1]
    if not runs:
        raise UsageError(
            f"There is no run '{name}'",
            where=str(folder),
            fix="Start one with 'corroborate run SUITE', or name its folder.",
        )
    raise unknown_name("run", name, [run.name for run in runs], where=str(folder))
