"""A form that no suite needs, with its case: what CONTRIBUTING.md starts a new form from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.concluding import Bound
from harness.claims.forms.statistical import StatisticalForm
from harness.claims.judging import Question
from harness.claims.labels import contrast_label
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast
from tests.harness.evidence.form_cases import SPREAD, FormCase, levels
from tests.harness.evidence.worlds import gain


@dataclass(frozen=True)
class AtLeast(StatisticalForm):
    """θ is shown to be no smaller than a level that the paper names."""

    meaning: ClassVar[str] = "reproduced if the interval of θ lies above the level that the paper names"
    hypotheses: ClassVar[tuple[str, str]] = ("θ ≤ level", "θ ≥ level")
    effect_name: ClassVar[str] = "Level"

    theta: Contrast
    _: KW_ONLY
    level: float
    level_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether θ lies above the level."""
        label = contrast_label(self.theta)
        return [Question(label, self.theta, lower=self.level, falls_below=self.level)]

    @property
    def bound(self) -> Bound:
        """The level."""
        return Bound(self.level, self.level_reason)


AT_LEAST = FormCase(
    AtLeast(gain(), level=0.2, level_reason="the paper says so"),
    {
        "reproduced": levels(a=0.3 + SPREAD),
        "not reproduced": levels(a=0.1 + SPREAD),
        "inconclusive": levels(a=0.2 + SPREAD),
    },
)
