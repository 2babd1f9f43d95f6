"""Facts on repositories of the hub, read from ``hub.toml`` and checked.

One table a repository (and configuration, for data sets)::

    [[source]]
    repo = "someone/some-set"
    kind = "dataset"
    config = "easy"
    revision = "0123…"            # 40 hexadecimal digits; "" where no public source confirmed one
    ref = "main"                  # the branch that is followed, or in which the commit lies
    licence = "MIT"               # "unknown (why)" where the hub states none
    gated = ""                    # or "yes", or what the hub calls it: "auto", "manual"
    size_mb = 12
    columns = ["text", "label"]
    confirmed = "where this was read"
    looked_up = 2026-11-28
    splits = { train = ["data/train-*.parquet"] }

A language model may state its sizes, as its ``config.json`` has them, so that its memory can be told
before it is fetched: ``shape = { model_type = "t5", d_model = 2048, … }``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from harness.errors import SuiteError
from harness.installed import found_points, location
from harness.method.references import (
    HubSource,
    IndexSource,
    MirrorSource,
    PackageSource,
    Reading,
    Resource,
    Source,
)
from harness.method.shapes import shape_of
from harness.text import parsed_toml

FILE = "hub.toml"
_COMMIT = re.compile("[0-9a-f]{40}")
_GATES = ("", "yes", "auto", "manual")
UNSAFE_SUFFIXES = (".bin", ".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".joblib", ".py")
"""Files that run code when they are loaded, or may: never fetched."""
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "repo": str,
    "kind": str,
    "config": str,
    "revision": str,
    "ref": str,
    "licence": str,
    "gated": str,
    "size_mb": int,
    "files": list,
    "splits": dict,
    "columns": list,
    "rename": dict,
    "held_out": dict,
    "ranges": bool,
    "columns_confirmed": bool,
    "weights": str,
    "shape": dict,
    "confirmed": str,
    "looked_up": date,
    "note": str,
}
_REQUIRED = ("repo", "kind", "revision", "licence", "gated", "size_mb", "confirmed", "looked_up")


def page_of(repo: str, kind: str) -> str:
    """The page of a model's or data set's repository."""
    folder = "datasets/" if kind == "dataset" else ""
    return f"https://huggingface.co/{folder}{repo}"


@dataclass(frozen=True)
class HubFact:
    """What is known of one repository.

    Attributes:
        repo: ``owner/name``.
        kind: Model or data set.
        licence: As the hub states it; "unknown (why)" if it states none.
        gated: Empty, or how the hub's gate opens: ``auto`` (by accepting terms), ``manual``, or
            ``yes`` where that is not known.
        size_mb: Of the files that are fetched.
        confirmed: Public text that confirmed commit and files.
        looked_up: When that was read.
        config: Configuration of a data set.
        revision: The commit, or empty where none could be confirmed.
        ref: The branch that is followed without a commit.
        files: Patterns of the files that are fetched, where they do not become splits.
        columns: Columns that are read; all must be there.
        reading: How files become splits of rows.
        columns_confirmed: Whether a public text states the columns; else they are only checked
            when the data are read.
        weights: ``"bin"`` if the commit has weights only in PyTorch's own format, which
            ``corroborate convert`` turns into safetensors.
        shape: Sizes of a language model, as its ``config.json`` states them; empty where nobody says.
        note: What else a user should know.
    """

    repo: str
    kind: Literal["model", "dataset"]
    licence: str
    gated: str
    size_mb: int
    confirmed: str
    looked_up: date
    config: str = ""
    revision: str = ""
    ref: str = "main"
    files: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    reading: Reading | None = None
    columns_confirmed: bool = True
    weights: str = ""
    shape: Mapping[str, Any] = field(default_factory=dict, hash=False)
    note: str = ""

    @property
    def page(self) -> str:
        """The repository's page, where access is asked for."""
        return page_of(self.repo, self.kind)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of all files that are fetched."""
        split = () if self.reading is None else self.reading.splits
        return self.files + tuple(pattern for _, patterns in split for pattern in patterns)


@dataclass(frozen=True)
class HubFacts:
    """Facts by repository, kind and configuration."""

    entries: Mapping[tuple[str, str, str], HubFact] = field(default_factory=dict)

    def of(self, source: HubSource) -> HubFact | None:
        """What is known of a source, if anything is."""
        return self.entries.get((source.repo, source.repo_type, source.config))

    def at(self, source: HubSource) -> HubFact | None:
        """What is known of a source, unless the source is at another commit than is on record."""
        fact = self.of(source)
        return fact if fact and source.revision in ("main", fact.ref, fact.revision) else None

    def pinned(self, source: Source) -> Source:
        """The source as it is fetched: with the commit and the files that are on record.

        What a declaration states itself stays; sources of other kinds stay as they are.
        """
        fact = self.of(source) if isinstance(source, HubSource) else None
        if fact is None or not isinstance(source, HubSource):
            return source
        changes: dict[str, Any] = {}
        if source.revision == "main":
            changes["revision"] = fact.revision or fact.ref
        if fact.files and not source.files:
            changes["allow" if fact.kind == "model" else "files"] = fact.files
        if source.reading is None:
            changes["reading"] = fact.reading
        return replace(source, **changes)


def installed_facts() -> HubFacts:
    """The facts of all installed suites: ``hub.toml`` in a suite's package or the one above it.

    Files that cannot be read are left out: a suite of theirs is refused when it is loaded.
    """
    entries: dict[tuple[str, str, str], HubFact] = {}
    for path in _installed_files():
        with suppress(SuiteError):
            entries |= read_facts(path).entries
    return HubFacts(entries)


@lru_cache
def _installed_files() -> tuple[Path, ...]:
    files = (location(point) for point in found_points("corroborate.suites").values())
    return tuple(sorted({found for file in files if file for found in facts_files(file.parent)}))


def facts_files(folder: Path) -> list[Path]:
    """The files with facts that go with a suite's package."""
    return [place / FILE for place in (folder, folder.parent) if (place / FILE).is_file()]


