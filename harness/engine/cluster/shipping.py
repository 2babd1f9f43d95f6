"""How a job finds on a node what it has on the driver's machine: shared folders, or the artifact store."""

from __future__ import annotations

import os
import pickle
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

from harness.engine.artifact import forget_checkpoints, is_built
from harness.engine.cluster.identity import OWN, ROOT
from harness.engine.cluster.messages import Base, Mark, Order
from harness.engine.cluster.store import ContentStore, digest_of, listing_of
from harness.engine.job import ArtifactJob, Job, Outcome
from harness.errors import ResourceError
from harness.plan.closure import Stamp, stamp_of
from harness.resources.environment import home_folder
from harness.resources.hashing import HashCache, sha256_of

_CONTENT = "content"
"""Folder of a node's cache for what came from the store."""
_STATES = "checkpoints"
_ANSWERS = "answers"
"""Folder of a node's cache for the state of trials whose run's folder it does not see."""


@contextmanager
def marked(folder: Path) -> Iterator[Mark]:
    """A mark in ``folder`` as long as the context lasts; a folder that cannot be written has none.

    A node that sees it sees the same folder, whatever the file system between them.
    """
    text = uuid.uuid4().hex
    file = folder / f".corroborate-{text[:12]}"
    try:
        file.write_text(text, encoding="ascii")
    except OSError:
        yield Mark(str(folder), "", text)
        return
    try:
        yield Mark(str(folder), str(file), text)
    finally:
        file.unlink(missing_ok=True)


def sees(mark: Mark) -> bool:
    """Whether this machine sees the marked folder."""
    try:
        return bool(mark.file) and Path(mark.file).read_text(encoding="ascii") == mark.text
    except (OSError, ValueError):
        return False


@dataclass
class Shipper:
    """The driver's side.

    Attributes:
        base: What is the same for all orders.
        hashes: Of the driver's cache.
        store: The artifact store, if there is one.
        everywhere: Whether every node sees the driver's cache.
    """

    base: Base
    hashes: HashCache
    store: ContentStore | None = None
    everywhere: bool = True
    _sent: dict[str, str] = field(default_factory=dict)

    def order(self, job: Job) -> Order:
        """An order for a job, with what it needs put into the store first.

        Raises:
            ResourceError: If the store cannot be written.
        """
        return Order(
            id=job.id,
            device=job.device,
            job=bytes(ForkingPickler.dumps(job)),
            base=self.base,
            digests={path: self._digest(path) for path in {*job.paths.values(), *job.declared}},
            plugins={p: sha256_of(Path(p)) for p in job.sources if not _is_code(p, self.base.root)},
        )

    def _digest(self, path: str) -> str:
        if _is_code(path, self.base.root) or (self.everywhere and _is_below(path, self.base.home.folder)):
            return ""
        if path not in self._sent:
            listing = listing_of(Path(path), self.hashes)
            self._sent[path] = self.store.put(Path(path), listing) if self.store else digest_of(listing)
        return self._sent[path]

    def received(self, job: Job, digest: str) -> None:
        """Bring an artifact that a node has built into the driver's cache.

        Raises:
            ResourceError: If it does not arrive whole.
        """
        assert isinstance(job, ArtifactJob)
        assert self.store is not None
        if not is_built(job.target):
            # What an earlier code or file has left there would be taken for what has just been built.
            shutil.rmtree(job.target, ignore_errors=True)
        self.store.get(digest, job.target)
        self._sent[str(job.target)] = digest


