"""Negative controls: what each breaks, and what that should do to the claims."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Control, keeps, kills
from suites.sparsity.cells import CAUSES, MORE_NOISE_TASK, NOISE_TASK, TOP
from suites.sparsity.plan import PLANS


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
        id="stopped-gradient",
        title="No gradient reaches the pre-activations: first layers stay, all else trains as long",
        replaces={"dense": "stopped"},
        experiment="text",
        predicts=kills("C1a", "C1b", "C1c") | keeps("C3a"),
    ),
    Control(
        # Of the sizes of C5a the common one is broken: one layer that does not fall is enough to lose it.
        id="stopped-gradient-in-images",
        title="The same in vision models of the common size",
        replaces={"dense": "stopped"},
        experiment="images",
        predicts=kills("C2a", "C2c", "C2d", "C5a", "C12a", "C12b"),
    ),
    Control(
        id="stopped-gradient-in-the-deepest",
        title="The same in the deepest vision transformer",
        replaces={"dense": "stopped"},
        experiment="sizes",
        predicts=kills("C5b"),
    ),
    Control(
        id="shuffled-weights",
        title="The weights of each first layer of the pretrained model change places at random",
        replaces={"pretrained": "shuffled"},
        predicts=kills("C1d"),
    ),
    Control(
        id="fixed-on-test",
        title="On test text the first half of the neurons always fires, the other half never does",
        replaces={},
        extra={"spans": "spans-fixed"},
        experiment="text",
        predicts=kills("C3a", "C3b", "C6a", "C6b", "C6c", "C6d"),
    ),
    Control(
        # Less falls, but something does, since the first updates come before all is learnt: nothing is
        # predicted for C5a, which asks whether every layer falls at all.
        id="few-images",
        title="A fiftieth of the images, which are learnt at once, so that gradients vanish",
        replaces={},
        extra=dict.fromkeys(("quarter", *CAUSES), "fiftieth"),
        experiment="images",
        predicts=kills("C4", "C9", "C10", "C11"),
    ),
    Control(
        id="swapped-sizes",
        title="The smallest and the largest model change places",
        replaces={},
        extra=_swapped(),
        experiment="sizes",
        predicts=kills("C7", "C8a", "C8b"),
    ),
    Control(
        id="forgotten-row",
        title="The last active row of each token is left out",
        replaces={"sparse": "forgetful"},
        experiment="second-layer",
        predicts=kills("C14a", "C14b"),
    ),
    Control(
        id="all-rows",
        title="The dense product stands in for the one from active rows",
        replaces={"sparse": "dense"},
        experiment="second-layer",
        predicts=keeps("C14a") | kills("C14b"),
    ),
    Control(
        id="random-mask",
        title="Trained densely; k neurons that are drawn at random pass when it is used",
        replaces={TOP: "random-cut"},
        experiment="images",
        predicts=kills("C15a"),
    ),
    Control(
        id="moderate-for-tiny",
        title="Moderate k in the place of k = 1",
        replaces={"top-1": TOP},
        experiment="images",
        predicts=kills("C15b"),
    ),
    Control(
        id="random-mask-in-noise",
        title="Trained densely for as long; k neurons that are drawn at random pass when it is used",
        replaces={TOP: "random-cut"},
        experiment="noise",
        predicts=kills("C17a", "C18a", "C18b", "C18c", "C19", "C20"),
    ),
    Control(
        id="swapped-noise",
        title="Models of clean and of noisy labels change places",
        replaces={},
        extra={"clean": NOISE_TASK, NOISE_TASK: "clean"},
        experiment="noise",
        predicts=kills("C17b"),
    ),
    Control(
        id="swapped-more-noise",
        title="Models of 40 % and of 80 % label noise change places",
        replaces={},
        extra={NOISE_TASK: MORE_NOISE_TASK, MORE_NOISE_TASK: NOISE_TASK},
        experiment="noise",
        predicts=kills("C17c"),
    ),
)
