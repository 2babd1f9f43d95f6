"""The looks of a run that goes on until its claims are settled, and how many seeds each of them takes.

Whoever looks more often at growing data finds more by chance. So the looks are fixed before a run
starts, and every p-value pays for all of them, whichever the run ends at (docs/evidence.md, section 6).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.claims import Cell, Form
from harness.claims.substitute import sabotaged
from harness.plan.selection import Place, Selection, cells_of, first_seeds, pairs, select
from harness.store.view import TIMED_METHOD, main_trials, trial_id
from harness.suite import Experiment, Scale, Suite

FACTORS = (1.0, 1.6, 2.4, 4.0)
"""Seeds at each look, as multiples of those that an experiment declares: 5, 8, 12 and 20 of five."""


def seeds_at(experiment: Experiment, factor: float) -> int:
    """How many seeds an experiment has at a look: no more than have data of their own."""
    declared = len(experiment.seeds)
    # Rounded first: the nearest float to a whole number may lie just above it.
    wanted = math.ceil(round(factor * declared, 6))
    return max(declared, wanted if experiment.most_seeds is None else min(wanted, experiment.most_seeds))


def seeds_planned(planned: Iterable[str]) -> dict[Place, int]:
    """How many seeds a run has planned at each place, by the ids of its main trials."""
    return Counter((trial.experiment, trial.task, trial.method) for trial in main_trials(planned))


@dataclass(frozen=True)
class Looks:
    """What a suite measures at each look.

    Attributes:
        suite: The suite.
        scale: Profile and width.
        selection: What the user restricts.
        recorded: The factors of a run that has begun; a new one may take all that add seeds.
    """

    suite: Suite
    scale: Scale
    selection: Selection
    recorded: tuple[float, ...] = ()

    @cached_property
    def factors(self) -> tuple[float, ...]:
        """Seeds at each look, as multiples of the declared ones."""
        return self.recorded or tuple(self._distinct())

    def _distinct(self) -> Iterator[float]:
        """The first factor of those that give every tested experiment the same number of seeds."""
        tested = {experiment for experiment, _, _ in self.places(self.tested)}
        seen = set()
        for factor in FACTORS:
            seeds = tuple(seeds_at(self._experiments[name], factor) for name in sorted(tested))
            if seeds not in seen:
                yield factor
            seen.add(seeds)

    @cached_property
    def _experiments(self) -> dict[str, Experiment]:
        return {item.id: item for item in select(self.suite, self.scale, self.selection)}

    @cached_property
    def tested(self) -> frozenset[str]:
        """The claims that are decided by tests."""
        return frozenset(name for name, form in self._forms.items() if form.statistical)

    @cached_property
    def _forms(self) -> dict[str, Form]:
        found = {claim.id: claim.forms.get(self.scale.profile) for claim in self.suite.claims}
        return {name: form for name, form in found.items() if form is not None and not any(form.faults())}

    def places(self, claims: Collection[str]) -> frozenset[Place]:
        """Where claims are measured, together with the negative controls that are tried on them.

        What a question asks across experiments gets its seeds together, also where another claim needs
        only a part of it: otherwise it could be left with a number of seeds that is of no look.
        """
        forms = [form for name, form in self._forms.items() if name in claims]
        broken = [
            sabotaged(self._forms[name], control)
            for control in self.suite.controls
            for name in control.predicts
            if name in claims and name in self._forms
        ]
        found = self._found(cells_of([*forms, *broken]))
        while more := [group for group in self._across if group & found and not group <= found]:
            found = found.union(*more)
        return found

    @cached_property
    def _across(self) -> list[frozenset[Place]]:
        """The places of each tested question that is asked across experiments."""
        asked = [item for name in self.tested for item in self._forms[name].measured()]
        groups = [self._found(cells_of(item.theta)) for item in asked]
        return [group for group in groups if len({experiment for experiment, _, _ in group}) > 1]

    def _found(self, cells: Iterable[Cell]) -> frozenset[Place]:
        wanted = {(cell.experiment, cell.task, cell.method) for cell in cells}
        return frozenset(
            (item.id, task, TIMED_METHOD if item.timed else method)
            for item in self._experiments.values()
            for task, method in pairs(item)
            if {(item.id, task, method), (item.id, "", method)} & wanted
        )

    def grown(self, seeds: Mapping[Place, int], claims: Collection[str], look: int) -> dict[Place, int]:
        """The seeds of each place, raised to those of a look where claims are measured.

        Args:
            seeds: What is planned so far.
            claims: Which are to get more.
            look: Its number, from 0.
        """
        places, factor = self.places(claims), self.factors[look]
        return {
            place: max(count, seeds_at(self._experiments[place[0]], factor)) if place in places else count
            for place, count in seeds.items()
        }

    def added(self, before: Mapping[Place, int], after: Mapping[Place, int]) -> list[str]:
        """Ids of the trials by which a run grows."""
        return [
            trial_id(*place, seed)
            for place, count in after.items()
            if count > before[place]
            for seed in first_seeds(self._experiments[place[0]].seeds, count)[before[place] :]
        ]

    def reached(self, seeds: Mapping[Place, int]) -> int:
        """The number of the look, from 0, that a run has come to."""
        return max((self._look_of(place, count) for place, count in seeds.items()), default=0)

    def seeds_of(self, seeds: Mapping[Place, int], look: int) -> list[int]:
        """The numbers of seeds, ascending, of the tested places that have come to a look."""
        places = self.places(self.tested) & seeds.keys()
        return sorted({seeds[place] for place in places if self._look_of(place, seeds[place]) == look})

    def _look_of(self, place: Place, count: int) -> int:
        """The first look at which a place has so many seeds."""
        experiment = self._experiments.get(place[0])
        if experiment is None:
            return 0
        reaching = (at for at, factor in enumerate(self.factors) if seeds_at(experiment, factor) >= count)
        return next(reaching, len(self.factors) - 1)