@dataclass(frozen=True)
class Place:
    """A node's side: where things are here.

    Attributes:
        base: What is the same for all orders.
        shared: Whether this node sees the driver's cache.
        home: This node's cache.
        store: The artifact store, if there is one.
    """

    base: Base
    shared: bool
    home: Path
    store: ContentStore | None

    @classmethod
    def here(cls, base: Base) -> Place:
        """This node, whose processes are to use the same cache."""
        shared = sees(base.home)
        home = Path(base.home.folder) if shared else home_folder()
        os.environ.update({**base.variables, "CORROBORATE_HOME": str(home)})
        return cls(base, shared, home, ContentStore(base.store) if base.store else None)

    def localised(self, order: Order) -> Job:
        """The job with the paths of this node; what is not here is fetched.

        Raises:
            ResourceError: If something that it needs is neither here nor in the store.
        """
        job: Job = pickle.loads(order.job)  # noqa: S301 - the driver's own bytes
        job = replace(
            job,
            paths={key: self._path(path, order.digests) for key, path in job.paths.items()},
            declared=tuple(self._path(path, order.digests) for path in job.declared),
            checkpoints=self._state(job.checkpoints, _STATES),
            answers=self._state(job.answers, _ANSWERS),
            sources=self._sources(job.sources, order.plugins),
        )
        return replace(job, target=self.moved(job.target)) if isinstance(job, ArtifactJob) else job

    def forget(self, job: Job, outcome: Outcome) -> None:
        """Remove the state of a job that is over, where the driver cannot do so."""
        if outcome.status in ("ok", "diverged"):
            for folder, kind in ((job.checkpoints, _STATES), (job.answers, _ANSWERS)):
                if folder is not None and _is_below(str(folder), str(self.home / kind)):
                    forget_checkpoints(folder)

    def moved(self, path: Path) -> Path:
        """A path below the driver's cache, below this node's."""
        return path if self.shared else self.home / path.relative_to(self.base.home.folder)

    def _path(self, path: str, digests: Mapping[str, str]) -> str:
        if not (digest := digests[path]):
            return self._in_checkout(path) if _is_code(path, self.base.root) else path
        if self._holds(Path(path), digest):
            return path
        target = self.home / _CONTENT / digest
        if not target.exists():
            if self.store is None:
                raise ResourceError(
                    "Something that the trial loads is not the same on this node as on the driver's machine",
                    where=path,
                    fix="Put it into CORROBORATE_HOME on a file system that all nodes share, or give "
                    "--artifact-store URL.",
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            self.store.get(digest, target)
        with suppress(OSError):
            os.utime(target)  # For 'cache prune --older-than' on this node.
        return str(target)

    def _in_checkout(self, path: str) -> str:
        return str(ROOT / Path(path).relative_to(self.base.root))

    def _holds(self, path: Path, digest: str) -> bool:
        """Whether what lies here under the same path has the same content."""
        return path.exists() and digest_of(listing_of(path, HashCache(self.home / "hashes.json"))) == digest

    def _state(self, folder: Path | None, kind: str) -> Path | None:
        if folder is None or sees(self.base.run):
            return folder
        if _is_below(str(folder), self.base.home.folder):
            return self.moved(folder)
        # Killed trials go on on the same node only.
        return self.home / kind / Path(self.base.run.folder).name / folder.name

    def _sources(self, sources: Mapping[str, Stamp], plugins: Mapping[str, str]) -> dict[str, Stamp]:
        """The files of the job's code here, which must be those that were planned."""
        found = {}
        for path, stamp in sources.items():
            if path not in plugins:
                # The identity says that they are equal; another checkout has other times.
                own = self._in_checkout(path)
                found[own] = stamp if own == path else stamp_of(Path(own))
                continue
            if not Path(path).is_file() or sha256_of(Path(path)) != plugins[path]:
                raise ResourceError(
                    "A file of the method's code is not the same on this node as on the driver's machine",
                    where=path,
                    fix="Install the package that it belongs to on every node, or put it where all see it.",
                )
            found[path] = stamp_of(Path(path))
        return found


def _is_code(path: str, root: str) -> bool:
    """Whether a path lies in what the identities of driver and node say to be equal."""
    return any(_is_below(path, os.path.join(root, folder)) for folder in OWN)  # noqa: PTH118 - hot


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip(os.sep)}{os.sep}")
