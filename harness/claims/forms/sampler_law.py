"""Samples follow the target's distribution at every depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from harness.claims.findings import ControlOutcome, Finding, NotMeasuredError, Settled, not_measured
from harness.claims.forms.base import Form, Measured
from harness.claims.forms.exact import Exact, in_whole, largest
from harness.claims.judging import JudgingContext, Pooled
from harness.claims.profiles import Profile
from harness.claims.quantity import Cell
from harness.claims.wording import number
from harness.store.records import Interval, TestRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS = ("depth", "pit")


@dataclass(frozen=True)
class SamplerLaw(Form):
    """Samples follow the target's law: randomised PIT values are uniform at every depth.

    The cell's table has the columns ``depth`` (int, from 1) and ``pit`` (in [0, 1]). At every
    depth the Kolmogorov-Smirnov distance plus the DKW half-width must not exceed ``margin``.
    """

    meaning: ClassVar[str] = "reproduced if samples follow the target's law at every depth"
    at_any_scale: ClassVar[bool] = True

    cell: Cell
    _: KW_ONLY
    depths: int
    margin: float = 0.03
    min_tokens: int = 10_000
    exact: tuple[Cell, ...] = ()
    """Enumerations that must hold, too, as in :class:`Exact`."""

    def examine(self, context: JudgingContext) -> Finding:
        """PIT values are uniform at every depth: KS distance + DKW half-width ≤ margin."""
        try:
            rows = context.pooled(self.cell, _COLUMNS)
        except NotMeasuredError as error:
            return not_measured(error)
        bands = _bands(rows, self.depths, context)
        settled = in_whole(self._settled(bands), [rows])
        tests, trials = tuple(band.record() for band in bands), rows.trials
        if self.exact:
            exact = Exact(cells=self.exact, oracle="exact enumeration").examine(context)
            tests, trials = (*exact.tests, *tests), (*exact.trials, *trials)
            if exact.settled is not None and exact.settled.verdict != "reproduced":
                settled = _worse(exact.settled, settled)
        return Finding(tests=tests, trials=trials, settled=settled)

    def under_control(self, broken: Self, context: JudgingContext, profile: Profile) -> ControlOutcome:
        """Killed also if uniformity is refused at a depth for it, and nowhere for the real thing.

        The margin forgives what a library computes otherwise than we do; a sabotage that it forgives in
        part, and that has tokens enough, is still seen not to follow the law.
        """
        outcome, detail = super().under_control(broken, context, profile)
        if outcome != "undecided":
            return outcome, detail
        try:
            rows = [context.pooled(form.cell, _COLUMNS) for form in (self, broken)]
        except NotMeasuredError as error:
            return "undecided", str(error)
        real, fake = (_bands(item, self.depths, context) for item in rows)
        off = [band for band in fake if band.distance > band.wider and band.tokens >= self.min_tokens]
        if not off or any(band.distance > band.wider for band in real):
            return outcome, detail
        worst = max(off, key=lambda band: band.distance)
        return "kill", (
            f"At depth {worst.depth} uniformity is refused: the distance {number(worst.distance)} is beyond "
            f"{number(worst.wider)}; the real thing's is within at all depths. {detail}"
        )

    def _settled(self, bands: Sequence[_Band]) -> Settled:
        broken = [band for band in bands if band.tokens and band.distance - band.wider > self.margin]
        if broken:
            worst = max(broken, key=lambda band: band.distance)
            return Settled(
                "not reproduced",
                f"At depth {worst.depth} the samples are {number(worst.distance)} from the target's law, "
                f"beyond the margin {number(self.margin)}.",
            )
        few = [band for band in bands if band.tokens < self.min_tokens]
        if few:
            least = min(few, key=lambda band: band.tokens)
            return Settled(
                "inconclusive",
                f"Only {least.tokens} of at least {self.min_tokens} tokens at depth {least.depth}.",
                "power",
            )
        widest = max(bands, key=lambda band: band.distance + band.half_width)
        bound = widest.distance + widest.half_width
        if bound <= self.margin:
            return Settled(
                "reproduced",
                f"At all {self.depths} depths within {number(bound)} of the target's law "
                f"(margin {number(self.margin)}).",
            )
        return Settled(
            "inconclusive",
            f"At depth {widest.depth} the bound {number(bound)} exceeds the margin {number(self.margin)}.",
            "power",
        )

    def measured(self) -> tuple[Measured, ...]:
        """Nothing: its rows are tokens."""
        return ()

    @property
    def margin_shown(self) -> tuple[float | None, str]:
        """The largest distance with its band."""
        return self.margin, ""

    @classmethod
    def summary(cls, values: Sequence[float]) -> tuple[list[int], str]:
        """The largest distance."""
        return largest(values)

    @property
    def digits(self) -> int:
        """Three, for distances."""
        return 3


@dataclass(frozen=True)
class _Band:
    """The distance from uniformity at one depth.

    Attributes:
        depth: From 1.
        tokens: Behind it.
        distance: Of Kolmogorov and Smirnov.
        half_width: Of the 95 % band.
        wider: Of the band that holds for all depths together.
    """

    depth: int
    tokens: int
    distance: float
    half_width: float
    wider: float

    def record(self) -> TestRecord:
        """The record of this depth."""
        low, high = max(0.0, self.distance - self.half_width), self.distance + self.half_width
        known = self.tokens > 0
        return TestRecord(
            label=f"distance from uniformity at depth {self.depth}",
            effect=Interval(value=self.distance, low=low if known else None, high=high if known else None),
            test="Kolmogorov-Smirnov with the DKW band",
            units=self.tokens,
        )


def _bands(rows: Pooled, depths: int, context: JudgingContext) -> list[_Band]:
    """The distances of pooled tokens, from depth 1 on."""
    depth = rows.columns["depth"].astype("int64")
    pit = rows.columns["pit"].astype("float64")
    return [_band(d, pit[depth == d], depths, context) for d in range(1, depths + 1)]


def _band(depth: int, pit: NDArray[np.float64], depths: int, context: JudgingContext) -> _Band:
    tokens = len(pit)
    if not tokens:
        return _Band(depth, 0, float("nan"), float("nan"), float("nan"))
    distance, half_width = context.uniformity(pit, 0.05)
    # Any depth may reject, so each is held to a share of the level.
    _, wider = context.uniformity(pit, 0.05 / depths)
    inside = bool(((pit >= 0) & (pit <= 1)).all())
    return _Band(depth, tokens, distance if inside else 1.0, half_width, wider)


def _worse(left: Settled, right: Settled) -> Settled:
    """The one further from holding."""
    order = ["not reproduced", "not comparable", "inconclusive", "not run", "reproduced"]
    return min(left, right, key=lambda settled: order.index(settled.verdict))
