"""``noise.json`` of a suite: how far its quantities move between environments that should agree.

It is a record of measurements by profile. A run copies the floors when it starts, so that what is measured
later changes no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from harness.durable import write_durably
from harness.errors import RecordError
from harness.store.reader import parse, read_file
from harness.store.record import Record
from harness.store.records import SCHEMA_VERSION

NOISE_FILE = "noise.json"
BASELINE = "baseline"
"""The run of a suite as it is, which variants are compared with."""


class QuantityNoise(Record):
    """How far one quantity θ of a claim moves."""

    label: str
    """θ in words."""
    floor: float = Field(ge=0, allow_inf_nan=False)
    """Standard deviation of θ in one seed between environments: within each seed with one degree of freedom
    less than environments, then the root mean square over seeds."""
    shared: float = Field(ge=0, allow_inf_nan=False)
    """The part of it that is the same in all seeds, as a standard deviation: more seeds do not reduce it."""
    moved: dict[str, float]
    """Root mean square over seeds of the difference from the baseline, by variant."""
    seeds: int
    decides: bool = True
    """Whether the claim is held to δ or Δ in this quantity; a step of a trend is not."""

    def of_mean(self, seeds: int) -> float:
        """The floor of θ's mean over seeds, of which each draws the part anew that they do not share."""
        own = max(self.floor**2 - self.shared**2, 0.0)
        return math.sqrt(self.shared**2 + own / max(seeds, 1))


class ClaimNoise(Record):
    """How far the quantities of a claim move."""

    rule: str
    """Hash of its quantities: a floor counts for no others."""
    quantities: list[QuantityNoise]

    @property
    def floor(self) -> float:
        """The largest floor of the quantities that decide it."""
        return max((item.floor for item in self.quantities if item.decides), default=0.0)


class NoiseMeasurement(Record):
    """One measurement: a baseline and its variants over the same seeds."""

    created: str
    """UTC time, ISO 8601."""
    commit: str = ""
    """The commit, and what is known of changes to it."""
    seeds: str
    """As asked for: a number, or a list."""
    environments: dict[str, list[str]]
    """Where the baseline and each variant ran: the environment keys of trials, with the type of weights."""
    skipped: dict[str, str] = Field(default_factory=dict)
    """Variants that could not be run there, with the reason."""
    claims: dict[str, ClaimNoise]


class NoiseRecord(Record):
    """``noise.json``: the measurements of a suite by profile, the newest last."""

    schema_version: int = SCHEMA_VERSION
    suite: str
    profiles: dict[str, list[NoiseMeasurement]] = Field(default_factory=dict)

    def claims(self, profile: str) -> dict[str, ClaimNoise]:
        """What is known of each claim under a profile, from the newest measurement of it."""
        found: dict[str, ClaimNoise] = {}
        for measurement in self.profiles.get(profile, []):
            found |= measurement.claims
        return found

    def with_measurement(self, profile: str, new: NoiseMeasurement) -> NoiseRecord:
        """The record with a measurement, which replaces what older ones say of the same claims."""
        kept = [_without(old, new.claims.keys()) for old in self.profiles.get(profile, [])]
        mine = [*(old for old in kept if old.claims), new]
        return self.model_copy(update={"profiles": {**self.profiles, profile: mine}})


def _without(measurement: NoiseMeasurement, claims: Iterable[str]) -> NoiseMeasurement:
    left = {name: noise for name, noise in measurement.claims.items() if name not in set(claims)}
    return measurement.model_copy(update={"claims": left})


def read_noise(folder: Path, suite: str) -> NoiseRecord:
    """What is known of a suite's noise; nothing where nobody has measured it.

    Args:
        folder: The suite's folder.
        suite: Its slug.

    Raises:
        RecordError: If the record is damaged, of another schema version or another suite's.
    """
    path = folder / NOISE_FILE
    if not path.is_file():
        return NoiseRecord(suite=suite)
    try:
        record = parse(NoiseRecord, read_file(path), str(path))
    except RecordError as error:  # No run can mend it, which is what the advice for other records says.
        raise RecordError(error.what, where=error.where, fix=_mend(suite)) from error
    if record.suite != suite:
        raise RecordError(
            f"This is the noise of suite '{record.suite}', not of '{suite}'",
            where=str(path),
            fix=_mend(suite),
        )
    return record


def _mend(suite: str) -> str:
    return f"Put it back, or delete it and measure: corroborate noise {suite} --write."


def write_noise(folder: Path, record: NoiseRecord) -> Path:
    """Write a suite's noise, whole or not at all.

    Raises:
        RecordError: If it cannot be written.
    """
    path = folder / NOISE_FILE
    try:
        write_durably(path, record.as_json(indent=1).encode() + b"\n")
    except RecordError as error:
        raise RecordError(
            error.what, where=error.where, fix="Make it writable and measure again: finished trials are kept."
        ) from error
    return path
