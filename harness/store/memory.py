"""A run held in memory, for tests and worked examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.errors import RecordError
from harness.store.kept import KeptCell
from harness.store.records import RunRecord, TrialRecord


@dataclass(eq=False)
class MemoryRun:
    """A :class:`harness.store.view.RunView` without files.

    Attributes:
        record: What was asked for.
        trials: Trial records by id.
        tables: Columns by (trial id, part).
        is_committed: Whether it stands for committed results.
        omitted: Trials of which rows were left out.
        kept: Cells of which the values were kept.
    """

    record: RunRecord
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    tables: dict[tuple[str, str], dict[str, np.ndarray]] = field(default_factory=dict)
    is_committed: bool = False
    omitted: frozenset[str] = frozenset()
    kept: dict[str, KeptCell] | None = None

    def add(self, trial: TrialRecord, **parts: Mapping[str, Any]) -> None:
        """Store a trial with its rows, one table a part."""
        self.trials[trial.trial] = trial.model_copy(update={"parts": list(parts)})
        for part, table in parts.items():
            self.tables[trial.trial, part] = {name: np.asarray(column) for name, column in table.items()}

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one evaluation set.

        Raises:
            RecordError: If there are none.
        """
        if (trial, part) not in self.tables:
            raise RecordError(f"There are no rows of part '{part}'", where=trial)
        return self.tables[trial, part]
