"""``noise.json``: whole or refused, and measurements that lose nothing of earlier ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import RecordError
from harness.store.noise import (
    NOISE_FILE,
    ClaimNoise,
    NoiseMeasurement,
    NoiseRecord,
    QuantityNoise,
    read_noise,
    write_noise,
)


def quantity(floor: float, shared: float = 0.0, *, decides: bool = True) -> QuantityNoise:
    moved = {"threads": floor}
    return QuantityNoise(label="a − b", floor=floor, shared=shared, moved=moved, seeds=3, decides=decides)


def measurement(**floors: float) -> NoiseMeasurement:
    claims = {name: ClaimNoise(rule="r", quantities=[quantity(floor)]) for name, floor in floors.items()}
    return NoiseMeasurement(created="now", seeds="3", environments={"baseline": ["here"]}, claims=claims)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    record = NoiseRecord(suite="toy").with_measurement("small", measurement(C1=0.1, C2=0.2))
    assert write_noise(tmp_path, record).name == NOISE_FILE
    assert read_noise(tmp_path, "toy") == record
    assert read_noise(tmp_path / "elsewhere", "toy") == NoiseRecord(suite="toy")


def test_a_measurement_replaces_what_is_known_of_its_claims_alone() -> None:
    first = NoiseRecord(suite="toy").with_measurement("small", measurement(C1=0.1, C2=0.2))
    second = first.with_measurement("small", measurement(C2=0.3)).with_measurement("gpu", measurement(C1=1.0))
    assert {name: noise.floor for name, noise in second.claims("small").items()} == {"C1": 0.1, "C2": 0.3}
    assert second.claims("gpu")["C1"].floor == 1.0
    third = second.with_measurement("small", measurement(C1=0.4))
    assert [list(item.claims) for item in third.profiles["small"]] == [["C2"], ["C1"]]
    assert third.claims("paper") == {}


def test_the_largest_floor_of_what_decides_counts() -> None:
    found = [quantity(0.1), quantity(0.3), quantity(0.9, decides=False)]
    assert ClaimNoise(rule="r", quantities=found).floor == 0.3


def test_seeds_reduce_what_they_do_not_share() -> None:
    assert quantity(0.5).of_mean(25) == pytest.approx(0.1)
    assert quantity(0.5, 0.5).of_mean(25) == pytest.approx(0.5)
    assert quantity(0.5, 0.3).of_mean(4) == pytest.approx((0.09 + 0.16 / 4) ** 0.5)
    assert quantity(0.5, 0.3).of_mean(1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ('{"schema_version": 2, "suite": "toy"}', "schema version 2"),
        ('{"schema_version": 1, "suite": "toy", "profiles": {"small": 3}}', "damaged: profiles.small"),
        ('{"schema_version": 1, "suite": "other"}', "noise of suite 'other'"),
    ],
)
def test_what_is_no_noise_of_the_suite_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / NOISE_FILE).write_text(text)
    with pytest.raises(RecordError, match=message):
        _ = read_noise(tmp_path, "toy")


@pytest.mark.parametrize("floor", [-0.1, float("nan"), float("inf")])
def test_a_floor_is_a_finite_size(floor: float) -> None:
    with pytest.raises(ValueError, match="floor"):
        _ = quantity(floor)
