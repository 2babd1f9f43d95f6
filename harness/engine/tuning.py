"""Choosing parameters from finished tuning trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.plan.trial import PlannedTuning
from harness.store.units import decode


@dataclass
class TuningState:
    """The tuning trials of one method on one task, as they come in."""

    group: PlannedTuning
    scores: dict[str, float] = field(default_factory=dict)
    """The selected metric by trial id; NaN for trials that failed."""

    def add(self, trial: str, units: bytes | None) -> None:
        """Take in the rows of a finished trial, or ``None`` for one that failed."""
        tuned = self.group.tuned
        self.scores[trial] = math.nan if units is None else tuned.select(decode(units, tuned.part, trial))

    @property
    def complete(self) -> bool:
        """Whether all points have been tried."""
        return len(self.scores) == len(self.group.points)

    def winner(self) -> Mapping[str, Any] | None:
        """The values with the best mean over the tuning seeds, or ``None`` if all trials failed.

        Among equal values the one declared first wins. A point of which one seed failed is out.
        """
        sign = 1.0 if self.group.tuned.select.better == "higher" else -1.0
        best: tuple[float, Mapping[str, Any]] | None = None
        for values, mean in self.means():
            if not math.isnan(mean) and (best is None or sign * mean > best[0]):
                best = (sign * mean, values)
        return best[1] if best else None

    def means(self) -> list[tuple[Mapping[str, Any], float]]:
        """Each point with the mean of its metric over the tuning seeds."""
        points: dict[str, tuple[Mapping[str, Any], list[float]]] = {}
        for trial in self.group.points:
            key = repr(sorted(trial.point.items()))
            points.setdefault(key, (trial.point, []))[1].append(self.scores[trial.id])
        return [(values, math.fsum(found) / len(found)) for values, found in points.values()]
