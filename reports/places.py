"""What a run has planned, by place: looked up for every cell of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def planned_at(planned: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Trials by experiment, task and method, from their ids."""
    found: dict[str, list[str]] = {}
    for trial in planned:
        found.setdefault(trial.rpartition("/")[0], []).append(trial)
    return found


def methods_at(places: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The methods of each experiment, in order, from places or ids of trials."""
    found: dict[str, dict[str, None]] = {}
    for place in places:
        experiment, *rest = place.split("/")
        if len(rest) > 1:
            found.setdefault(experiment, {})[rest[1]] = None
    return {experiment: list(methods) for experiment, methods in found.items()}
