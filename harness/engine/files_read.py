"""Files that the code of a trial reads without having declared them.

A result depends on every file that was read for it. Resources, artifacts and ``reads`` are declared and
part of the fingerprint; anything else that code outside the libraries opens is noticed here, kept in the
trial's record with a hash, and compared before the trial stands for another one. Python tells of files
that are opened and of folders that are listed (PEP 578), those at import included. What compiled code
or another program opens by itself it does not tell of: that is what ``reads`` is for.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from importlib.util import source_from_cache
from pathlib import Path
from types import FrameType
from typing import Any

import harness
from harness.durable import write_durably
from harness.engine import imports
from harness.engine.job import ArtifactJob, Job
from harness.errors import RecordError
from harness.method.checkpoints import Checkpoints
from harness.plan import imports as import_statements
from harness.plan.canonical import digest
from harness.plan.closure import PROJECT, Stamp, hash_of_file, is_source, stamp_of
from harness.resources.environment import home_folder

ABSENT = "absent"
"""Stands for the hash of a file that was looked for and not found."""

_READS = {"open": 0, "sqlite3.connect": 0, "ctypes.dlopen": 0, "os.listdir": 0, "os.scandir": 0}
_MAKES = {"os.mkdir": 0, "os.rename": 1}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_SYSTEM = (
    *("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/zoneinfo/"),
    *(f"{place}/lib{bits}/" for place in ("", "/usr") for bits in ("", "32", "64", "x32")),
)
_HARNESS = f"{Path(harness.__file__).parent}{os.sep}"
_IMPORTS = imports.__file__
"""Part of Python's own import as long as it watches: what it opens, the importing code has asked for."""
_ROOT = Path(harness.__file__).parent.parent
_METADATA = str(Path(importlib.metadata.__file__).parent)
_KEPT = ("artifacts", "resources")
"""Folders of the cache whose content the harness itself answers for."""
_NOTE = "files.json"


class _Watch:
    """What this process has opened, and which sources were at work then."""

    def __init__(self) -> None:
        self.readers: dict[str, set[str]] = {}
        self.hashes: dict[str, str] = {}
        self.pending: dict[str, None] = {}
        self.made: set[str] = set()

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _READS or event in _MAKES:
            # Whatever goes wrong here must not go wrong in the code that is watched.
            with suppress(Exception):
                self._note(event, args)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        path = args[_READS.get(event, _MAKES.get(event, 0))]
        if not isinstance(path, str | bytes | os.PathLike):
            return
        if event == "ctypes.dlopen" and os.sep not in os.fsdecode(path):
            return  # A library of the system, by name.
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - a path of this moment, unresolved
        if event in _MAKES or (event == "open" and _writes(args[1], args[2])):
            self.made.add(place)
            return
        frame = sys._getframe(2)  # noqa: SLF001 - the one that opens it
        listing = event in ("os.listdir", "os.scandir")
        if listing and frame.f_code.co_filename.startswith("<frozen importlib"):
            return  # It looks for modules.
        sources = set(_sources(frame))
        if sources:
            name = _source_of(place) + ("/" if listing else "")
            self.readers.setdefault(name, set()).update(sources)
            self.pending[name] = None


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax")
    return bool(flags & _WRITING)


def _sources(frame: FrameType | None) -> Iterator[str]:
    """The source files at work, unless the harness reads on their behalf, or versions are asked for."""
    found = False
    while frame is not None:
        file = frame.f_code.co_filename
        kind = _kind(file)
        if kind in ("harness", "metadata") and not found:
            return
        if kind == "source":
            found = True
            yield file
        frame = frame.f_back


@cache
def _kind(file: str) -> str:
    if file.startswith(_HARNESS) and file != _IMPORTS:
        return "harness"
    if file.startswith(_METADATA):
        return "metadata"
    if file.startswith("<") or file == _IMPORTS:
        return "library"
    return "source" if is_source(Path(file)) else "library"


def _source_of(path: str) -> str:
    """The source of a compiled module, or the path itself."""
    if not path.endswith(".pyc"):
        return path
    with suppress(ValueError, NotImplementedError):
        return source_from_cache(path)
    return path


_watch = _Watch()


@cache
def watch() -> None:
    """Notice files from now on, until this process ends; before foreign code is imported, if possible."""
    sys.addaudithook(_watch)


