"""What a suite's experiments ask of models that may be behind servers."""

from __future__ import annotations

from collections.abc import Iterable

from harness.method.references import Resource
from harness.plan.references import all_references
from harness.suite import Experiment, Role


def needs_of(role: Role, resource: str, experiments: Iterable[Experiment]) -> dict[str, tuple[str, ...]]:
    """What is asked of a server, by the id of each experiment that asks it something."""
    found = {}
    for experiment in experiments:
        references = all_references((experiment.tasks, experiment.methods))
        if any(isinstance(ref, Resource) and ref.name == resource for ref in references):
            found[experiment.id] = tuple(role.needs.get(experiment.id, ()))
    return found
