"""From a resource to a folder on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from harness.errors import LicenceError, ResourceError
from harness.hub import HubFacts, installed_facts
from harness.method.references import (
    HubSource,
    IndexSource,
    MirrorSource,
    PackageSource,
    Resource,
    Source,
)
from harness.resources import sources
from harness.resources.cache import ResourceCache
from harness.resources.convert import convert_folder, download_bin
from harness.resources.endpoint import Endpoint, read_endpoint
from harness.resources.environment import home_folder, mirror_folder
from harness.resources.hashing import HashCache
from harness.resources.hub_lock import HubLock
from harness.resources.licences import accepted_licences, remember_licences
from harness.resources.unobtainable import UnobtainableError
from harness.text import expanded, is_folder

CONFIG = "config.json"
_CONVERT = "Bound models are converted with 'corroborate convert --from FOLDER --to FOLDER'."


@dataclass(frozen=True)
class Status:
    """Whether a resource can be had, found out without fetching anything.

    Attributes:
        state: ``present`` on this machine; ``fetchable`` from a source that looks usable;
            ``missing``; ``blocked`` by terms that nobody has accepted.
        text: Where it is, where it would come from, or what stands in the way.
    """

    state: Literal["present", "fetchable", "missing", "blocked"]
    text: str


class Resolver:
    """Finds, fetches and checks resources. Cheap to make and to pickle.

    Args:
        bindings: Folders that replace resources, by resource name.
        accepted: Keys of accepted licences.
        home: The cache.
        mirror: The mirror, if there is one.
        facts: What is known of repositories on the hub.
    """

    def __init__(
        self,
        bindings: Mapping[str, Path],
        accepted: frozenset[str],
        home: Path,
        mirror: Path | None,
        facts: HubFacts | None = None,
    ) -> None:
        self.bindings = dict(bindings)
        self.accepted = accepted
        self.home = home
        self.mirror = mirror
        self._hashes = HashCache(home / "hashes.json")
        self.facts = facts or HubFacts()
        self.lock = HubLock(home)
        self._cache = ResourceCache(home, self._hashes, self.sources)

    @classmethod
    def from_environment(
        cls, bindings: Mapping[str, Path] | None = None, accept: Iterable[str] = ()
    ) -> Resolver:
        """A resolver as the environment variables say.

        Args:
            bindings: Folders that replace resources, by resource name.
            accept: Licences accepted now; they are remembered.

        Raises:
            ResourceError: If the mirror is no folder or the cache cannot be written.
        """
        home = home_folder()
        accept = frozenset(accept)
        remember_licences(home, accept)
        accepted = accepted_licences(home) | accept
        return cls(bindings or {}, accepted, home, mirror_folder(), installed_facts())

    def sources(self, resource: Resource) -> tuple[Source, ...]:
        """The sources of a resource as they are fetched: the hub's with commit and files."""
        return tuple(self.facts.pinned(source) for source in resource.sources)

    def path(self, resource: Resource) -> Path:
        """The folder of a resource, fetched now if it has to be.

        Raises:
            LicenceError: If its terms have not been accepted.
            ResourceError: If it is missing, corrupted or cannot be stored.
        """
        if resource.name in self.bindings:
            return self._bound(resource)
        self._require_licence(resource)
        if (folder := self._mirrored(resource)) is not None:
            self._verify(resource, folder, strict=False)
            return folder
        return self._cache.checked(resource) or self._fetch(resource)

    def identity(self, resource: Resource) -> str:
        """What a resource's content is, for fingerprints; nothing is fetched or loaded.

        A bound or mirrored folder is identified by the hash of its files, a server by its address, the
        model's name there and how it is asked; everything else by its pins and by the source that it came
        from, or would come from.

        Raises:
            ResourceError: If a bound folder is missing.
        """
        if resource.name in self.bindings:
            bound = self._bound(resource)
            endpoint = read_endpoint(bound)
            return f"served:{endpoint.told}" if endpoint else f"bound:{self._hashes.folder(bound)}"
        if (folder := self._mirrored(resource)) is not None:
            return f"mirror:{self._hashes.folder(folder)}"
        manifest = self._cache.manifest(resource)
        source = manifest.source if manifest else self._expected_source(resource)
        pins = hashlib.sha256(repr(sorted(resource.sha256)).encode()).hexdigest()[:16]
        return f"{resource.name}@{resource.version};{source}" + (f";sha256:{pins}" if resource.sha256 else "")

    def status(self, resource: Resource) -> Status:
        """Whether a resource can be had. Fetches nothing."""
        if settled := self._settled(resource):
            return settled
        if usable := self._usable(resource):
            return Status("fetchable", sources.describe(usable[0]))
        return Status("missing", str(self._missing(resource, self._obstacles(resource))))

    def convert(self, resource: Resource, source: Path | None = None) -> Path:
        """Fill the cache with a model's weights as safetensors, made of those in PyTorch's own format.

        Args:
            resource: A model that has a source at the hub.
            source: A folder that holds the weights; by default they are downloaded.

        Returns:
            The folder of the converted model.

        Raises:
            ResourceError: If it has no such source, or the weights cannot be had or converted.
        """
        hub = next((item for item in self.sources(resource) if isinstance(item, HubSource)), None)
        if hub is None or resource.kind != "model":
            raise ResourceError(
                f"'{resource.name}' is not a model with a source at the hub",
                where=resource.name,
                fix=_CONVERT,
            )
        self._require_licence(resource)

        def write(target: Path) -> str:
            try:
                digest = convert_folder(source or download_bin(hub), target)
            except UnobtainableError as error:
                raise self._missing(resource, [str(error)]) from error
            return f"{sources.describe(hub)};bin:{digest}"

        return self._cache.fill(resource, write, partial(self._verify, resource, strict=False))

    def _settled(self, resource: Resource) -> Status | None:
        if (bound := self.bindings.get(resource.name)) is not None:
            if bound.is_dir():
                endpoint = read_endpoint(bound)
                return Status("present", f"served: {endpoint.told}" if endpoint else f"bound to {bound}")
            return Status("missing", f"bound to {bound}, which is not a folder")
        if resource.accept and resource.accept not in self.accepted:
            return Status("blocked", str(self._licence_error(resource)))
        if (folder := self._mirrored(resource)) is not None:
            return Status("present", f"in the mirror, {folder}")
        manifest = self._cache.manifest(resource)
        return Status("present", f"in the cache, from {manifest.source}") if manifest else None

    def configuration(self, resource: Resource) -> Mapping[str, Any]:
        """The numbers of a model's ``config.json``: of its files if they are here, else what is on record.

        Empty where neither is known, and of a model behind a server. Fetches nothing.

        Raises:
            ResourceError: If the model is bound to no folder, or its configuration cannot be read.
        """
        if resource.name in self.endpoints:
            return {}
        bound = self._bound(resource) if resource.name in self.bindings else None
        folder = bound or self._mirrored(resource) or self.cached(resource)
        path = folder / CONFIG if folder else None
        if path is not None and path.is_file():
            return _configuration(path)
        hub = (source for source in resource.sources if isinstance(source, HubSource) and not bound)
        facts = (self.facts.at(source) for source in hub)
        return next((fact.shape for fact in facts if fact and fact.shape), {})

    def cached(self, resource: Resource) -> Path | None:
        """The cache's entry of a resource, if there is one; for housekeeping."""
        return self._cache.entry(resource) if self._cache.manifest(resource) else None

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """The servers that stand for resources, by resource name."""
        found = {name: read_endpoint(expanded(folder)) for name, folder in self.bindings.items()}
        return {name: endpoint for name, endpoint in found.items() if endpoint}

    def _bound(self, resource: Resource) -> Path:
        folder = expanded(self.bindings[resource.name]).absolute()
        if not is_folder(folder):
            raise ResourceError(
                f"'{resource.name}' is bound to something that is not a folder",
                where=str(folder),
                fix=f"Give the folder that holds the {resource.kind}'s files: --bind {resource.name}=PATH.",
            )
        return folder

    def _mirrored(self, resource: Resource) -> Path | None:
        if self.mirror is None:
            return None
        names = [source.folder for source in resource.sources if isinstance(source, MirrorSource)]
        folders = [self.mirror / name for name in names]
        return next((folder for folder in folders if folder.is_dir() and any(folder.iterdir())), None)

    def _usable(self, resource: Resource) -> list[Source]:
        return [source for source in self.sources(resource) if not self._obstacle(resource, source)]

    def _obstacles(self, resource: Resource) -> list[str]:
        return [text for source in self.sources(resource) if (text := self._obstacle(resource, source))]

    def _obstacle(self, resource: Resource, source: Source) -> str:
        fact = self.facts.of(source) if isinstance(source, HubSource) else None
        if fact and fact.weights:
            return (
                f"the hub has {fact.repo} as .{fact.weights} only, which may run code: "
                f"'corroborate convert {resource.name}' makes safetensors of it once"
            )
        return sources.obstacle(source)

    def _expected_source(self, resource: Resource) -> str:
        remote = [source for source in self.sources(resource) if not isinstance(source, MirrorSource)]
        candidates = self._usable(resource) or remote
        return sources.describe(candidates[0]) if candidates else "unknown"

    def _fetch(self, resource: Resource) -> Path:
        failures = self._obstacles(resource)
        for source in self._usable(resource):
            strict = isinstance(source, PackageSource | IndexSource)
            check = partial(self._verify, resource, strict=strict)
            try:
                return self._cache.fill(resource, partial(sources.fetch, source, lock=self.lock), check)
            except UnobtainableError as error:
                failures.append(str(error))
        raise self._missing(resource, failures)

    def _verify(self, resource: Resource, folder: Path, *, strict: bool) -> None:
        """Compare pinned hashes; ``strict`` asks for every pinned file to be there."""
        found = self._hashes.files(folder)
        for name, expected in resource.sha256:
            if name not in found and not strict:
                continue
            if found.get(name) != expected:
                raise ResourceError(
                    f"'{resource.name}' is not what is pinned: SHA-256 of {name} is "
                    f"{found.get(name, 'missing')}, expected {expected}",
                    where=str(folder / name),
                    fix="The download is corrupted or was replaced; it was not kept or used. "
                    "Fetch it again, or put another copy in its place.",
                )

    def _require_licence(self, resource: Resource) -> None:
        if resource.accept and resource.accept not in self.accepted:
            raise self._licence_error(resource)

    def _licence_error(self, resource: Resource) -> LicenceError:
        terms = f" Read them at {resource.terms}." if resource.terms else ""
        return LicenceError(
            f"'{resource.name}' may only be used under terms that you have not accepted",
            where=f"licence '{resource.accept}'",
            fix=f"{terms.strip()} Then add --accept-licence {resource.accept} "
            f"(or set CORROBORATE_ACCEPT_LICENCES={resource.accept}).".strip(),
        )

    def _missing(self, resource: Resource, failures: list[str]) -> ResourceError:
        ways = [sources.way_to_provide(source) for source in resource.sources]
        if resource.served:
            ways.insert(0, f"a server: --endpoint {resource.name}=URL --model {resource.name}=NAME")
        listing = "".join(f"\n  - {way}" for way in ways)
        tried = f" Tried: {'; '.join(failures)}".rstrip("?.") + "." if failures else ""
        return ResourceError(
            f"The {resource.kind} '{resource.name}' is missing.{tried}",
            where=resource.name,
            fix=f"Provide it by one of:\n  - a folder: --bind {resource.name}=PATH{listing}",
        )


def _configuration(path: Path) -> Mapping[str, Any]:
    """The numbers in a ``config.json``.

    Raises:
        ResourceError: If it cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fix = "Fetch the model again, or bind another folder."
        raise ResourceError(f"The configuration cannot be read: {error}", where=str(path), fix=fix) from error
    if not isinstance(found, dict):
        fix = "Bind the folder that holds the model's own config.json."
        raise ResourceError("The configuration is not an object", where=str(path), fix=fix)
    return found
