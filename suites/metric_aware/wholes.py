"""How claims are put together from parts and over several sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.claims import Claim, EveryCell, Form, Profile, Replication
from suites.metric_aware.cells import PROMPTED, Reads, prompted
from suites.metric_aware.rules import CROSSED, everywhere, flans, publics

Make = Callable[[Reads, Replication], EveryCell]


def whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


def over(make: Make, places: tuple[Reads, ...], replication: Replication = CROSSED) -> EveryCell:
    """One rule for several sets at once."""
    found = [make(where, replication) for where in places]
    return replace(
        found[0],
        thetas=tuple(theta for one in found for theta in one.thetas),
        preconditions=tuple(assay for one in found for assay in one.preconditions),
    )


def on_models(make: Make) -> dict[Profile, Form]:
    """Gemma-3-270M under ``small`` and ``gpu``, FLAN-T5 under ``paper``."""
    asked = tuple(prompted(domain) for domain in PROMPTED)
    return dict(everywhere(over(make, asked), over(make, publics()), over(make, flans())))
