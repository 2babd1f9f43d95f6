"""The measured number equals the one that the paper reports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from harness.claims.forms.statistical import InsideForm
from harness.claims.judging import Question, Sampling, is_inside
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast
from harness.claims.ratios import is_log_ratio
from harness.errors import SuiteError


@dataclass(frozen=True)
class Value(InsideForm):
    """The measured number equals the reported one within ``margin``. Only under ``paper``."""

    meaning: ClassVar[str] = (
        "reproduced if the interval of the measured minus the reported number lies inside the margin"
    )

    theta: Contrast
    _: KW_ONLY
    reported: str
    margin: float
    margin_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 3
    noise_floor: float = 0.0
    paper_runs: int = 1
    """Runs behind the reported number; 1 where the paper does not say."""

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether θ minus the reported number lies inside the margin.

        Raises:
            SuiteError: If the number is unknown.
        """
        number = reported.get(self.reported)
        if number is None:
            raise SuiteError(f"No number is reported as '{self.reported}'", where="Value")
        # The paper reports a ratio as such, and θ is its logarithm.
        shift = math.log(number) if is_log_ratio(self.theta) and number > 0 else number
        return [is_inside(replace(self.theta, constant=self.theta.constant + shift), self.margin)]

    @property
    def sampling(self) -> Sampling:
        """With the paper's own noise, taken to be as large as the one measured here."""
        return replace(super().sampling, paper_runs=self.paper_runs)

    @property
    def reported_numbers(self) -> tuple[str, ...]:
        """The one that it compares with."""
        return (self.reported,)
