"""What suites need from outside."""

from __future__ import annotations

from collections.abc import Iterable

from harness.claims import Profile
from harness.method.references import Artifact, Resource
from harness.plan.references import all_references, bound
from harness.suite import Scale, Suite


def resources_of(suite: Suite, scale: Scale) -> dict[str, Resource]:
    """The resources that a suite can use under a scale, by name."""
    found: dict[str, Resource] = {}
    for experiment in suite.experiments(scale):
        for ref in all_references((experiment.tasks, experiment.methods)):
            if isinstance(ref, Resource):
                found[ref.name] = ref
    return found


def artifacts_of(suite: Suite, scale: Scale) -> list[Artifact]:
    """The artifacts that a suite builds under a scale."""
    refs = (
        all_references(bound((e.tasks, e.methods), seed))
        for e in suite.experiments(scale)
        for seed in e.seeds
    )
    return list(dict.fromkeys(ref for group in refs for ref in group if isinstance(ref, Artifact)))


def resources_of_all(suites: Iterable[Suite], profiles: Iterable[Profile]) -> dict[str, Resource]:
    """The resources of several suites under several profiles, wide forms included, by name."""
    scales = [Scale(profile=profile, full=full) for profile in profiles for full in (False, True)]
    found: dict[str, Resource] = {}
    for suite in suites:
        for scale in scales:
            found |= resources_of(suite, scale)
    return found
