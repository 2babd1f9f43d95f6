"""What of a run goes into a bundle: its records as they are, without folders of the machine that made it."""

from __future__ import annotations

from pathlib import Path

from harness.bundle.files import OWN, Content
from harness.plan.stored import FIELDS_FILE
from harness.store import RunReader
from harness.store.records import VerdictsRecord

TRIALS = "trials.jsonl"


def record_files(reader: RunReader, verdicts: VerdictsRecord) -> dict[str, Content]:
    """The files that a run is read from, by their path in its folder.

    Committed results are taken as they are. Of a run, what trials printed stays behind, and the unit rows of
    each trial are checked against its record.

    Args:
        reader: The run.
        verdicts: What is stored as its verdicts.

    Raises:
        RecordError: If rows are missing or damaged.
    """
    if reader.is_committed:
        return dict(_committed(reader.folder))
    found: dict[str, Content] = {
        "run.json": _pretty(reader.record.without_folders().as_json(indent=1)),
        TRIALS: reader.folder / TRIALS,
        "verdicts.json": _pretty(verdicts.as_json(indent=1)),
    }
    if (fields := reader.folder / FIELDS_FILE).is_file():
        found[FIELDS_FILE] = fields
    for name, record in reader.trials.items():
        if record.units_file:
            reader.check(name)  # Damaged rows are refused here.
    return found | {name: reader.folder / name for name in files_of_rows(reader)}


def files_of_rows(reader: RunReader) -> dict[str, str]:
    """What the files of a run's unit rows hold, in words, by their path in its folder."""
    told = {
        f"units/{one.units_file}": f"trial {one.trial}" for one in reader.trials.values() if one.units_file
    }
    alone = {name: words for name, words in told.items() if (reader.folder / name).is_file()}
    packed = {
        pack.path.relative_to(reader.folder).as_posix(): f"experiment {pack.experiment}, part {pack.part}"
        for pack in reader.packs.all
    }
    return alone | packed


def _committed(folder: Path) -> list[tuple[str, Content]]:
    """The files of committed results, also where they lie in an opened bundle."""
    found = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))
    return [(path.name, path) for path in found if path.name not in OWN]


def _pretty(text: str) -> bytes:
    return text.encode() + b"\n"


def unfinished(reader: RunReader) -> list[str]:
    """Planned trials without a result."""
    trials = reader.trials
    return [
        name
        for name in reader.record.planned
        if name not in trials or trials[name].status not in {"ok", "diverged"}
    ]
