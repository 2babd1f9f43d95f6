"""What is said of the time left is right, within a factor, from the moment it is said."""

from __future__ import annotations

import gzip
import heapq
import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli.remaining import Remaining, spoken

ROOT = Path(__file__).parents[3]
RECORDED = sorted((ROOT / "suites").glob("*/reference/small/trials.jsonl.gz"))
FACTOR = 1.5
"""How far the true time may lie outside the range that is said."""
SAID_FROM = 0.3
"""Share of the run after which something is said."""
SAID_LATER = {"rest_react": 1 / 3}
"""Of runs with few and long trials, which on four workers have hardly begun to end by then."""
OVERHEAD_S = 0.05


@dataclass(frozen=True)
class Moment:
    """What is said at a moment of a run, and what is true."""

    share: float
    said: tuple[float, float] | None
    true: float


def recorded(path: Path) -> list[tuple[str, float]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [(r["trial"], r["cost"]["wall_s"]) for r in records if r.get("kind", "trial") == "trial"]


def replayed(trials: list[tuple[str, float]], known: dict[str, float], workers: int) -> list[Moment]:
    """Some 150 of the moments at which a trial of a run ended, on that many workers."""
    estimate = Remaining(known)
    estimate.planned(name for name, _ in trials)
    waiting, running, now, number = iter(trials), list[tuple[float, str, float]](), 0.0, 0
    found: list[tuple[float, tuple[float, float] | None]] = []

    def start() -> None:
        for name, seconds in waiting:
            estimate.started(name, now)
            heapq.heappush(running, (now + seconds + OVERHEAD_S, name, seconds))
            if len(running) == workers:
                return

    start()
    while running:
        now, name, seconds = heapq.heappop(running)
        estimate.ended(name, seconds, now)
        start()
        number += 1
        if number % max(len(trials) // 150, 1) == 0:
            found.append((now, estimate.left(now)))
    return [Moment(at / now, said, now - at) for at, said in found]


def off(moment: Moment) -> float:
    """The factor by which the truth lies outside what is said; what is below a minute is said so."""
    assert moment.said is not None
    low, high = moment.said
    if max(high, moment.true) < 60:
        return 1.0
    return max(moment.true / high, low / moment.true if moment.true else 1.0, 1.0)


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parts[-4])
def test_with_costs_of_another_machine_it_is_right_and_soon(path: Path, workers: int) -> None:
    trials = recorded(path)
    draw = random.Random(5)  # noqa: S311 - another machine, three times as slow and with its own moods
    known = {name: 3 * seconds * draw.lognormvariate(0, 0.4) for name, seconds in trials}
    moments = replayed(trials, known, workers)
    said = [moment for moment in moments if moment.said is not None]
    assert said[0].share < SAID_LATER.get(path.parts[-4], SAID_FROM)
    assert max(map(off, said)) < FACTOR


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parts[-4])
def test_without_any_knowledge_it_is_right_or_silent(path: Path) -> None:
    moments = replayed(recorded(path), {}, 2)
    assert all(off(moment) < FACTOR for moment in moments if moment.said is not None)


def test_slow_trials_at_the_beginning_are_not_taken_for_all() -> None:
    """As a newcomer met it: three minutes of forty, and "about 14 h 22 min left"."""
    slow = [(f"large/t/m/{seed}", 90.0) for seed in range(4)]
    trials = [*slow, *((f"small/t/m{seed % 9}/{seed}", 4.0) for seed in range(570))]
    for known in ({}, dict(trials)):
        for moment in replayed(trials, known, 2):
            assert moment.said is None or moment.said[1] < 2 * 3600
            assert moment.said is None or off(moment) < FACTOR


def test_reused_trials_tell_of_others_like_them_and_not_of_speed() -> None:
    estimate = Remaining()
    estimate.planned(f"e/t/m/{seed}" for seed in range(100))
    for seed in range(40):
        estimate.ended(f"e/t/m/{seed}", 10.0, 0.0, executed=False)
    assert estimate.left(0.0) is None
    for seed in range(40, 60):
        estimate.started(f"e/t/m/{seed}", 10.0 * (seed - 40))
        estimate.ended(f"e/t/m/{seed}", 10.0, 10.0 * (seed - 39))
    span = estimate.left(200.0)
    assert span is not None
    assert span[0] < 400 < span[1]


def test_more_trials_take_what_those_like_them_took() -> None:
    estimate = Remaining()
    took = {"e/t/m/1": 10.0, "e/t/m/2": 14.0}
    for trial in took:
        estimate.started(trial, 0.0)
    for trial, seconds in took.items():
        estimate.ended(trial, seconds, seconds)
    beside = 24 / 14
    assert estimate.expected([f"e/t/m/{seed}" for seed in range(3, 13)]) == pytest.approx(10 * 12 / beside)
    assert estimate.expected(["e/t/m/3"]) == 12, "the longest of them is not divided"
    assert estimate.expected(["e/t/m/3", "f/t/m/3"]) is None
    assert estimate.expected([]) == 0
    estimate.ended("f/t/m/1", 5.0, 20.0, executed=False)
    assert estimate.expected(["f/t/m/3"]) == 5


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, ""),
        ((5.0, 40.0), "less than a minute left"),
        ((100.0, 130.0), "about 2 min left"),
        ((600.0, 1300.0), "about 10 to 22 min left"),
        ((4000.0, 12000.0), "about 1 to 3 h left"),
    ],
)
def test_it_is_said_no_more_precisely_than_it_is_known(span: tuple[float, float] | None, text: str) -> None:
    assert spoken(span) == text


def test_a_long_trial_that_comes_last_ends_alone() -> None:
    """As one that is timed by itself, when all the others are done."""
    trials = [*((f"short/t/m{seed % 9}/{seed}", 2.0) for seed in range(200)), ("long/t/m/0", 300.0)]
    moments = [moment for moment in replayed(trials, dict(trials), 2) if moment.said is not None]
    assert moments[0].share < SAID_FROM
    assert max(map(off, moments)) == 1.0
