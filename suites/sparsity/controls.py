"""Sabotages, and what each should do to the claims."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Control
from suites.sparsity.cells import (
    DEPTHS,
    MEASURED,
    MORE_NOISE_TASK,
    NOISE_TASK,
    TOP,
    WIDTHS,
    depth_task,
    width_task,
)


def _swapped() -> Mapping[str, str]:
    """The smallest model under the name of the largest, and the other way round."""
    swapped: dict[str, str] = {}
    for profile in MEASURED:
        depths = [depth_task(n, profile) for n in DEPTHS[profile]]
        widths = [width_task(n, profile) for n in WIDTHS[profile]]
        for small, *_, large in (depths, widths):
            swapped |= {small: large, large: small}
    return swapped


CONTROLS = (
    Control(
        id="untrained",
        title="No step of training is taken",
        replaces={"dense": "untrained"},
        predicts={
            "C1a": "kill",
            "C1b": "kill",
            "C1c": "kill",
            "C2a": "kill",
            "C2b": "kill",
            "C2c": "kill",
            "C2d": "kill",
            "C3a": "keep",
            "C4": "keep",
            "C5a": "kill",
            "C6c": "kill",
            "C7": "kill",
            "C8a": "kill",
            # Half of more neurons is more.
            "C8b": "keep",
            "C9": "kill",
            "C10": "kill",
            "C11": "kill",
            "C12a": "kill",
            "C12b": "kill",
            "C15b": "kill",
        },
    ),
    Control(
        id="initialised",
        title="The pretrained model has the weights of its initialisation",
        replaces={"pretrained": "initialised"},
        predicts={"C1d": "kill"},
    ),
    Control(
        id="foreign-text",
        title="Evaluation text is random bytes",
        replaces={},
        extra={"spans": "spans-foreign"},
        experiment="text",
        predicts={"C3a": "kill", "C3b": "kill"},
    ),
    Control(
        id="noise-for-data",
        title="Fresh noise in the place of a part of the training set",
        replaces={},
        extra={"quarter": "fresh"},
        experiment="images",
        predicts={"C4": "kill"},
    ),
    Control(
        id="swapped-sizes",
        title="The smallest and the largest model change places",
        replaces={},
        extra=_swapped(),
        experiment="images",
        predicts={"C7": "kill", "C8a": "kill", "C8b": "kill"},
    ),
    Control(
        id="shallow",
        title="Layers of an untrained model, which are all alike",
        replaces={"dense": "untrained"},
        experiment="images",
        predicts={"C5b": "kill"},
    ),
    Control(
        id="fixed-neurons",
        title="The first half of the neurons always fires, the other half never does",
        replaces={"dense": "fixed-neurons"},
        experiment="text",
        predicts={"C6a": "kill", "C6b": "kill", "C6d": "kill"},
    ),
    Control(
        id="knowing-layer",
        title="The last layer knows the target, as after training",
        replaces={"random": "knowing"},
        experiment="gradient",
        predicts={"C13a": "kill", "C13b": "kill"},
    ),
    Control(
        id="forgotten-row",
        title="The last active row of each token is left out",
        replaces={"sparse": "forgetful"},
        experiment="second-layer",
        predicts={"C14a": "kill", "C14b": "kill"},
    ),
    Control(
        id="random-mask",
        title="k neurons pass that are drawn at random",
        replaces={TOP: "random-k"},
        experiment="tuned",
        predicts={"C15a": "kill"},
    ),
    Control(
        id="moderate-for-tiny",
        title="Moderate k in the place of k = 1",
        replaces={"top-1": TOP},
        experiment="tuned",
        predicts={"C15b": "kill"},
    ),
    Control(
        id="confident-guess",
        title="Top-k that was not trained and answers at random, with confidence",
        replaces={TOP: "untrained"},
        experiment="noise",
        predicts={
            "C17a": "kill",
            "C17b": "keep",
            "C18a": "kill",
            "C18b": "kill",
            "C18c": "kill",
            "C19": "kill",
            "C20": "kill",
        },
    ),
    Control(
        id="swapped-noise",
        title="Models of clean and of noisy labels change places",
        replaces={},
        extra={"clean": NOISE_TASK, NOISE_TASK: "clean"},
        experiment="noise",
        predicts={"C17b": "kill"},
    ),
    Control(
        id="swapped-more-noise",
        title="Models of 40 % and of 80 % label noise change places",
        replaces={},
        extra={NOISE_TASK: MORE_NOISE_TASK, MORE_NOISE_TASK: NOISE_TASK},
        experiment="noise",
        predicts={"C17c": "kill"},
    ),
)