@lru_cache
def read_facts(path: Path) -> HubFacts:
    """The facts in a file.

    Raises:
        SuiteError: If it cannot be read, or an entry lacks a fact or contradicts itself.
    """
    try:
        content = parsed_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SuiteError(f"The facts on the hub cannot be read: {error}", where=str(path)) from error
    entries: dict[tuple[str, str, str], HubFact] = {}
    listed = content.get("source", [])
    if not isinstance(listed, list) or not all(isinstance(raw, dict) for raw in listed):
        raise SuiteError("The facts on the hub are not tables '[[source]]'", where=str(path))
    for raw in listed:
        fact = _fact(raw, path)
        key = (fact.repo, fact.kind, fact.config)
        if key in entries:
            raise _wrong(raw, "stands there twice", path)
        entries[key] = fact
    return HubFacts(entries)


def _fact(raw: Mapping[str, Any], path: Path) -> HubFact:
    _check_fields(raw, path)
    _check_lists(raw, path)
    _check_values(raw, path)
    parts = {"splits", "rename", "held_out", "ranges"}
    plain = {name: value for name, value in raw.items() if name not in parts}
    plain |= {name: tuple(raw.get(name, ())) for name in ("files", "columns")}
    fact = HubFact(**plain, reading=_reading(raw, path))
    if fact.kind == "dataset" and not fact.files and fact.reading is None:
        raise _wrong(raw, "has neither 'files' nor 'splits'", path)
    if fact.shape:
        _ = shape_of(fact.shape, where=f"{path}, {fact.repo}")
    if unsafe := [name for name in fact.patterns if name.endswith(UNSAFE_SUFFIXES)]:
        raise _wrong(raw, f"fetches files that may run code: {', '.join(unsafe)}", path)
    return fact


def licence_of(resource: Resource, facts: HubFacts) -> str:
    """The licence of a resource: what it declares, or else what is known of its hub repository."""
    if resource.licence:
        return resource.licence
    if not resource.sources:
        return "the user's (what is bound with --bind)"
    known = (facts.of(source) for source in resource.sources if isinstance(source, HubSource))
    return next((fact.licence for fact in known if fact), "unknown (nothing states one)")


def source_text(source: Source, facts: HubFacts) -> str:
    """Where a resource comes from, in words, with the version or the commit."""
    match source:
        case MirrorSource(folder=folder):
            return f"mirror folder {folder}"
        case PackageSource(distribution=distribution, version=version):
            return f"package {distribution} {version}"
        case IndexSource(distribution=distribution, version=version):
            return f"source distribution {distribution} {version}"
        case HubSource(repo=repo):
            pinned = facts.pinned(source)
            commit = pinned.revision if isinstance(pinned, HubSource) else source.revision
            known = _COMMIT.fullmatch(commit)
            return f"hub {repo} at {commit[:12]}" if known else f"hub {repo} at {commit}, which is not pinned"


