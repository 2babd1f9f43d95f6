"""What is known of a paper, in words: ``paper.toml`` and the records it is read into.

The file holds the bibliographic record and four kinds of tables: ``[[reported]]``, ``[[claim]]`` with its
``[[claim.part]]``, and ``[[deviation]]``. Which rule decides a claim is logic, and stands in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from harness.claims import Claim, Profile, Rule, Rules
from harness.errors import SuiteError


class Standing(StrEnum):
    """How a reported number was established."""

    VERIFIED = "verified"
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A number (or a statement) of the paper.

    Attributes:
        id: Unique in the suite: ``"tau-k8-l8"``.
        value: The number; ``None`` where the paper's statement is qualitative or unknown.
        unit: Its unit, or empty.
        where: Table, figure or section.
        row: Row or cell in it.
        standing: How well it is established.
        note: Source of a second-hand number, or the qualitative statement.
    """

    id: str
    value: float | None
    where: str
    standing: Standing
    unit: str = ""
    row: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One place where the run differs from the paper.

    Attributes:
        id: ``"D1"``.
        field: What differs: "model", "data", "steps", "hardware", "protocol".
        paper: What the paper used.
        here: What is used here.
        effect: The expected direction of its effect.
        profiles: The profiles it applies to; empty means all.
        claims: The claims it touches; empty means all.
    """

    id: str
    field: str
    paper: str
    here: str
    effect: str
    profiles: tuple[Profile, ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A claim in words; its fields are those of :class:`harness.claims.Claim`, without its rules."""

    id: str
    statement: str
    source: str
    reported: tuple[str, ...] = ()
    parent: str = ""
    essential: bool = True
    relies_on: tuple[str, ...] = ()
    otherwise: str = ""
    note: str = ""
    threshold: tuple[float, ...] = ()
    same_as: str = ""
    primary: bool = False

    def ruled(self, forms: Rule) -> Claim:
        """The claim, decided by ``forms``."""
        return Claim(**vars(self), forms=forms)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Bibliographic record, reported numbers, statements and deviations, read from ``paper.toml``."""

    slug: str
    title: str
    authors: tuple[str, ...]
    arxiv: str
    year: int
    venue: str
    bibtex: str
    summary: str
    """What the paper proposes, in two or three sentences."""
    reported: Mapping[str, Reported]
    statements: tuple[Statement, ...] = ()
    """Its claims in order; the parts of a compound claim have its id as ``parent``."""
    deviations: tuple[Deviation, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Paper:
        """Read ``paper.toml``.

        Raises:
            SuiteError: If a field is missing, unknown or of the wrong kind, or an id occurs twice; with
                the line.
        """
        # Pydantic is slow to import, and only whoever reads a suite needs it.
        from harness.suite.paper_file import read_paper

        return read_paper(path)

    def claims(self, rules: Rules) -> tuple[Claim, ...]:
        """The claims with the rules that decide them; compound ones are decided by their parts.

        Args:
            rules: By claim id, the form for each profile. A profile that is missing gives ``not run``.

        Raises:
            SuiteError: If a claim has no rule, a compound claim has one, or a rule no claim.
        """
        compound = {statement.parent for statement in self.statements}
        known = [statement.id for statement in self.statements]
        for name in rules:
            if name not in known:
                near = ", ".join(get_close_matches(name, known)) or ", ".join(known)
                raise self._fault(f"A rule is given for '{name}', which is no claim", f"Known: {near}.")
        for name in known:
            if name in rules and name in compound:
                raise self._fault(f"'{name}' has parts and a rule", "Drop the rule: its parts decide it.")
            if name not in rules and name not in compound:
                raise self._fault(f"No rule decides '{name}'", "Give it one; NotRun says why none can.")
        return tuple(statement.ruled(rules.get(statement.id, {})) for statement in self.statements)

    def _fault(self, what: str, fix: str) -> SuiteError:
        return SuiteError(what, where=f"{self.slug}, rules of its claims", fix=fix)
