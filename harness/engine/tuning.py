"""Choosing parameters from finished tuning trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from harness.plan.trial import PlannedTuning
from harness.store.units import decode


@dataclass
class TuningState:
    """The tuning trials of one method on one task, as they come in."""

    group: PlannedTuning
    scores: dict[str, float] = field(default_factory=dict)
    """The selected metric by trial id; NaN for trials that failed or left no number."""

    def add(self, trial: str, units: bytes | None) -> None:
        """Take in the rows of a finished trial, or ``None`` for one that failed."""
        self.scores[trial] = math.nan
        if units is not None:
            # What a method left for rows must not end a run; the report says what is wrong with them.
            with suppress(Exception):
                self.scores[trial] = self.group.tuned.select(decode(units, self.group.tuned.part, trial))

    @property
    def complete(self) -> bool:
        """Whether all points have been tried."""
        return len(self.scores) == len(self.group.points)

    def winner(self) -> Mapping[str, Any] | None:
        """The values with the best mean over the tuning seeds, or ``None`` if all trials failed.

        Among equal values the one declared first wins. A point of which one seed failed is out, and one
        that is better than any number.
        """
        sign = 1.0 if self.group.tuned.select.better == "higher" else -1.0
        best: tuple[float, Mapping[str, Any]] | None = None
        for values, mean in self.means():
            if math.isnan(mean) or sign * mean == math.inf:
                continue
            if best is None or sign * mean > best[0]:
                best = (sign * mean, values)
        return best[1] if best else None

    def means(self) -> list[tuple[Mapping[str, Any], float]]:
        """Each point with the mean of its metric over the tuning seeds."""
        points: dict[str, tuple[Mapping[str, Any], list[float]]] = {}
        for trial in self.group.points:
            key = repr(sorted(trial.point.items()))
            points.setdefault(key, (trial.point, []))[1].append(self.scores[trial.id])
        return [(values, math.fsum(found) / len(found)) for values, found in points.values()]
