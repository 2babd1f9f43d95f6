"""``corroborate cache``: what the cache holds, and removing what is not needed any more."""

from __future__ import annotations

import argparse
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness.claims import Profile
from harness.cli.needs import resources_of_all
from harness.cli.options import add_runs
from harness.cli.runs import tell
from harness.cli.suites import broken_suites, suite_names, usable_suites
from harness.engine.artifact import read_manifest
from harness.engine.jobs import ANSWERS
from harness.errors import ExitCode, UsageError
from harness.resources import Resolver, home_folder
from harness.resources.cache import read_entry, size_of
from harness.store import list_runs, list_single_trials, readable_runs, runs_folder

_RESOURCE = re.compile(r"(?P<key>[0-9a-f]{12})(?P<rest>\.partial|\.corrupt|)")
_ARTIFACT = re.compile(
    r"(?P<hidden>\.?)(?P<name>[^.]+-(?P<key>[0-9a-f]{16})-[0-9a-f]{8})(?P<rest>\.building\S*|\.checkpoints|)"
)
_CONTENT = re.compile(r"(?P<hidden>\.?)(?P<key>[0-9a-f]{64})(?P<rest>\.[0-9a-f]{8}\.part|)")
_UNITS_S = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


@dataclass(frozen=True)
class Entry:
    """One removable folder of the cache.

    Attributes:
        kind: ``resource``, ``artifact``, ``content`` (what came to a node from an artifact store) or
            ``leftover`` (of an interrupted or corrupted fill).
        name: What it is.
        folder: Where it is.
        size: In bytes.
        used: When it was last used, as a time stamp in seconds.
        lock: Held by a process that fills the entry.
    """

    kind: str
    name: str
    folder: Path
    size: int
    used: float
    lock: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", nargs="?", choices=("show", "prune"), default="show")
    parser.add_argument(
        "--older-than", metavar="AGE", help="prune what was not used for that long: 12h, 30d, 8w"
    )
    parser.add_argument(
        "--unused", action="store_true", help="prune what no run here and no installed suite refers to"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be removed, and remove nothing"
    )
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Show or prune."""
    home = home_folder()
    found = entries(home)
    if args.action == "show":
        print(f"{home}")
        _print(found)
        return ExitCode.OK
    if not args.older_than and not args.unused:
        raise UsageError(
            "Nothing is chosen to be pruned",
            where="cache prune",
            fix="Give --older-than AGE, --unused, or both.",
        )
    chosen = _chosen(found, args)
    _print(chosen)
    if not args.dry_run:
        print(f"freed {_mb(sum(entry.size for entry in chosen if _removed(entry)))}")
    return ExitCode.OK


def entries(home: Path) -> list[Entry]:
    """All entries of the cache, the biggest first.

    Only what this program wrote counts, by its name and by what is in it: the folder of the cache may
    be one that a user keeps other things in.
    """
    found = [
        *_resources(home / "resources"),
        *_artifacts(home / "artifacts"),
        *_contents(home / "content"),
        *_answers(home / ANSWERS),
    ]
    return sorted(found, key=lambda entry: -entry.size)


def _resources(root: Path) -> Iterator[Entry]:
    for folder in _folders(root, "*/*"):
        found = _RESOURCE.fullmatch(folder.name)
        if found is None:
            continue
        lock = folder.with_name(f"{found['key']}.lock")
        stamp = folder / "source.json"
        if found["rest"] and {path.name for path in folder.iterdir()} <= {"files", stamp.name}:
            yield _entry("leftover", folder.parent.name, folder, stamp, lock)
        elif not found["rest"] and (manifest := read_entry(folder)) and manifest.name == folder.parent.name:
            yield _entry("resource", manifest.name, folder, stamp, lock)


def _artifacts(root: Path) -> Iterator[Entry]:
    for folder in _folders(root, "*"):
        found = _ARTIFACT.fullmatch(folder.name)
        if found is None:
            continue
        name = found["name"]
        stamp, lock = folder / "artifact.json", root / f".{name}.lock"
        # Hidden folders are being built, or were when their process died.
        if found["hidden"] and found["rest"]:
            yield _entry("leftover", name, folder, stamp, lock)
        elif not found["hidden"] and not found["rest"] and _fingerprint(folder)[:16] == found["key"]:
            yield _entry("artifact", name, folder, stamp, lock)


def _contents(root: Path) -> Iterator[Entry]:
    for folder in _folders(root, "*"):
        found = _CONTENT.fullmatch(folder.name)
        if found is not None and bool(found["hidden"]) == bool(found["rest"]):
            kind = "leftover" if found["rest"] else "content"
            yield _entry(kind, found["key"][:12], folder, folder, root / f".{found['key']}.lock")


def _answers(root: Path) -> Iterator[Entry]:
    """Answers of servers to artifacts whose building has failed, or was killed."""
    for folder in _folders(root, "*"):
        names = [path.name for path in folder.iterdir()]
        if names and all(name.endswith(".answers.jsonl") for name in names):
            yield _entry("leftover", folder.name, folder, folder, root / f".{folder.name}.lock")


def _folders(root: Path, pattern: str) -> list[Path]:
    """The folders below a root that are no links to what lies elsewhere."""
    return sorted(path for path in root.glob(pattern) if path.is_dir() and not path.is_symlink())


def _entry(kind: str, name: str, folder: Path, stamp: Path, lock: Path) -> Entry:
    used = (stamp if stamp.is_file() else folder).stat().st_mtime
    return Entry(kind, name, folder, size_of(folder), used, lock)


def _chosen(found: list[Entry], args: argparse.Namespace) -> list[Entry]:
    """Entries that meet every given condition."""
    chosen = found
    if args.older_than:
        limit = time.time() - _age_s(args.older_than)
        chosen = [entry for entry in chosen if entry.used < limit]
    if args.unused:
        needed = _needed_folders(runs_folder(args.runs))
        chosen = [entry for entry in chosen if not _is_needed(entry, needed)]
    return chosen


def _age_s(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", text)
    if not match:
        raise UsageError(f"'{text}' is not an age", where="--older-than", fix="Write 12h, 30d or 8w.")
    return float(match[1]) * _UNITS_S[match[2]]


def _needed_folders(runs: Path) -> tuple[set[Path] | None, set[str]]:
    """Folders of resources that suites declare, and fingerprints of artifacts that runs used.

    Where a suite cannot be used, nobody knows which resources it declares: then there are no folders.
    """
    passed_over: list[str] = []
    suites, broken = usable_suites(), broken_suites()
    folders: set[Path] | None = None
    if broken or len(suites) < len(suite_names()):
        passed_over += [f"without suite '{name}': {reason}" for name, reason in broken.items()]
        passed_over.append("all resources are kept: what that suite needs of them is not known")
    else:
        resolver = Resolver.from_environment()
        declared = resources_of_all(suites, list(Profile))
        folders = {folder for resource in declared.values() if (folder := resolver.cached(resource))}
    used = readable_runs([*list_single_trials(runs), *list_runs(runs)], passed_over)
    records = [record for run in used for record in run.trials.values()]
    tell(passed_over)
    return folders, {record.fingerprint for record in records if record.kind == "artifact"}


def _is_needed(entry: Entry, needed: tuple[set[Path] | None, set[str]]) -> bool:
    folders, fingerprints = needed
    if entry.kind == "artifact":
        return _fingerprint(entry.folder) in fingerprints
    return entry.kind == "resource" if folders is None else entry.folder in folders


def _fingerprint(folder: Path) -> str:
    """The fingerprint of a built artifact; empty if its manifest is not one of ours."""
    try:
        manifest = read_manifest(folder)
        told = [manifest[name] for name in ("fingerprint", "class", "title", "environment")]
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    return told[0] if all(isinstance(text, str) for text in told) else ""


def _removed(entry: Entry) -> bool:
    """Remove an entry, unless a process is filling it."""
    try:
        with FileLock(entry.lock, timeout=0):
            shutil.rmtree(entry.folder)
    except Timeout:
        print(f"kept {entry.name}: another process is filling it")
        return False
    except OSError as error:
        print(f"kept {entry.name}: {error}")
        return False
    return True


def _print(found: list[Entry]) -> None:
    for entry in found:
        days = max(time.time() - entry.used, 0.0) / 86400
        print(
            f"  {entry.kind:9} {_mb(entry.size):>10}  used {days:5.1f} days ago  {entry.name}  {entry.folder}"
        )
    print(f"  {len(found)} entries, {_mb(sum(entry.size for entry in found))}")


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
