"""Names of experiments, methods and agents, and the cells that claims and displays read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from harness.claims import Cell, Contrast, Replication
from harness.method import Metric
from methods.rest_react.measures import ACCURACY, EXAMPLES, GAIN, PARAMETERS

SIZES = ("XS", "S", "L")
"""Students, the smallest first."""
DISTILLED = SIZES[:2]
"""Those that learn from a larger agent's trajectories only."""
STUDENTS = tuple(f"gen{n}-{size}" for n in (1, 2) for size in SIZES)
"""Agents that learn from whole generations."""
SUBSETS = ("gen2-1x-XS", "gen2-2x-XS")
"""Agents that learn from parts of the second generation's data."""
LAST = ("gen2-L", "gen2-S", "gen2-XS", "gen2-1x-XS")
"""Agents of the second generation, but for one that another of them is compared with."""
GENERATIONS = {
    "gen0": "pre-trained (here: taught by a script)",
    "pilot": "pilot, filtered",
    "gen1": "self-improvement, 1st generation",
    "gen2": "self-improvement, 2nd generation",
}
"""Rows of the paper's first table."""
TWO_HOPS, SECOND, FACTS = "two-hop", "second", "facts"
"""Exams: invented two-hop questions (in Bamboogle's place), a second set (BamTwoogle's), real facts."""
_NOISE = 0.5
"""Standard deviation of the ranker's noise; a right and a wrong action differ by 1."""
PAIRS_RIGHT = {
    "random": 0.5,
    "rest": NormalDist().cdf(1 / (_NOISE * 2**0.5)),
    "oracle": 1.0,
}
"""Share of pairs of a right and a wrong action that the ranker of an arm orders rightly."""
BASELINES = {
    "closed-book": "closed book",
    "single-search": "one search for the question",
    "react": "no checks (ReAct)",
    "majority": "majority vote over the runs",
}
SAMPLES = (1, 4, 16)
"""k of the evaluation of generation 0."""


@dataclass(frozen=True)
class Place:
    """The cells of one experiment's task.

    Attributes:
        experiment: Its id.
        task: The task's id.
        replication: What is drawn again.
        sizes: Sizes of agents that are trained.
    """

    experiment: str
    task: str
    replication: Replication = Replication.SEEDS
    sizes: tuple[str, ...] = SIZES

    def of(self, agent: str, metric: Metric, *, method: str = "", exam: str = TWO_HOPS) -> Cell:
        """A metric of an agent; without a method, of the one that usually trains it."""
        name = agent if exam == TWO_HOPS else f"{agent}@{exam}"
        return Cell(self.experiment, method or method_of(agent), metric, task=self.task, part=name)

    def accuracy(self, agent: str, *, method: str = "", exam: str = TWO_HOPS) -> Cell:
        """Share of right final answers, in percent."""
        return self.of(agent, ACCURACY, method=method, exam=exam)

    def labelled(self, agent: str) -> Cell:
        """Accuracy of an agent that learnt from rightly answered trajectories only."""
        return Cell(self.experiment, "star", ACCURACY, task="labelled", part=agent)

    def gain(self, agent: str) -> Cell:
        """What the checks add, in points."""
        return self.of(agent, GAIN)

    def parameters(self, agent: str) -> Cell:
        """Numbers that an agent consists of."""
        where = (("unit_id", agent),)
        return Cell(self.experiment, method_of(agent), PARAMETERS, task=self.task, part="agents", where=where)

    def trained(self, metric: Metric) -> Cell:
        """A metric over all agents that self-improvement trains."""
        return Cell(self.experiment, "rest", metric, task=self.task, part="agents")

    def examples(self, data: str, *, method: str = "rest") -> Cell:
        """Steps of a training set."""
        where = (("unit_id", data),)
        return Cell(self.experiment, method, EXAMPLES, task=self.task, part="data", where=where)

    def baseline(self, method: str, metric: Metric = ACCURACY, *, task: str = "") -> Cell:
        """A baseline of generation 0."""
        return Cell("baselines", method, metric, task=task or self.task)


WORLDS = Place("agents", "worlds")
"""Toy agents in generated worlds."""
LANGUAGE = Place("agents", "worlds", Replication.UNITS)
"""Gemma-3-270M as the largest agent, trained once: only the questions vary."""
PUBLIC = Place("agents", "public", Replication.UNITS)
"""Bound language models on public questions, trained once."""


def judge_cell(method: str, metric: Metric) -> Cell:
    """A judge against the oracle."""
    return Cell("judges", method, metric)


def method_of(agent: str) -> str:
    """The method that trains an agent as the paper does."""
    generation = agent.partition("-")[0]
    return {"gen0": "prompted", "pilot": "pilot"}.get(generation, "rest")


def mean_of_cells(cells: Sequence[Cell]) -> Contrast:
    """The plain mean of some cells."""
    return Contrast(tuple((1 / len(cells), cell) for cell in cells))
