"""Negative controls: what each breaks, and what that should do to the claims."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Control, Prediction
from suites.sparsity.cells import CAUSES, MORE_NOISE_TASK, NOISE_TASK, TOP
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


def _largest() -> Mapping[str, str]:
    """The widest model under the name of one that learns from hardly any images."""
    return {plan.width_task(plan.widths[-1]): "fiftieth" for plan in PLANS.values()}


CONTROLS = (
    Control(
        id="stopped-gradient",
        title="No gradient reaches the pre-activations: first layers stay, all else trains as long",
        replaces={"dense": "stopped"},
        predicts={
            **_kill("C1a", "C1b", "C1c", "C2a", "C2c", "C2d", "C5a", "C5b", "C12a", "C12b"),
            "C3a": "keep",
        },
    ),
    Control(
        id="shuffled-weights",
        title="The weights of each first layer of the pretrained model change places at random",
        replaces={"pretrained": "shuffled"},
        predicts=_kill("C1d"),
    ),
    Control(
        # Nothing is predicted for C3a: weights that lower what is active may do so on any input, so that
        # the mean over layers need not change. C3b looks at the layer that changes most.
        id="foreign-text",
        title="Evaluation text is random bytes",
        replaces={},
        extra={"spans": "spans-foreign"},
        experiment="text",
        predicts=_kill("C3b"),
    ),
    Control(
        id="unlearnt-on-test",
        title="On evaluation text the weights of each first layer change places at random",
        replaces={},
        extra={"spans": "spans-unlearnt"},
        experiment="text",
        predicts=_kill("C3a", "C3b"),
    ),
    Control(
        # Less falls, but something does, since the first updates come before all is learnt: nothing is
        # predicted for C5a, which asks whether every layer falls at all.
        id="few-images",
        title="A fiftieth of the images, which are learnt at once, so that gradients vanish",
        replaces={},
        extra=dict.fromkeys(("quarter", *CAUSES), "fiftieth"),
        experiment="images",
        predicts=_kill("C4", "C9", "C10", "C11"),
    ),
    Control(
        id="few-images-for-the-largest",
        title="A model that learns from a fiftieth of the images stands in for the widest",
        replaces={},
        extra=_largest(),
        experiment="images",
        predicts=_kill("C8a"),
    ),
    Control(
        id="swapped-sizes",
        title="The smallest and the largest model change places",
        replaces={},
        extra=_swapped(),
        experiment="images",
        predicts=_kill("C7", "C8b"),
    ),
    Control(
        id="fixed-neurons",
        title="The first half of the neurons always fires, the other half never does",
        replaces={"dense": "fixed-neurons"},
        experiment="text",
        predicts=_kill("C6a", "C6b", "C6d"),
    ),
    Control(
        id="in-turn",
        title="A random half of the neurons may fire on each token, so that none fires rarely",
        replaces={"dense": "in-turn"},
        experiment="text",
        predicts=_kill("C6c"),
    ),
    Control(
        id="forgotten-row",
        title="The last active row of each token is left out",
        replaces={"sparse": "forgetful"},
        experiment="second-layer",
        predicts=_kill("C14a", "C14b"),
    ),
    Control(
        id="all-rows",
        title="The dense product stands in for the one from active rows",
        replaces={"sparse": "dense"},
        experiment="second-layer",
        predicts={"C14a": "keep", "C14b": "kill"},
    ),
    Control(
        id="random-mask",
        title="Trained densely; k neurons that are drawn at random pass when it is used",
        replaces={TOP: "random-cut"},
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
        id="random-mask-in-noise",
        title="Trained densely for as long; k neurons that are drawn at random pass when it is used",
        replaces={TOP: "random-cut"},
        experiment="noise",
        predicts=_kill("C17a", "C18a", "C18b", "C18c", "C19", "C20"),
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