def size_mb_of(resource: Resource, facts: HubFacts) -> int:
    """MB to fetch: what is known of the hub's files, of other sources what is declared; 0 if nobody says."""
    if any(isinstance(source, PackageSource | IndexSource) for source in resource.sources):
        return resource.size_mb
    known = (facts.of(source) for source in resource.sources if isinstance(source, HubSource))
    return next((fact.size_mb for fact in known if fact), resource.size_mb)


def _check_fields(raw: Mapping[str, Any], path: Path) -> None:
    if lacking := [name for name in _REQUIRED if name not in raw]:
        raise _wrong(raw, f"lacks {', '.join(lacking)}", path)
    for name, value in raw.items():
        if name not in _FIELDS:
            raise _wrong(raw, f"has an unknown field '{name}'", path)
        if not isinstance(value, _FIELDS[name]):
            raise _wrong(raw, f"has a {type(value).__name__} for '{name}'", path)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _check_lists(raw: Mapping[str, Any], path: Path) -> None:
    for name in ("files", "columns"):
        if not _are_texts(raw.get(name, [])):
            raise _wrong(raw, f"has something else than texts in '{name}'", path)
    if not all(_are_texts(patterns) for patterns in raw.get("splits", {}).values()):
        raise _wrong(raw, "has a split that is no list of files", path)
    if not _are_texts(list(raw.get("rename", {}).values())):
        raise _wrong(raw, "has something else than texts in 'rename'", path)


def _check_values(raw: Mapping[str, Any], path: Path) -> None:
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", raw["repo"]):
        raise _wrong(raw, "is not 'owner/name'", path)
    if raw["kind"] not in ("model", "dataset"):
        raise _wrong(raw, f"is of an unknown kind '{raw['kind']}'", path)
    if raw["revision"] and not _COMMIT.fullmatch(raw["revision"]):
        raise _wrong(raw, f"is pinned to '{raw['revision']}', which is not a commit", path)
    if raw["gated"] not in _GATES:
        raise _wrong(raw, f"is gated '{raw['gated']}'; known: '', yes, auto, manual", path)
    for name in ("licence", "confirmed"):
        if not raw[name].strip():
            raise _wrong(raw, f"has an empty '{name}'", path)
    if raw["licence"] == "unknown":
        raise _wrong(raw, "has an unknown licence without a word why: 'unknown (…)'", path)


def _reading(raw: Mapping[str, Any], path: Path) -> Reading | None:
    if "splits" not in raw:
        if extra := sorted({"rename", "held_out", "ranges"} & raw.keys()):
            raise _wrong(raw, f"has {', '.join(extra)} without 'splits'", path)
        return None
    splits = tuple((name, tuple(patterns)) for name, patterns in raw["splits"].items())
    columns, rename = tuple(raw.get("columns", ())), tuple(raw.get("rename", {}).items())
    if odd := [old for old, _ in rename if columns and old not in columns]:
        raise _wrong(raw, f"renames columns that are not kept: {', '.join(odd)}", path)
    ranges = raw.get("ranges", False)
    return Reading(splits, columns, rename, _held_out(raw, path), ranges)


def _held_out(raw: Mapping[str, Any], path: Path) -> tuple[str, str, int] | None:
    cut = raw.get("held_out")
    if cut is None:
        return None
    named = set(cut) == {"split", "of", "every"} and [*map(type, map(cut.get, sorted(cut)))] == [
        int,
        str,
        str,
    ]
    if not named or cut["every"] < 1 or cut["of"] not in raw["splits"] or cut["split"] in raw["splits"]:
        raise _wrong(raw, "needs held_out = { split = NEW, of = SPLIT, every = NUMBER }", path)
    return str(cut["split"]), str(cut["of"]), int(cut["every"])


def _wrong(raw: Mapping[str, Any], what: str, path: Path) -> SuiteError:
    name = f"{raw.get('repo', 'an entry')} {raw.get('config', '')}".strip()
    return SuiteError(f"{name} {what}", where=str(path))
