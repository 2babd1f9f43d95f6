"""Where runs are, and how a user names one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import UsageError, unknown_name
from harness.text import expanded, parsed_json

SINGLE_TRIALS = "trials"
"""Folder inside the runs folder for trials that were run one by one."""

STAMP = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"(?P<suite>.+)-(?P<profile>[a-z]+)-(?P<stamp>\d{8}-\d{6})(?:-(?P<count>\d+))?")


def runs_folder(given: str | Path | None = None) -> Path:
    """The folder of all runs: as given, else ``CORROBORATE_RUNS``, else ``runs`` here."""
    return expanded(given or os.environ.get("CORROBORATE_RUNS") or "runs")


@dataclass(frozen=True)
class _Heading:
    """What tells runs apart: by the record, and by the folder's name where that cannot be read."""

    folder: Path

    @cached_property
    def _record(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            raw = parsed_json((self.folder / "run.json").read_bytes())
            return raw if isinstance(raw, dict) else {}
        return {}

    @cached_property
    def _name(self) -> dict[str, Any]:
        found = _NAME.fullmatch(self.folder.name)
        return found.groupdict() if found else {}

    @property
    def suite(self) -> str:
        """The suite's slug."""
        return str(self._record.get("suite") or self._name.get("suite") or "")

    @property
    def profile(self) -> str:
        """``suite-profile``, as folders begin."""
        return f"{self.suite}-{self._record.get('profile') or self._name.get('profile') or ''}"

    @cached_property
    def age(self) -> tuple[datetime, bool, int, str]:
        """Sorts by the time when the run was started, which copying and touching files leaves alone."""
        is_own = self._record.get("run") == self.folder.name
        return (self._started(), is_own, int(self._name.get("count") or 1), self.folder.name)

    def _started(self) -> datetime:
        made = self._record.get("provenance")
        created = made.get("created") if isinstance(made, dict) else None
        told = [time for text in (created, self._record.get("follows")) if (time := _time(text))]
        if told:
            return max(told)
        with suppress(KeyError, ValueError):
            return datetime.strptime(self._name["stamp"], STAMP).replace(tzinfo=UTC)
        return datetime.min.replace(tzinfo=UTC)


def _time(text: object) -> datetime | None:
    """A time as records give it; nothing if it is none."""
    with suppress(TypeError, ValueError):
        found = datetime.fromisoformat(text)  # type: ignore[arg-type]
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _headings(folder: Path) -> list[_Heading]:
    """All runs in a folder, the oldest first."""
    try:
        found = [_Heading(path) for path in folder.iterdir() if holds_run(path)]
    except OSError:
        return []
    return sorted(found, key=lambda heading: heading.age)


def holds_run(folder: Path) -> bool:
    """Whether there is a run in a folder, as far as one may look."""
    with suppress(OSError):
        return (folder / "run.json").is_file()
    return False


def list_runs(folder: Path) -> list[Path]:
    """All runs in a runs folder, the oldest first, by the time that their records give."""
    return [heading.folder for heading in _headings(folder)]


def after_newest(folder: Path, created: str) -> str:
    """When a run that begins now comes after the runs in a folder, if the clock was set back since.

    Args:
        folder: The runs folder.
        created: What the clock says, in ISO 8601.

    Returns:
        A time just after that of the newest run; empty if the clock says more than that.
    """
    newest = max((run.age[0] for run in _headings(folder)), default=None)
    if newest is None or newest < datetime.fromisoformat(created):
        return ""
    return (newest + timedelta(milliseconds=1)).isoformat(timespec="milliseconds")


def list_single_trials(folder: Path) -> list[Path]:
    """The folders of trials that were run one by one, the oldest first; runs take finished trials there."""
    return list_runs(folder / SINGLE_TRIALS)


def committed_report(folder: Path, suite: str, profile: str, *, full: bool) -> Path:
    """Where the report on a suite's committed results is written, beside the runs."""
    return folder / "references" / f"{suite}-{profile}{'-full' if full else ''}"


def single_trial_folder(folder: Path, suite: str, profile: str, fingerprint: str, environment: str) -> Path:
    """Where a trial that is run by itself is kept: the same place each time, so that it can go on."""
    place = sha256(environment.encode()).hexdigest()[:8]
    return folder / SINGLE_TRIALS / f"{suite}-{profile}-{fingerprint[:20]}-{place}"


def new_run_folder(folder: Path, suite: str, profile: str) -> Path:
    """A new folder, named after suite, profile and time; two runs that start at once get two."""
    base = folder / f"{suite}-{profile}-{datetime.now(UTC).strftime(STAMP)}"
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
        name: A path to a run; a run's name; a suite, with or without a profile (``spectr``,
            ``spectr-small``): then its newest run; or the beginning of a run's name that goes as far as
            its date.
        folder: The runs folder.

    Raises:
        UsageError: If there is none.
    """
    for path in (expanded(name), folder / name):
        if name and holds_run(path):
            return path
    runs = _headings(folder)
    # A suite may be called as another one's runs begin: robust, robust-2026, robust-small.
    meanings: list[Callable[[_Heading], bool]] = [
        lambda run: run.suite == name,
        lambda run: run.profile == name,
        lambda run: name.startswith(f"{run.profile}-") and run.folder.name.startswith(f"{name}-"),
    ]
    for means in meanings:
        if matching := [run.folder for run in runs if means(run)]:
            return matching[-1]
    if not runs:
        raise UsageError(
            f"There is no run '{name}'",
            where=str(folder),
            fix="Start one with 'corroborate run SUITE', or name its folder.",
        )
    raise unknown_name("run", name, [run.folder.name for run in runs], where=str(folder))


def newest_run(folder: Path, suite: str, profile: str) -> Path:
    """The newest run of a suite under a profile.

    Raises:
        UsageError: If there is none.
    """
    for run in reversed(_headings(folder)):
        if (run.suite, run.profile) == (suite, f"{suite}-{profile}"):
            return run.folder
    raise UsageError(
        f"There is no run of '{suite}' under '{profile}'",
        where=str(folder),
        fix="Start one with 'corroborate run SUITE', or name its folder.",
    )
