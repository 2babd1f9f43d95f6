"""What the suites declare about devices: enough for a machine with a GPU to be used well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.plan.selection import pairs
from harness.suite import Experiment, Scale

LARGE = (Profile.GPU, Profile.PAPER)


def experiments(name: str, profile: Profile) -> Iterator[Experiment]:
    for full in (False, True):
        yield from load_suite(name).experiments(Scale(profile=profile, full=full))


@pytest.mark.parametrize("name", suite_names())
def test_small_profiles_declare_no_device(name: str) -> None:
    for profile in (Profile.SMOKE, Profile.SMALL):
        for experiment in experiments(name, profile):
            assert (experiment.device, experiment.tf32) == ("any", ""), experiment.id


@pytest.mark.parametrize("name", suite_names())
def test_large_profiles_have_work_for_the_gpu_unless_models_are_served(name: str) -> None:
    assert any(experiment.device == "any" for experiment in experiments(name, Profile.GPU))


@pytest.mark.parametrize("name", suite_names())
def test_tf32_has_a_deviation_for_every_profile_that_uses_it(name: str) -> None:
    for profile in LARGE:
        told = [
            deviation
            for deviation in load_suite(name).deviations
            if "TF32" in deviation.here and (not deviation.profiles or profile in deviation.profiles)
        ]
        uses = [experiment.id for experiment in experiments(name, profile) if experiment.tf32]
        assert bool(told) == bool(uses), (profile, uses)


@pytest.mark.parametrize("name", suite_names())
def test_declared_needs_speak_of_pairs_that_run(name: str) -> None:
    for profile in LARGE:
        for experiment in experiments(name, profile):
            if isinstance(experiment.device_gb, dict):
                assert set(pairs(experiment)) <= set(experiment.device_gb), experiment.id


def test_the_papers_largest_models_fit_where_one_would_expect_it() -> None:
    """One card of 80 GB trains a prompt of mT5-XXL, not the model; one of 40 GB a LoRA of Gemma-2B."""
    needs = {
        name: {
            (experiment.id, *pair): need
            for experiment in load_suite(name).experiments(Scale(profile=Profile.PAPER))
            for pair in pairs(experiment)
            if (need := experiment.device_need(pair[0], [pair[1]])) is not None
        }
        for name in ("promot", "lora-rite")
    }
    assert needs["promot"]["entailment", "entailment", "prompt-tuning"] < 80
    # Weights, their gradients in one pass, copies and sums of gradients in float32: 12 bytes each.
    assert 12 * 12.9 < needs["promot"]["entailment", "entailment", "fine-tuning"] < 180
    lora = needs["lora-rite"]
    assert all(need < 80 for (experiment, task, _), need in lora.items() if experiment == "public")
    assert all(need < 41 for (_, task, _), need in lora.items() if task == "hellaswag")
