"""Models and data sets from the Hugging Face hub.

Weights come as safetensors or GGUF, data sets as Parquet or JSON lines: nothing that is fetched
can run code, and no script of a repository is ever executed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from harness.errors import CorroborateError, is_storage_error
from harness.hub import UNSAFE_SUFFIXES
from harness.method.references import HubSource, Reading
from harness.resources.environment import hub_is_offline
from harness.resources.hashing import files_in
from harness.resources.hub_errors import explain
from harness.resources.hub_tables import CONVERTED, files_by_split, in_split, rows_of
from harness.resources.jsonl import write_split
from harness.resources.unobtainable import UnobtainableError

if TYPE_CHECKING:
    from harness.resources.hub_lock import HubLock

_AHEAD = 2**18
"""Bytes that are read ahead over the network."""
WEIGHTS = (".safetensors", ".gguf")


def describe_hub(source: HubSource) -> str:
    """A source in one stable piece of text, as it enters fingerprints."""
    parts = [source.config, ",".join(source.files), _digest(source.reading)]
    extra = "".join(f":{part}" for part in parts if part)
    return f"hub:{source.repo_type}:{source.repo}@{source.revision}{extra}"


def _digest(reading: Reading | None) -> str:
    return hashlib.sha256(repr(reading).encode()).hexdigest()[:8] if reading else ""


def fetch_hub(source: HubSource, target: Path, lock: HubLock) -> str:
    """Fill ``target``, which does not exist yet; gives what was fetched, with its commit.

    Raises:
        UnobtainableError: If the hub does not give it.
        ResourceError: If it is something else than what is declared.
    """
    as_it_is = source.repo_type == "model" or source.files
    if not as_it_is and source.reading is None and source.revision == "main":
        source = replace(source, revision=CONVERTED)
    wanted = replace(source, revision=lock.commit(source) or source.revision)
    commit = _snapshot(wanted, target) if as_it_is else _rows(wanted, target)
    lock.record(source, commit)
    return _resolved(source, commit)


def _snapshot(source: HubSource, target: Path) -> str:
    from huggingface_hub import snapshot_download

    with explained(source):
        snapshot = Path(
            snapshot_download(
                source.repo,
                repo_type=source.repo_type,
                revision=source.revision,
                allow_patterns=list(source.files or source.allow),
                ignore_patterns=[f"*{suffix}" for suffix in UNSAFE_SUFFIXES],
            )
        )
    if source.repo_type == "model" and not any(name.endswith(WEIGHTS) for name, _ in files_in(snapshot)):
        raise UnobtainableError(
            f"the hub has no safetensors of {source.repo} at {snapshot.name}: weights as .bin may run code "
            "and are not loaded; 'corroborate convert RESOURCE' makes safetensors of them once"
        )
    # A link, since the hub's own cache holds the files: checkpoints are big.
    target.symlink_to(snapshot.resolve(), target_is_directory=True)
    return snapshot.name


def _rows(source: HubSource, target: Path) -> str:
    opened = over_network if source.reading and source.reading.ranges else _downloaded
    with explained(source):
        commit, names = _listing(source)
    at = replace(source, revision=commit)
    files = files_by_split(at, names)
    held = source.reading.held_out if source.reading else None
    parts = {split: split for split in files} | ({held[0]: held[1]} if held else {})
    target.mkdir()
    for split, origin in parts.items():
        rows = chain.from_iterable(_read(at, name, opened) for name in files[origin])
        write_split(target, split, in_split(source.reading, split, rows))
    return commit


def _listing(source: HubSource) -> tuple[str, list[str]]:
    """The commit that a revision is, and the names of its files; offline, of those in the hub's cache."""
    from huggingface_hub import HfApi, snapshot_download

    if hub_is_offline():
        kept = snapshot_download(
            source.repo, repo_type=source.repo_type, revision=source.revision, local_files_only=True
        )
        return Path(kept).name, [name for name, _ in files_in(Path(kept))]
    info = HfApi().dataset_info(source.repo, revision=source.revision)
    return str(info.sha), [sibling.rfilename for sibling in info.siblings or []]


def _read(source: HubSource, name: str, opened: Any) -> Iterator[dict[str, Any]]:
    with explained(source), opened(source, name) as stream:
        yield from rows_of(name, stream, source.reading, f"{source.repo}@{source.revision}")


def _downloaded(source: HubSource, name: str) -> IO[bytes]:
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(source.repo, name, repo_type=source.repo_type, revision=source.revision)
    return Path(path).open("rb")


def over_network(source: HubSource, name: str) -> IO[bytes]:
    """A file of which only the ranges that are read are transferred."""
    from huggingface_hub import HfFileSystem

    folder = "datasets/" if source.repo_type == "dataset" else ""
    path = f"{folder}{source.repo}@{source.revision}/{name}"
    return cast("IO[bytes]", HfFileSystem(skip_instance_cache=True).open(path, "rb", block_size=_AHEAD))


@contextmanager
def explained(source: HubSource) -> Iterator[None]:
    """Turn the hub's errors into a sentence on what went wrong and what to do.

    Raises:
        UnobtainableError: In their place.
    """
    try:
        yield
    except (CorroborateError, UnobtainableError):
        raise
    except Exception as error:  # the hub's errors share no root of their own
        if is_storage_error(error):
            raise
        raise UnobtainableError(explain(source, error)) from error


def _resolved(source: HubSource, commit: str) -> str:
    """The source, with what its revision turned out to be unless it is a commit already."""
    return describe_hub(source) + ("" if re.fullmatch("[0-9a-f]{40}", source.revision) else f":{commit}")
