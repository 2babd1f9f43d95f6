"""The models and data that a run was made with: where they come from, and under what licences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from harness.hub import HubFacts, licence_of, page_of, source_text
from harness.method.references import HubSource, Resource


def spdx(text: str) -> str:
    """The SPDX identifier of a licence as SPDX writes it, or nothing if the text is not a single one."""
    try:
        found = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return ""
    return "" if " " in found or found.startswith("LicenseRef-") else found


@dataclass(frozen=True)
class Input:
    """A model or data set from outside.

    Attributes:
        name: As suites call it.
        kind: "model" or "dataset".
        version: Of its content.
        licence: SPDX identifier or a name; "unknown (why)" where nobody states one.
        terms: Where its terms can be read, or whose they are; may be empty.
        page: Its page on the hub, or empty.
        sources: Where it can be had, in words, in the order in which that is tried.
        bound: Whether the user put files of their own in its place.
    """

    name: str
    kind: str
    version: str
    licence: str
    terms: str
    page: str
    sources: tuple[str, ...]
    bound: bool


def inputs_of(resources: Iterable[Resource], bindings: Mapping[str, str], facts: HubFacts) -> list[Input]:
    """What is known of each resource, by name in order."""
    return [
        _input(resource, facts, bound=resource.name in bindings) for resource in sorted(resources, key=_name)
    ]


def _name(resource: Resource) -> str:
    return resource.name


def _input(resource: Resource, facts: HubFacts, *, bound: bool) -> Input:
    pages = (page_of(s.repo, s.repo_type) for s in resource.sources if isinstance(s, HubSource))
    return Input(
        name=resource.name,
        kind=resource.kind,
        version=resource.version,
        licence=licence_of(resource, facts),
        terms=resource.terms,
        page=next(pages, ""),
        sources=tuple(source_text(source, facts) for source in resource.sources),
        bound=bound,
    )


def licences_text(inputs: Iterable[Input]) -> bytes:
    """The inputs as JSON."""
    return json.dumps([asdict(one) for one in inputs], indent=1, ensure_ascii=False).encode() + b"\n"
