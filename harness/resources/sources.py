"""One function for each kind of source: is it usable here, and fetch it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import assert_never

from harness.errors import ResourceError, is_storage_error
from harness.foreign import foreign
from harness.method.names import named_function
from harness.method.references import HubSource, IndexSource, MirrorSource, PackageSource, Source
from harness.resources.environment import hub_cache, hub_is_offline
from harness.resources.hashing import sha256_of
from harness.resources.hub_fetch import describe_hub, fetch_hub
from harness.resources.hub_lock import HubLock
from harness.resources.unobtainable import UnobtainableError

_PIP_TIMEOUT_S = 600


def describe(source: Source) -> str:
    """A source in one stable piece of text, as it enters fingerprints."""
    match source:
        case MirrorSource(folder):
            return f"mirror:{folder}"
        case PackageSource(distribution, pinned, provide):
            return f"package:{distribution}=={pinned}:{provide}"
        case IndexSource(distribution, pinned, sha256, provide):
            return f"index:{distribution}=={pinned}:{sha256[:16]}:{provide}"
        case HubSource():
            return describe_hub(source)
        case _:
            assert_never(source)


def way_to_provide(source: Source) -> str:
    """What a user can do to make a source usable."""
    match source:
        case MirrorSource(folder):
            return f"a mirror with the folder '{folder}' (CORROBORATE_MIRROR)"
        case PackageSource(distribution, pinned, _):
            return f"the package: pip install {distribution}=={pinned}"
        case IndexSource(distribution, pinned, _, _):
            return f"a package index that has the source of {distribution} {pinned}"
        case HubSource(repo, _, repo_type):
            return f"the Hugging Face hub, {repo_type} {repo} (online, or in its cache)"
        case _:
            assert_never(source)


def obstacle(source: Source) -> str:
    """Why a source cannot be used here, as far as that is known without trying; or empty."""
    match source:
        case MirrorSource(folder):
            return f"the mirror has no folder '{folder}'"
        case PackageSource(distribution, pinned, _):
            return _package_obstacle(distribution, pinned)
        case IndexSource():
            return "" if importlib.util.find_spec("pip") else "pip is not installed"
        case HubSource(repo, _, repo_type):
            known = hub_cache() / f"{repo_type}s--{repo.replace('/', '--')}"
            return "the hub is switched off (offline)" if hub_is_offline() and not known.is_dir() else ""
        case _:
            assert_never(source)


def _package_obstacle(distribution: str, pinned: str) -> str:
    try:
        found = version(distribution)
    except PackageNotFoundError:
        return f"package {distribution} is not installed"
    return "" if found == pinned else f"package {distribution} is {found}, and {pinned} is pinned"


def fetch(source: Source, target: Path, lock: HubLock) -> str:
    """Fill ``target``, which does not exist yet.

    Args:
        source: Where it is.
        target: The folder to make.
        lock: Commits of the hub's branches that are on record.

    Returns:
        What was fetched: :func:`describe`, with the commit where the hub named one.

    Raises:
        UnobtainableError: If the source does not have it.
        ResourceError: If it has something else than what is pinned.
    """
    match source:
        case PackageSource():
            return _fetch_package(source, target)
        case IndexSource():
            return _fetch_index(source, target)
        case HubSource():
            return fetch_hub(source, target, lock)
        case MirrorSource():
            raise UnobtainableError("a mirror is read where it is")
        case _:
            assert_never(source)


def _fetch_package(source: PackageSource, target: Path) -> str:
    target.mkdir()
    _provide(source.provide, target)
    return describe(source)


def _provide(name: str, *places: Path) -> None:
    provide = named_function(name)
    try:
        with foreign("The files could not be unpacked", where=name, kind=ResourceError):
            provide(*places)
    except ResourceError as error:
        if (cause := error.__cause__) and is_storage_error(cause):
            raise cause from None
        raise


def _fetch_index(source: IndexSource, target: Path) -> str:
    with tempfile.TemporaryDirectory() as name:
        archive = _download(source, Path(name))
        if sha256_of(archive) != source.sha256:
            raise ResourceError(
                f"The archive of {source.distribution} is not the pinned one (SHA-256 differs)",
                where=archive.name,
                fix="The package index may have been tampered with. Nothing of it was used.",
            )
        target.mkdir()
        _provide(source.provide, archive, target)
    return describe(source)


def _download(source: IndexSource, folder: Path) -> Path:
    wanted = folder / "requirement.txt"
    wanted.write_text(f"{source.distribution}=={source.version} --hash=sha256:{source.sha256}\n")
    # pip knows the user's indexes, proxies and certificates, so it does the fetching. It also
    # runs the archive's set-up script to read its name, which nothing but its private interface
    # avoids: the pinned hash makes sure that only the archive we know can be run at all.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(wanted)]
    if importlib.util.find_spec("setuptools"):
        command.append("--no-build-isolation")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnobtainableError(f"pip could not download {source.distribution}: {error}") from error
    archives = [path for path in folder.iterdir() if path != wanted]
    if done.returncode or len(archives) != 1:
        last = " ".join(done.stderr.strip().splitlines()[-3:])
        raise UnobtainableError(f"pip could not download {source.distribution}: {last}")
    return archives[0]
