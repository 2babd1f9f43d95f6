"""How long a run will still take, as far as that can be said.

Trials of one run differ by factors of a thousand, and come experiment by experiment: what the first ones
took says nothing about the rest. So a trial counts as what it took on an earlier occasion, in committed
results or another run, times what this machine has taken for the trials that it has done, and else as
others like it in this run. Where too much is unknown, nothing is said.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

FEWEST = 5
"""Executed trials before anything is said, unless fewer were a good share of the work."""
SHARE = 0.05
"""Share of the work that must have been done before anything is said."""
GOOD_SHARE = 0.1
"""Share of the work that may have been done by fewer trials: a run may begin with its longest ones."""
WIDEST = 4.0
"""Ends of a range that are further apart than this factor say nothing."""
MARGIN = 1.4
"""The factor by which the ends are moved apart at least, for what nobody knows."""
SURE = 2.0
"""Standard deviations by which they are moved apart, for how unlike the two occasions were trial by trial."""


@dataclass
class _Seen:
    """What trials of a kind took."""

    seconds: float = 0.0
    trials: int = 0

    def add(self, seconds: float) -> None:
        self.seconds += seconds
        self.trials += 1

    @property
    def mean(self) -> float:
        return self.seconds / self.trials


@dataclass
class Remaining:
    """Estimates what is left of a run. It is told times and reads no clock.

    Attributes:
        known: Seconds that trials took on an earlier occasion, by id.
    """

    known: Mapping[str, float] = field(default_factory=dict)
    _left: dict[str, None] = field(default_factory=dict)
    _running: dict[str, float] = field(default_factory=dict)
    _kinds: dict[str, _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    _experiments: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _took: float = 0.0
    _executed: int = 0
    _compared: tuple[float, float] = (0.0, 0.0)
    _ratios: list[float] = field(default_factory=list)
    _busy: float = 0.0
    _since: float = 0.0

    def planned(self, trials: Iterable[str]) -> None:
        """The ids of all trials of the run."""
        self._left = dict.fromkeys(trials)

    def started(self, trial: str, now: float) -> None:
        """A trial began at ``now``, in seconds of any clock."""
        if not self._running:
            self._since = now
        self._running[trial] = now

    def ended(self, trial: str, seconds: float, now: float, *, executed: bool = True) -> None:
        """A trial ended at ``now``; one that was not executed took its time on another occasion."""
        self._left.pop(trial, None)
        kind = kind_of(trial)
        self._kinds[kind].add(seconds)
        self._experiments[_experiment(trial)].add(kind)
        if self._running.pop(trial, None) is not None and not self._running:
            self._busy += now - self._since
        if not executed:
            return
        self._executed += 1
        self._took += seconds
        if trial in self.known:
            before, here = self._compared
            self._compared = (before + self.known[trial], here + seconds)
            if self.known[trial] > 0 < seconds:
                self._ratios.append(math.log(seconds / self.known[trial]))

    def left(self, now: float) -> tuple[float, float] | None:
        """Seconds that are left at least and at most, or nothing if too little is known to say."""
        busy = self._busy + (now - self._since if self._running else 0.0)
        if not self._left:
            return None
        ranges: dict[str, tuple[float, float]] = {}
        for trial in self._left:
            pair = self._range(trial)
            if pair is None:
                return None
            ranges[trial] = pair
        low, high = (sum(pair[end] for pair in ranges.values()) for end in (0, 1))
        if self._took < (SHARE if self._executed >= FEWEST else GOOD_SHARE) * (self._took + high):
            return None
        spent = sum(now - start for start in self._running.values())
        beside = self._beside(busy, spent)
        margin = max(MARGIN, math.exp(SURE * self._spread([pair[1] for pair in ranges.values()])))
        # At least: all workers are busy to the end.
        low = max(low - spent, 0.0) / beside / margin
        high = self._span({trial: pair[1] for trial, pair in ranges.items()}, now, beside) * margin
        return (low, high) if high <= WIDEST * low else None

    def expected(self, trials: Iterable[str]) -> float | None:
        """Seconds that more trials would take, or nothing if no trial like one of them has ended.

        They are taken to run as many beside one another as those that were executed.
        """
        ranges = [self._range(trial) for trial in trials]
        highest = [pair[1] for pair in ranges if pair is not None]
        if len(highest) < len(ranges):
            return None
        return max(sum(highest) / self._beside(self._busy), max(highest, default=0.0))

    def _span(self, seconds: Mapping[str, float], now: float, beside: float) -> float:
        """When the last trial ends, if each begins in its turn: one that is long and late ends alone."""
        before = longest = 0.0
        for trial, whole in seconds.items():
            left = max(whole - now + self._running.get(trial, now), 0.0)
            begins = 0.0 if trial in self._running else before / beside
            longest = max(longest, begins + left)
            before += left
        return max(longest, before / beside)

    def _spread(self, left: Sequence[float]) -> float:
        """Relative standard deviation of a sum, which is large where few trials make up most of it."""
        if len(self._ratios) < FEWEST or not (total := sum(left)):
            return 0.0
        return statistics.stdev(self._ratios) * math.sqrt(sum(x * x for x in left)) / total

    def _beside(self, busy: float, spent: float = 0.0) -> float:
        """How many trials were at work at once, on average."""
        return max(1.0, (self._took + spent) / busy) if busy else 1.0

    def _range(self, trial: str) -> tuple[float, float] | None:
        """What a trial may take here: what it took elsewhere, or what others like it took."""
        before, here = self._compared
        if trial in self.known and before > 0:
            return (self.known[trial] * here / before,) * 2
        kind = kind_of(trial)
        if kind in self._kinds:
            return (self._kinds[kind].mean,) * 2
        alike = [self._kinds[other].mean for other in self._experiments.get(_experiment(trial), ())]
        return (min(alike), max(alike)) if alike else None


def kind_of(trial: str) -> str:
    """Experiment, task, method, and whether it tunes: what is alike but for the seed and the grid point."""
    return "/".join(trial.split("/")[:-1][:4])


def _experiment(trial: str) -> str:
    return trial.partition("/")[0]


def spoken(span: tuple[float, float] | None) -> str:
    """A range of seconds as a reader takes it in, or nothing."""
    if span is None:
        return ""
    high = span[1]
    if high < 60:
        return "less than a minute left"
    size, unit = (60.0, "min") if high < 2 * 3600 else (3600.0, "h")
    low, high = (max(1, round(seconds / size)) for seconds in span)
    return f"about {low} {unit} left" if low == high else f"about {low} to {high} {unit} left"
