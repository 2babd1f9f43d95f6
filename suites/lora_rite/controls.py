"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control, Prediction
from suites.lora_rite.arms import NOT_SCALED, at_rank
from suites.lora_rite.cells import RANKS

_INVARIANT = ("rite", "rite-default", "rite-no-mass")


def _kill(*claims: str) -> dict[str, Prediction]:
    return dict.fromkeys(claims, "kill")


CONTROLS = (
    Control(
        id="untransported",
        title="Moments are not carried over as bases turn",
        replaces=dict.fromkeys(_INVARIANT, "untransported"),
        experiment="invariance",
        predicts=_kill("C1a", "C1b", "C1c"),
    ),
    Control(
        id="misaligned",
        title="Steps are mapped back from another basis",
        replaces=dict.fromkeys(_INVARIANT, "misaligned"),
        experiment="invariance",
        predicts=_kill("C1a", "C1b", "C1c"),
    ),
    Control(
        id="invariant",
        title="LoRA-RITE stands in for the optimizers that are not invariant",
        replaces=dict.fromkeys((*NOT_SCALED, "lamb"), "rite"),
        experiment="invariance",
        predicts={"C2e": "kill", "C3a": "keep"},
    ),
    Control(
        id="adam",
        title="Adam stands in for LAMB",
        replaces={"lamb": "adam"},
        experiment="invariance",
        predicts=_kill("C3a"),
    ),
    Control(
        id="shampoo-state",
        title="Shampoo, with a matrix for the long side, too",
        replaces={"rite": "shampoo"},
        experiment="state",
        predicts=_kill("C10b"),
    ),
    Control(
        id="misaligned-regression",
        title="Steps are mapped back from another basis, at the best rate of that",
        replaces={"rite": "misaligned"},
        experiment="regression",
        predicts=_kill("E2"),
    ),
    Control(
        id="balanced",
        title="Matrix Adagrad, too, starts from factors of equal size",
        replaces={"matrix-adagrad": "balanced-adagrad"},
        experiment="unbalanced",
        predicts=_kill("C11b"),
    ),
    Control(
        id="one-rank",
        title="A middle rank stands in for the largest",
        replaces={at_rank("rite", RANKS[-1]): at_rank("rite", RANKS[-2])},
        experiment="step-time",
        predicts=_kill("C10a"),
    ),
    Control(
        id="misaligned-training",
        title="Steps are mapped back from another basis in fine-tuning",
        replaces={"rite": "misaligned", "rite-r4": "misaligned-r4", "rite-r16": "misaligned-r16"},
        predicts=_kill("C5a", "C5b", "C5c", "C6a", "C6b", "C7", "C8a", "C8b", "C12"),
    ),
    Control(
        id="uneven-training",
        title="One factor takes sixteen times the steps of the other in fine-tuning",
        replaces={"rite-r4": "uneven-r4", "rite-r16": "uneven-r16"},
        predicts=_kill("C4c"),
    ),
    Control(
        id="smaller-adam",
        title="Adam's step of the smaller model stands in for that of the larger one",
        replaces={"adam-large": "adam-small"},
        experiment="training-time",
        predicts=_kill("C9b"),
    ),
    Control(
        id="one-size",
        title="The larger model stands in for the smaller one",
        replaces={"rite-small": "rite-large", "adam-small": "adam-large"},
        experiment="training-time",
        predicts=_kill("C9a"),
    ),
    Control(
        id="rite-for-all",
        title="LoRA-RITE stands in for the optimizers that depend on the scale",
        replaces=dict.fromkeys(("adam", "lora-plus", "scaled-adam", "shampoo", "lamb"), "rite"),
        experiment="scales",
        predicts=_kill("E1b", "E1c", "E1d", "E1e", "E1f"),
    ),
)
