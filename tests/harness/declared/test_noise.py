"""Margins beside the noise of what is held to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.claims import EveryCell, Form, Profile, Replication
from harness.declared import check_suite, claims_hash, floors_of, unwise
from harness.declared.keys import quantities_key
from harness.plan import Selection
from harness.store.noise import ClaimNoise, NoiseRecord, write_noise
from harness.suite import Suite
from tests.harness.evidence.test_check import KILL
from tests.harness.evidence.worlds import SMALL, claim, direction, experiment, gain, suite
from tests.harness.store.test_noise import measurement, quantity


def known(folder: Path, form: Form, floor: float, shared: float = 0.0, *, rule: str = "") -> Suite:
    """A suite of ten seeds whose only claim has this noise."""
    seeds = range(100, 110)
    noise = ClaimNoise(rule=rule or quantities_key(form), quantities=[quantity(floor, shared)])
    found = measurement().model_copy(update={"claims": {"C1": noise, "C9": noise}})
    write_noise(folder, NoiseRecord(suite="toy").with_measurement("small", found))
    made = suite([claim(form)], [experiment(["a", "b", "bad"], seeds)], [KILL])
    return replace(made, folder=folder)


def told(declared: Suite) -> list[str]:
    return [str(error) for error in check_suite(declared, SMALL)]


def test_a_margin_of_twice_the_floor_of_the_mean_will_do(tmp_path: Path) -> None:
    """δ = .1 and ten seeds: a floor of .158 has a mean's of .05."""
    assert told(known(tmp_path, direction(), 0.158)) == []
    [fault] = told(known(tmp_path, direction(), 0.159))
    assert "0.1 is below twice the noise floor of the mean of 10 seeds, 0.0503" in fault
    assert "claim C1" in fault


def test_more_seeds_do_not_help_against_what_they_share(tmp_path: Path) -> None:
    assert told(known(tmp_path, direction(), 0.06, 0.04)) == []
    assert told(known(tmp_path, direction(), 0.06, 0.06)) != []


def test_over_units_nothing_is_averaged(tmp_path: Path) -> None:
    form = direction(replication=Replication.UNITS)
    assert told(known(tmp_path, form, 0.05)) == []
    [fault] = told(known(tmp_path, form, 0.051))
    assert "below twice the noise floor, 0.051" in fault


def test_a_run_of_fewer_seeds_is_warned(tmp_path: Path) -> None:
    declared = known(tmp_path, direction(), 0.14)
    assert told(declared) == []
    assert not any("noise" in str(error) for error in unwise(declared, SMALL))
    warned = [str(error) for error in unwise(declared, SMALL, Selection(seeds=5))]
    assert any("mean of 5 seeds" in text for text in warned)


def test_noise_of_another_quantity_counts_for_nothing(tmp_path: Path) -> None:
    declared = known(tmp_path, direction(), 0.01, rule=quantities_key(direction(theta=gain("a", "bad"))))
    [fault] = told(declared)
    assert "measured of other quantities" in fault
    assert "corroborate noise toy --claim C1 --write" in fault
    assert floors_of(declared, Profile.SMALL) == {}
    halved = EveryCell((gain(), gain("bad")), delta=0.1, delta_reason="r")
    assert "measured of other quantities" in told(known(tmp_path, halved, 0.01))[0]


def test_a_threshold_makes_no_other_quantity() -> None:
    theta = gain()
    assert quantities_key(direction(theta=theta)) == quantities_key(direction(theta=theta - 0.9))
    assert quantities_key(direction(theta=theta)) != quantities_key(direction(theta=2.0 * theta))


def test_floors_are_those_of_the_profile_and_no_rule(tmp_path: Path) -> None:
    declared = known(tmp_path, direction(), 0.02)
    assert floors_of(declared, Profile.SMALL) == {"C1": 0.02}
    assert floors_of(declared, Profile.GPU) == floors_of(suite(declared.claims), Profile.SMALL) == {}
    assert claims_hash(declared) == claims_hash(replace(declared, folder=tmp_path / "elsewhere"))


def test_what_never_moved_has_no_floor(tmp_path: Path) -> None:
    declared = known(tmp_path, direction(), 0.0)
    assert floors_of(declared, Profile.SMALL) == {}
    assert told(declared) == []
