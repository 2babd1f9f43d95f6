"""Watching what LoRA-RITE skips: a factor that is skipped in every step does not train."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

from methods.lora_rite.stacks import Cohort

PATIENCE = 5
"""Steps in a row for which a factor may be skipped without a word; a spike in the loss takes fewer."""


class SkippedWarning(UserWarning):
    """Update skipping keeps a factor from training."""


@dataclass
class SkipWatch:
    """Counts skipped updates, and warns once when a factor stands still.

    Attributes:
        updates: Updates of a factor that were skipped so far.
        warned: Whether the warning was given.
    """

    updates: int = 0
    warned: bool = False

    def look(self, cohort: Cohort, kept: list[bool]) -> None:
        """Follow a step.

        Args:
            cohort: Whose step it was.
            kept: Which of its factors were not skipped.
        """
        if all(kept) and not any(cohort.skips):
            return
        self.updates += len(kept) - sum(kept)
        cohort.skips = [0 if moved else run + 1 for run, moved in zip(cohort.skips, kept, strict=True)]
        still = [place for place, run in enumerate(cohort.skips) if run >= PATIENCE]
        if not still or self.warned:
            return
        self.warned = True
        place = still[0]
        name = cohort.pairs[place % len(cohort.pairs)].name
        warnings.warn(
            f"Update skipping keeps {len(still)} of {len(kept)} LoRA factors from training: in each of the "
            f"last {PATIENCE} steps the RMS of their unmagnified gradients was above "
            f"skip={cohort.group['skip']} (first: {'AB'[place // len(cohort.pairs)]} of '{name}'). Divide "
            "the loss by its number of terms, or undo the scaling of gradients before the step; or raise "
            "skip, or switch it off with skip=0. "
            "This is said once; the optimizer counts on in `skips.updates`.",
            SkippedWarning,
            stacklevel=2,
        )

    def state_dict(self) -> dict[str, Any]:
        """Counts, for checkpoints."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`; without one, begin at zero."""
        self.updates = int(state.get("updates", 0))
        self.warned = bool(state.get("warned", False))
