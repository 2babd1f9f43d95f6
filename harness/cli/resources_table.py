"""``corroborate list --resources``: every model and data set, where it comes from and what is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.claims import Profile
from harness.cli.needs import resources_of_all
from harness.hub import HubFact, HubFacts, licence_of, size_mb_of
from harness.method.references import (
    HubSource,
    IndexSource,
    MirrorSource,
    PackageSource,
    Resource,
    Source,
)
from harness.suite import Suite

_HEAD = """\
# Models and data sets

Written by `corroborate list --resources --format markdown`; a test keeps it in step with the
declarations and with `suites/hub.toml`. `corroborate doctor --online` asks the hub itself.

Sources are tried in the order in which they stand. What a folder of a mirror holds is identified by
its hash, a package by its version, a repository on the hub by its commit.
"""
_UNCONFIRMED = """\
## What could not be confirmed

There was no hub to ask: commits, files and columns were read in public texts, which the tables name.
A source without a commit is taken at its branch when it is first used; the commit found then is
remembered (`hub-lock.json` in the cache), goes into fingerprints, and is taken again. Columns are
checked when the data are read, wherever they come from.
"""


@dataclass
class Listed:
    """A resource and who uses it.

    Attributes:
        resource: The resource.
        users: Profiles by suite.
    """

    resource: Resource
    users: dict[str, list[str]] = field(default_factory=dict)

    @property
    def used_by(self) -> str:
        """Suites, each with its profiles."""
        return "; ".join(f"{suite} ({', '.join(profiles)})" for suite, profiles in self.users.items())


def listed(suites: Iterable[tuple[str, Suite]]) -> list[Listed]:
    """All resources of the suites, by name."""
    found: dict[str, Listed] = {}
    for name, suite in suites:
        for profile in Profile:
            for resource in resources_of_all([suite], [profile]).values():
                item = found.setdefault(resource.name, Listed(resource))
                item.users.setdefault(name, []).append(str(profile))
    return [found[name] for name in sorted(found)]


def as_markdown(items: list[Listed], facts: HubFacts) -> str:
    """The page ``docs/resources.md``."""
    hub = [(item, fact) for item in items for fact in _facts(item.resource, facts)]
    rest = [item for item in items if not _facts(item.resource, facts)]
    parts = [_HEAD, _UNCONFIRMED, _unconfirmed(hub), _unlicensed(items, facts)]
    parts.append("## At the Hugging Face hub\n")
    known = ("resource", "repository", "commit", "licence", "gate", "MB", "files", "confirmed by")
    parts.append(_table(known, (_hub_row(item, fact) for item, fact in hub)))
    parts.append("## From elsewhere only\n")
    elsewhere = ("resource", "kind", "sources, in order", "licence", "MB", "used by")
    parts.append(_table(elsewhere, (_row(item, facts) for item in rest)))
    parts.append("## Who uses what is at the hub\n")
    users = ((item.resource.name, _sources(item.resource), item.used_by) for item, _ in hub)
    parts.append(_table(("resource", "sources, in order", "used by"), users))
    return "\n".join(parts)


def as_text(items: list[Listed], facts: HubFacts) -> str:
    """One line a resource, for a terminal."""
    lines = []
    for item in items:
        resource = item.resource
        pins = [fact.revision[:12] or f"{fact.ref}, not pinned" for fact in _facts(resource, facts)]
        pinned = f"; hub at {', '.join(pins)}" if pins else ""
        lines.append(f"{resource.name:28} {resource.kind:8} {licence_of(resource, facts)}{pinned}")
    return "\n".join(lines)


def _facts(resource: Resource, facts: HubFacts) -> list[HubFact]:
    known = (facts.of(source) for source in resource.sources if isinstance(source, HubSource))
    return [fact for fact in known if fact]


def _unconfirmed(hub: list[tuple[Listed, HubFact]]) -> str:
    lines = []
    for item, fact in hub:
        open_points = [] if fact.revision else [f"no commit was found (branch `{fact.ref}`)"]
        open_points += [] if fact.columns_confirmed else ["columns in part from code that reads them"]
        open_points += ["safetensors are made by `corroborate convert`"] if fact.weights else []
        if open_points:
            lines.append(f"- `{item.resource.name}` ({fact.repo}): {'; '.join(open_points)}.")
    return "\n".join([*lines, ""])


def _unlicensed(items: list[Listed], facts: HubFacts) -> str:
    unknown = [item.resource.name for item in items if licence_of(item.resource, facts).startswith("unknown")]
    names = ", ".join(f"`{name}`" for name in unknown)
    return f"No licence was found, or its card says that it is unknown: {names}.\n"


def _hub_row(item: Listed, fact: HubFact) -> tuple[str, ...]:
    parts = [f"`{pattern}`" for pattern in fact.patterns]
    columns = f"; columns {', '.join(fact.columns)}" if fact.columns else ""
    note = f" {fact.note}" if fact.note else ""
    page = f"[{fact.repo}]({fact.page})" + (f", {fact.config}" if fact.config else "")
    commit = f"`{fact.revision}`" if fact.revision else f"none (`{fact.ref}`)"
    confirmed = f"{fact.confirmed}; looked up {fact.looked_up}.{note}"
    gate = fact.gated or "open"
    files = ", ".join(parts) + columns
    return (item.resource.name, page, commit, fact.licence, gate, f"{fact.size_mb:,}", files, confirmed)


def _row(item: Listed, facts: HubFacts) -> tuple[str, ...]:
    resource = item.resource
    found = size_mb_of(resource, facts)
    size = f"{found:,}" if found else ""
    licence = licence_of(resource, facts)
    return (resource.name, resource.kind, _sources(resource), licence, size, item.used_by)


def _sources(resource: Resource) -> str:
    own = "a folder of the user's (`--bind`)" + (" or a server (`--endpoint`)" if resource.served else "")
    return ", ".join(map(_source, resource.sources)) or own


def _source(source: Source) -> str:
    match source:
        case MirrorSource(folder):
            return f"mirror `{folder}`"
        case PackageSource(distribution, version):
            return f"package {distribution} {version}"
        case IndexSource(distribution, version, sha256):
            return f"source distribution {distribution} {version} (SHA-256 {sha256[:12]}…)"
        case HubSource(repo):
            return f"hub {repo}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
