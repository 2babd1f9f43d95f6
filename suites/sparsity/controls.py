"""Negative controls: what each breaks, and what that should do to the claims."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Control, Prediction
from suites.sparsity.cells import MORE_NOISE_TASK, NOISE_TASK, TOP
from suites.sparsity.plan import PLANS


def _kill(*claims: str) -> Mapping[str, Prediction]:
    return dict.fromkeys(claims, "kill")


def _swapped() -> Mapping[str, str]:
    """The smallest model under the name of the largest, and the other way round."""
    swapped: dict[str, str] = {}
    for plan in PLANS.values():
        depths, widths = map(plan.depth_task, plan.depths), map(plan.width_task, plan.widths)
        for small, *_, large in (depths, widths):
            swapped |= {small: large, large: small}
    return swapped


CONTROLS = (
    Control(
        id="untrained",
        title="No step of training is taken",
        replaces={"dense": "untrained"},
        predicts={
            **_kill("C1a", "C1b", "C1c", "C2a", "C2b", "C2c", "C2d"),
            "C3a": "keep",
            "C4": "keep",
            **_kill("C5a", "C6c", "C7", "C8a"),
            # Half of more neurons is more.
            "C8b": "keep",
            **_kill("C9", "C10", "C11", "C12a", "C12b", "C15b"),
        },
    ),
    Control(
        id="initialised",
        title="The pretrained model has the weights of its initialisation",
        replaces={"pretrained": "initialised"},
        predicts=_kill("C1d"),
    ),
    Control(
        id="foreign-text",
        title="Evaluation text is random bytes",
        replaces={},
        extra={"spans": "spans-foreign"},
        experiment="text",
        predicts=_kill("C3a", "C3b"),
    ),
    Control(
        id="noise-for-data",
        title="Fresh noise in the place of a part of the training set",
        replaces={},
        extra={"quarter": "fresh"},
        experiment="images",
        predicts=_kill("C4"),
    ),
    Control(
        id="swapped-sizes",
        title="The smallest and the largest model change places",
        replaces={},
        extra=_swapped(),
        experiment="images",
        predicts=_kill("C7", "C8a", "C8b"),
    ),
    Control(
        id="shallow",
        title="Layers of an untrained model, which are all alike",
        replaces={"dense": "untrained"},
        experiment="images",
        predicts=_kill("C5b"),
    ),
    Control(
        id="fixed-neurons",
        title="The first half of the neurons always fires, the other half never does",
        replaces={"dense": "fixed-neurons"},
        experiment="text",
        predicts=_kill("C6a", "C6b", "C6d"),
    ),
    Control(
        id="knowing-layer",
        title="The last layer knows the target, as after training",
        replaces={"random": "knowing"},
        experiment="gradient",
        predicts=_kill("C13a", "C13b"),
    ),
    Control(
        id="forgotten-row",
        title="The last active row of each token is left out",
        replaces={"sparse": "forgetful"},
        experiment="second-layer",
        predicts=_kill("C14a", "C14b"),
    ),
    Control(
        id="random-mask",
        title="k neurons pass that are drawn at random",
        replaces={TOP: "random-k"},
        experiment="tuned",
        predicts=_kill("C15a"),
    ),
    Control(
        id="moderate-for-tiny",
        title="Moderate k in the place of k = 1",
        replaces={"top-1": TOP},
        experiment="tuned",
        predicts=_kill("C15b"),
    ),
    Control(
        id="confident-guess",
        title="Top-k that was not trained and answers at random, with confidence",
        replaces={TOP: "untrained"},
        experiment="noise",
        predicts={
            **_kill("C17a"),
            "C17b": "keep",
            **_kill("C18a", "C18b", "C18c", "C19", "C20"),
        },
    ),
    Control(
        id="swapped-noise",
        title="Models of clean and of noisy labels change places",
        replaces={},
        extra={"clean": NOISE_TASK, NOISE_TASK: "clean"},
        experiment="noise",
        predicts=_kill("C17b"),
    ),
    Control(
        id="swapped-more-noise",
        title="Models of 40 % and of 80 % label noise change places",
        replaces={},
        extra={NOISE_TASK: MORE_NOISE_TASK, MORE_NOISE_TASK: NOISE_TASK},
        experiment="noise",
        predicts=_kill("C17c"),
    ),
)
