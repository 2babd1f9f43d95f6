"""Names of agents, exams and places, and the cells that claims and displays read of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import TypeVar

from harness.claims import Cell, Place, Profile, Replication
from harness.method import Metric
from harness.suite import Scale
from methods.rest_react.measures import ACCURACY, FALL, PARAMETERS

T = TypeVar("T")
SIZES = ("XS", "S", "L")
"""Students, the smallest first."""
DISTILLED = SIZES[:2]
"""Those that learn from a larger agent's trajectories only."""
GENERATIONS = {
    "gen0": "pre-trained (here: taught by a script)",
    "pilot": "pilot, filtered",
    "gen1": "self-improvement, 1st generation",
    "gen2": "self-improvement, 2nd generation",
}
"""Rows of the paper's first table."""
AGENTS = tuple(f"{generation}-{size}" for generation in GENERATIONS for size in SIZES)
"""Agents of that table."""
NOT_PROMPTED = ("gen0-XS", "gen0-S")
"""Those that the paper has no numbers of: the smaller models could not be prompted."""
STUDENTS = tuple(f"gen{n}-{size}" for n in (1, 2) for size in SIZES)
"""Agents that learn from whole generations."""
SUBSETS = ("gen2-1x-XS", "gen2-2x-XS")
"""Agents that learn from parts of the second generation's data."""
LAST = ("gen2-L", "gen2-S", "gen2-XS", "gen2-1x-XS")
"""Agents of the second generation, but for one that another of them is compared with."""
SECOND, FACTS = "second", "facts"
"""Exams beside the two-hop questions (Bamboogle's): a second set (BamTwoogle's), and real facts."""
_NOISE = 0.5
"""Standard deviation of the ranker's noise; a right and a wrong action differ by 1."""
PAIRS_RIGHT = {
    "random": 0.5,
    "rest": NormalDist().cdf(1 / (_NOISE * 2**0.5)),
    "oracle": 1.0,
}
"""Share of pairs of a right and a wrong action that the ranker of an arm orders rightly."""
SAMPLES = {1: "k-1", 4: "search-agent", 16: "k-16"}
"""Evaluations of generation 0 by the samples k that it draws of a step."""

WORLDS = Place("agents", "worlds", metric=ACCURACY)
"""Toy agents in generated worlds; the part is an agent, or ``agent@exam``."""
LANGUAGE = Place("agents", "worlds", replication=Replication.UNITS, metric=ACCURACY)
"""Gemma-3-270M as the largest agent, trained once: only the questions vary."""
PUBLIC = Place("agents", "public", replication=Replication.UNITS, metric=ACCURACY)
"""Bound language models on public questions, trained once."""
PLACES: Mapping[Profile, Place] = {
    Profile.SMALL: WORLDS,
    Profile.GPU: LANGUAGE,
    Profile.PAPER: PUBLIC,
}
"""Where agents are trained."""
BASELINES = Place("baselines", "worlds", metric=ACCURACY)
"""Generation 0 with less than the search agent; in task ``swapped`` with documents of another world."""
JUDGES = Place("judges")
"""Judges of answers, against the oracle."""

Reading = Callable[[Place], Cell]
"""A number that is measured wherever agents are trained."""


def of(agent: str, metric: Metric = ACCURACY, *, method: str = "", exam: str = "") -> Reading:
    """A metric of an agent, by default the share of right final answers to two-hop questions.

    Args:
        agent: Its name: ``"gen2-XS"``.
        metric: What is computed.
        method: What trains it, if not what the paper trains it by.
        exam: The questions, if not the two-hop ones.
    """
    trainer = method or method_of(agent)
    # The answer key is open in a task of its own, which only this method is run on.
    task = "labelled" if trainer == "star" else None
    part = f"{agent}@{exam}" if exam else agent
    return lambda where: where(trainer, metric, task=task, part=part)


def by_scale(make: Callable[[Place, Sequence[str]], T]) -> Mapping[Scale, T]:
    """What ``make`` gives for each scale's place and the agents of the paper's first table that it trains."""
    return {
        Scale(profile=profile, full=full): make(where, _trained(where, full=full))
        for profile, where in PLACES.items()
        for full in (False, True)
    }


def _trained(where: Place, *, full: bool) -> Sequence[str]:
    """Without ``--full`` there is no time for a pilot of the largest size."""
    brief = where is LANGUAGE or not full
    left_out = NOT_PROMPTED if where is PUBLIC else ("pilot-L",) if brief else ()
    return [agent for agent in AGENTS if agent not in left_out]


def parameters(agent: str) -> Reading:
    """Numbers that an agent consists of."""
    return lambda where: where(method_of(agent), PARAMETERS, part="agents", unit_id=agent)


def fall(agent: str, *, method: str = "") -> Reading:
    """How much the loss of an agent still fell when its training was taken to have settled.

    Args:
        agent: Its name.
        method: What trains it, if not what the paper trains it by.
    """
    return lambda where: where(method or method_of(agent), FALL, part="agents", unit_id=agent)


def method_of(agent: str) -> str:
    """The method that trains an agent as the paper does."""
    generation = agent.partition("-")[0]
    return {"gen0": "prompted", "pilot": "pilot"}.get(generation, "rest")
