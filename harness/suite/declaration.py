"""What a suite declares, all together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.claims import Claim, Control, Rules
from harness.suite.display import PaperFigure, PaperTable, SampleView
from harness.suite.experiment import Experiment, FirstSeed, Scale
from harness.suite.paper import Deviation, Paper
from harness.suite.rehearsal import Rehearsal
from harness.suite.served import Served


@dataclass(frozen=True, kw_only=True)
class OwnUnits:
    """Says that methods have units of their own, and why; elsewhere one without some units left them out.

    Attributes:
        why: What a unit is, that each method has others.
        experiment: Id of the experiment; empty means all.
        part: The part of the scores; empty means all.
    """

    why: str
    experiment: str = ""
    part: str = ""

    def covers(self, experiment: str, part: str) -> bool:
        """Whether it speaks of a part, or of its probes."""
        whole = part.removeprefix("probe:") if part != "probe" else "main"
        return self.experiment in ("", experiment) and self.part in ("", part, whole)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Everything that is declared about one paper.

    Attributes:
        paper: The bibliographic record and the reported numbers.
        experiments: From a scale to the experiments that run under it.
        claims: All claims of the paper, also those that cannot be run.
        deviations: All places where a run differs from the paper.
        controls: Sabotages with predicted effects.
        tables: Tables of the report.
        figures: Figures of the report.
        sample_views: Single results that the report shows.
        own_units: Where methods need not answer the same units.
        first_seed: The lowest seed of its verdicts, and what was seen below it.
        gating: Ids of the claims whose quantities can make `regress` fail in another environment, at most
            20 quantities; by default all claims'.
        bindings: Names for ``--bind NAME=PATH``, each with the name of the resource it replaces.
        served: Which of these models a server may stand for.
        rehearsal: How profiles for larger machines are tried out on small ones.
        folder: Where ``paper.toml`` and ``reference/`` are.
    """

    paper: Paper
    experiments: Callable[[Scale], Sequence[Experiment]]
    claims: tuple[Claim, ...]
    deviations: tuple[Deviation, ...]
    folder: Path
    controls: tuple[Control, ...] = ()
    tables: tuple[PaperTable, ...] = ()
    figures: tuple[PaperFigure, ...] = ()
    sample_views: tuple[SampleView, ...] = ()
    own_units: tuple[OwnUnits, ...] = ()
    first_seed: FirstSeed = field(default_factory=FirstSeed)
    gating: tuple[str, ...] = ()
    bindings: Mapping[str, str] = field(default_factory=dict)
    served: Served = field(default_factory=Served)
    rehearsal: Rehearsal = field(default_factory=Rehearsal)

    @classmethod
    def read(cls, folder: Path, rules: Rules, **declared: Any) -> Suite:
        """The suite whose paper, statements and deviations stand in the folder's ``paper.toml``.

        Args:
            folder: Where ``paper.toml`` and ``reference/`` are.
            rules: By claim id, the form for each profile.
            declared: The other fields, ``experiments`` among them.

        Raises:
            SuiteError: If ``paper.toml`` cannot be read, or rules and statements do not fit.
        """
        paper = Paper.read(folder / "paper.toml")
        claims = paper.claims(rules)
        return cls(paper=paper, claims=claims, deviations=paper.deviations, folder=folder, **declared)

    @property
    def slug(self) -> str:
        """The name used in commands: ``spectr``."""
        return self.paper.slug
