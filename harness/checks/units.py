"""Whether a method answers the units that the other methods answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from harness.checks.subject import AnyMethod, Subject
from harness.plan.references import all_references, reference_key
from harness.store.answers import answers_of, coverage

_SEED = 1
"""A pilot seed."""

_MOST_OTHERS = 2
"""Methods that are asked the same; each takes a trial."""


def unanswered(subject: Subject) -> str:
    """What the method does not answer, or answers twice, that the suite's own methods do; else nothing."""
    others = list(_others(subject))
    experiment = subject.where.split("/")[1] if "/" in subject.where else ""
    faults = []
    for part, table in subject.trial(_SEED).parts.items():
        if part.startswith("probe") or any(item.covers(experiment, part) for item in subject.own_units):
            continue
        beside = [answers_of(_arrays(parts[part])) for _, parts in others if part in parts]
        if not beside:
            continue
        found = coverage(answers_of(_arrays(table)), beside, belongs=False)
        if not found.complete:
            names = " and ".join(f"'{name}'" for name, parts in others if part in parts)
            faults.append(f"it {found.text} of part '{part}', which {names} answers as a whole")
    return "; ".join(faults)


def _others(subject: Subject) -> Iterator[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    """The scores of some of the suite's own methods on the same problem, with what is there already."""
    left = _MOST_OTHERS
    for name, method in subject.others.items():
        if left and _can_run(subject, method):
            parts: Mapping[str, Mapping[str, Any]] = {}
            # One that fails says nothing about the method under check.
            with suppress(Exception):
                parts = subject.trial(_SEED, method).parts
            left -= bool(parts)
            yield name, parts


def _can_run(subject: Subject, method: AnyMethod) -> bool:
    needed = {reference_key(ref) for ref in all_references((subject.task, method))}
    return needed <= set(subject.paths)


def _arrays(table: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(column) for name, column in table.items()}
