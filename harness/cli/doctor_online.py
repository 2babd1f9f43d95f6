"""``corroborate doctor --online``: what would fail at the Hugging Face hub, asked there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from harness.claims import Profile
from harness.cli.needs import resources_of_all
from harness.errors import ExitCode, ResourceError
from harness.method.references import HubSource, Resource
from harness.resources import Resolver
from harness.resources.environment import hub_is_offline
from harness.resources.hub_online import Finding, check_online
from harness.suite import Suite


def check_hub(
    suites: Iterable[Suite], profiles: list[Profile], resolver: Resolver, *, as_json: bool
) -> ExitCode:
    """Check every hub source of the suites and print what was found.

    Raises:
        ResourceError: If the hub is switched off or cannot be reached.
    """
    if hub_is_offline():
        raise ResourceError(
            "The hub is switched off", where="HF_HUB_OFFLINE and its like", fix="Unset them and try again."
        )
    resources = resources_of_all(suites, profiles).values()
    findings = []
    for resource in sorted(resources, key=lambda resource: resource.name):
        for finding in _findings(resource, resolver):
            findings.append(finding)
            if not as_json:
                print(_text(finding))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        _sum_up(findings)
    return ExitCode.INFRASTRUCTURE if any(finding.problems for finding in findings) else ExitCode.OK


def _findings(resource: Resource, resolver: Resolver) -> Iterable[Finding]:
    for source in resolver.sources(resource):
        if isinstance(source, HubSource):
            fact = resolver.facts.at(source)
            yield check_online(resource.name, source, fact, resolver.lock)


def _text(finding: Finding) -> str:
    mark = "- fails " if finding.problems else "^ works "
    lines = [f"{mark} {finding.resource}: {finding.source} {finding.commit[:12]}, {finding.size_mb} MB"]
    lines += [f"    problem: {' '.join(text.split())}" for text in finding.problems]
    lines += [f"    note: {text}" for text in finding.notes]
    return "\n".join(lines)


def _sum_up(findings: list[Finding]) -> None:
    failing = sum(bool(finding.problems) for finding in findings)
    unpinned = sum(any("not pinned" in note for note in finding.notes) for finding in findings)
    total = sum(finding.size_mb for finding in findings) / 1000
    counted = f"{failing} would fail, {unpinned} not pinned"
    print(f"\n{len(findings)} sources at the hub, {total:.0f} GB: {counted}.")
