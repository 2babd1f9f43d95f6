"""The index page: the committed results of every suite, and all runs of a folder."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from harness.errors import RecordError
from harness.store import committed_report, holds_run, open_run
from harness.store.records import RunRecord, VerdictsRecord
from harness.store.view import RunView, not_finished
from harness.text import plural
from reports.html import environment
from reports.own_files import refuse_foreign
from reports.sections.headline import VERDICTS
from reports.thumbnail import address, stored
from reports.write import write_file


@dataclass(frozen=True)
class Entry:
    """One run on the index page.

    Attributes:
        name: Name of the run's folder.
        record: What was asked for; nothing if it cannot be read.
        counts: Verdicts of whole claims, in the usual order; empty before judging.
        link: Address of the report, relative to the index; empty without one that is up to date.
        command: What writes the report.
        problem: Why a record could not be read.
        image: The headline figure as the address of an image; empty if there is none.
        unfinished: How many of its trials have not finished; empty if none is left.
    """

    name: str
    record: RunRecord | None
    counts: tuple[tuple[str, int], ...]
    link: str
    problem: str = ""
    command: str = ""
    image: str = ""
    unfinished: str = ""


Thumbnail = Callable[[Path], str]
"""From a folder of committed results to an SVG of their headline figure, or to nothing."""


def write_index(
    runs_folder: Path,
    references: Mapping[str, Path] = MappingProxyType({}),
    thumbnail: Thumbnail = lambda _: "",
) -> Path:
    """Write ``index.html`` into a runs folder, newest run first.

    Args:
        runs_folder: The folder with the runs.
        references: Folders of committed results, by suite; each has one folder a profile.
        thumbnail: Draws the headline figure of committed results whose report is not written.

    Raises:
        UsageError: If there is a page of that name that no report has written.
        RecordError: If there is neither a run nor a committed result, or the page cannot be written.
    """
    if not runs_folder.is_dir() and not references:
        raise RecordError(
            "There is no folder of runs",
            where=str(runs_folder),
            fix="Run a suite first: corroborate run SUITE",
        )
    refuse_foreign(runs_folder, ["index.html"])
    entries = _entries(runs_folder)
    entries.sort(key=lambda entry: entry.record.order if entry.record else "", reverse=True)
    suites: dict[str, list[Entry]] = {}
    for entry in entries:
        suites.setdefault(entry.record.suite if entry.record else "Unreadable", []).append(entry)
    kept = {
        suite: [_committed(entry, folder, runs_folder, thumbnail) for entry in _entries(folder)]
        for suite, folder in references.items()
    }
    page = environment().get_template("index.html.j2").render(suites=suites, total=len(entries), kept=kept)
    return write_file(runs_folder / "index.html", page)


def _entries(folder: Path) -> list[Entry]:
    """What can be shown of each record in a folder, by name."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [_entry(path) for path in found if holds_run(path) and not path.name.startswith(".")]


def _committed(entry: Entry, references: Path, runs_folder: Path, thumbnail: Thumbnail) -> Entry:
    """An entry of committed results, whose report is kept beside the runs."""
    record = entry.record
    if record is None:
        return entry
    folder = committed_report(runs_folder, record.suite, record.profile, full=record.full)
    page = folder / "index.html"
    current = _is_newer(page, references / entry.name)
    link = quote(page.relative_to(runs_folder).as_posix()) if current else ""
    command = f"corroborate report {record.suite} --reference --profile {entry.name}"
    svg = (stored(folder) if current else "") or thumbnail(references / entry.name)
    return replace(entry, link=link, command=command, image=address(svg))


def _is_newer(page: Path, folder: Path) -> bool:
    """Whether a report is there that was written after the results: later ones may have replaced them."""
    written = [file.stat().st_mtime_ns for file in folder.iterdir() if file.is_file()]
    return page.is_file() and page.stat().st_mtime_ns >= max(written)


def _entry(path: Path) -> Entry:
    report = path / "report" / "index.html"
    link = f"{quote(path.name)}/report/index.html" if report.is_file() else ""
    try:
        reader = open_run(path)
        command = f"corroborate report {shlex.quote(path.name)}"
        image = address(stored(report.parent)) if link else ""
        return Entry(
            path.name,
            reader.record,
            _counts(reader.verdicts),
            link,
            command=command,
            image=image,
            unfinished=_unfinished(reader),
        )
    except RecordError as error:
        # One damaged run must not hide all the others.
        return Entry(path.name, None, (), link, problem=error.what)


def _unfinished(view: RunView) -> str:
    missing = len(not_finished(view))
    return f"{missing} of {plural(len(view.record.planned), 'planned trial')} not finished" if missing else ""


def _counts(verdicts: VerdictsRecord | None) -> tuple[tuple[str, int], ...]:
    if verdicts is None:
        return ()
    whole = [*verdicts.wholes, *(verdict for verdict in verdicts.verdicts if not verdict.parent)]
    counts: Counter[str] = Counter(verdict.verdict for verdict in whole)
    return tuple((name, counts[name]) for name in VERDICTS if counts[name])
