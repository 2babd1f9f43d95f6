"""What noise was found, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.claims.forms.base import Measured
from harness.claims.wording import number
from harness.declared.noise import LEAST, averaged
from harness.plan.selection import Selection, cells_of, select
from harness.store.noise import BASELINE, NoiseMeasurement, QuantityNoise
from harness.suite import Scale, Suite
from harness.text import plural

if TYPE_CHECKING:
    from harness.evidence.noise import NoiseFound

_LEGEND = (
    "floor: standard deviation of θ between environments, in one seed; of the mean: over the seeds that the "
    "profile plans; under a variant: how far it moved θ"
)


@dataclass(frozen=True)
class NoiseRow:
    """A line of the table.

    Attributes:
        claim: Whose quantity it is.
        label: θ in words.
        floor: Its standard deviation between environments, in one seed.
        of_mean: The same of its mean over the seeds that the profile plans.
        seeds: So many, or 1 where more of them average nothing.
        moved: By how much each variant moved it.
        margin: δ or Δ; none for a quantity that is held to no such thing.
        enough: Whether that is at least twice the floor of the mean.
    """

    claim: str
    label: str
    floor: float
    of_mean: float
    seeds: int
    moved: Mapping[str, float]
    margin: float | None
    enough: bool | None


def noise_rows(suite: Suite, scale: Scale, found: NoiseFound) -> Iterator[NoiseRow]:
    """Every quantity whose noise is known, beside what it is held to."""
    planned = {item.id: len(item.seeds) for item in select(suite, scale, Selection())}
    forms = {claim.id: claim.forms.get(scale.profile) for claim in suite.claims}
    for name, noise in found.claims.items():
        form = forms[name]
        for item, quantity in zip(form.measured() if form else (), noise.quantities, strict=True):
            yield _row(name, item, quantity, planned)


def _row(claim: str, item: Measured, noise: QuantityNoise, planned: Mapping[str, int]) -> NoiseRow:
    seeds = averaged(item, min(planned[cell.experiment] for cell in cells_of(item.theta)))
    of_mean, margin = noise.of_mean(seeds), item.allowed
    enough = None if margin is None else margin >= LEAST * of_mean
    return NoiseRow(claim, noise.label, noise.floor, of_mean, seeds, noise.moved, margin, enough)


def as_json(measurement: NoiseMeasurement, found: NoiseFound, rows: Sequence[NoiseRow]) -> str:
    """All that was found."""
    told = {
        "measurement": measurement.model_dump(),
        "rows": [asdict(row) for row in rows],
        "unmeasured": found.unmeasured,
        "broken": found.broken,
        "untouched": found.untouched,
    }
    return json.dumps(told, indent=1, ensure_ascii=False)


def lines(measurement: NoiseMeasurement, found: NoiseFound, rows: Sequence[NoiseRow]) -> Iterator[str]:
    """A line a quantity, and what else there is to say."""
    names = [name for name in measurement.environments if name != BASELINE]
    heads = ["claim", "floor", "of the mean", "seeds", *names, "δ or Δ", "≥ twice", "θ"]
    yield from _aligned([heads, *(_cells(row, names) for row in rows)])
    yield _LEGEND
    yield from (
        f"{name} changed no row: no trial here depends on it, or none uses it" for name in found.untouched
    )
    yield from (f"left out: {name}: {why}" for name, why in measurement.skipped.items())
    yield from (f"not measured: {claim}: {why}" for claim, why in found.unmeasured.items())
    yield from (f"lost: exact claim {text}" for text in found.broken)
    low = dict.fromkeys(row.claim for row in rows if row.enough is False)
    told = f"below twice the floor of the mean: {', '.join(low)}"
    yield told if low else f"{plural(len(rows), 'quantity')}: no margin is below twice the floor of the mean"


def _cells(row: NoiseRow, names: Sequence[str]) -> list[str]:
    moved = [number(row.moved[name]) if name in row.moved else "–" for name in names]
    margin = "–" if row.margin is None else number(row.margin)
    enough = "–" if row.enough is None else "yes" if row.enough else "no"
    figures = [number(row.floor), number(row.of_mean), str(row.seeds)]
    return [row.claim, *figures, *moved, margin, enough, row.label]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