def taken(job: Job) -> tuple[dict[str, str], str]:
    """What a job that has just ended depends on besides what it declares.

    Returns:
        Hashes of the files that its code has read since the process began, by path (beside the harness, by
        the path from there); and why it cannot stand for another trial at all, or nothing.
    """
    for name in list(_watch.pending):
        _watch.pending.pop(name, None)  # A thread that the code has left may be here, too.
        if _counts(name, job):
            _watch.hashes[name] = content_hash(name)
    loaded = _perhaps_imported(job)
    for name in loaded - set(_watch.hashes):
        _watch.hashes[name] = content_hash(name)
    sources = loaded.union(job.sources)
    known = list(_watch.hashes.items())
    readers = _watch.readers
    found = {n: text for n, text in known if n in loaded or not readers.get(n, set()).isdisjoint(sources)}
    files = {_told(name): text for name, text in sorted(found.items()) if name not in job.sources}
    changed = [name for name, stamp in job.sources.items() if stamp_of(Path(name)) != stamp]
    return files, f"{', '.join(changed[:3])} changed after it was planned" if changed else ""


def _perhaps_imported(job: Job) -> set[str]:
    """Sources that a job may have imported by names which it puts together when it runs.

    Python opens a module once for a process; who asks for it afterwards is not told. So all count that
    are loaded, but for the harness's own repository, whose modules are followed by what they name.
    """
    if not any(imports_by_variable(Path(name), stamp) for name, stamp in job.sources.items()):
        return set()
    modules = [module for name, module in list(sys.modules.items()) if name != "__main__"]
    files = [getattr(module, "__file__", None) for module in modules]
    places = {os.path.abspath(_source_of(file)) for file in files if isinstance(file, str)}  # noqa: PTH100
    return {place for place in places - set(job.sources) if not _is_own(place) and _counts(place, job)}


@lru_cache(maxsize=4096)
def imports_by_variable(path: Path, _stamp: Stamp) -> bool:
    """Whether a source outside the harness's repository puts names of modules together when it runs."""
    if path.suffix != ".py" or _is_own(str(path)):
        return False
    with suppress(OSError, SyntaxError, ValueError):
        return import_statements.imports_by_variable(path)
    return False


def _is_own(place: str) -> bool:
    return any(_is_inside(place, str(_ROOT / folder)) for folder in PROJECT)


def _told(name: str) -> str:
    # The clone of the repository may be another one where records are read.
    return name.removeprefix(f"{_ROOT}{os.sep}")


def _counts(name: str, job: Job) -> bool:
    """Whether a file that was opened is an input that nobody has declared."""
    place = name.rstrip("/")
    # With a slash, so that a list of the processes (/proc/ itself) is no input either.
    if f"{place}/".startswith((*_SYSTEM, _HARNESS)) or not is_source(Path(place)):
        return False
    own = [*job.paths.values(), *job.declared, str(job.checkpoints or ""), str(job.answers or "")]
    own += [str(home_folder() / kept) for kept in _KEPT]
    own += [str(job.target.parent)] if isinstance(job, ArtifactJob) else []
    if any(folder and _is_inside(place, folder) for folder in own):
        return False
    above = [place, *map(str, Path(place).parents)]
    return _watch.made.isdisjoint(above)


def _is_inside(place: str, folder: str) -> bool:
    return place == folder or place.startswith(f"{folder}{os.sep}")


def content_hash(name: str) -> str:
    """Hash of a file now; of a folder (its name ends in a slash) by the names in it."""
    path = _ROOT / name
    try:
        if name.endswith("/"):
            names = sorted(item.name for item in path.iterdir() if item.name != "__pycache__")
            return digest("\n".join(names))
        return _hash(path, stamp_of(path))
    except OSError:
        return ABSENT


@lru_cache(maxsize=4096)
def _hash(path: Path, _stamp: Stamp) -> str:
    return hash_of_file(path)


def changed_files(files: Mapping[str, str]) -> list[str]:
    """Those of the files whose content is another one now."""
    return [name for name, text in files.items() if content_hash(name) != text]


def begin(job: Job, checkpoints: Checkpoints, scratch: Path) -> None:
    """Start to note what a job reads; its state is taken up only while files it has read are as they were.

    What it writes itself from here on is no input of it.
    """
    _watch.made = {str(scratch)}
    folder = checkpoints.folder
    if folder is None:
        return
    note = folder / _NOTE
    if not _is_as_noted(note):
        shutil.rmtree(folder, ignore_errors=True)

    def written() -> None:
        try:
            write_durably(note, json.dumps(taken(job)[0]).encode())
        except RecordError as error:
            # Without it, nobody could tell later whether the state may be taken up.
            shutil.rmtree(folder, ignore_errors=True)
            checkpoints.give_up(error.what)

    checkpoints.on_written = written


def _is_as_noted(note: Path) -> bool:
    """Whether the files that a note lists are as they were; a damaged note says nothing of them."""
    try:
        return not note.is_file() or not changed_files(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return False
