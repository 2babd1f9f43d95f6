"""Sabotages, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control, Prediction
from suites.lora_rite.cells import NOT_SCALED, RANKS

_DEFAULTS = {"rite": "untransported", "rite-default": "untransported", "rite-no-mass": "untransported"}

TRAINED: dict[str, Prediction] = {
    "C5a": "kill",
    "C5b": "kill",
    "C5c": "kill",
    "C6a": "kill",
    "C6b": "kill",
    "C7": "kill",
    "C8a": "kill",
    "C8b": "kill",
    "C12": "kill",
}
"""Claims about the accuracy of fine-tuned models."""

CONTROLS = (
    Control(
        id="untransported",
        title="Moments are not carried over as bases turn",
        replaces=_DEFAULTS,
        experiment="invariance",
        predicts={"C1a": "kill", "C1b": "kill", "C1c": "kill"},
    ),
    Control(
        id="misaligned",
        title="Steps are mapped back from another basis",
        replaces=dict.fromkeys(_DEFAULTS, "misaligned"),
        experiment="invariance",
        predicts={"C1a": "kill", "C1b": "kill", "C1c": "kill"},
    ),
    Control(
        id="invariant",
        title="LoRA-RITE stands in for the optimizers that are not invariant",
        replaces={**dict.fromkeys(NOT_SCALED, "rite"), "lamb": "rite"},
        experiment="invariance",
        predicts={**{f"C2{letter}": "kill" for letter in "abcdef"}, "C3a": "keep", "C3b": "kill"},
    ),
    Control(
        id="adam",
        title="Adam stands in for LAMB and LoRA-RITE",
        replaces={"lamb": "adam", "rite": "adam"},
        predicts={"C3a": "kill", "C4a": "kill", "E1a": "kill"},
    ),
    Control(
        id="gradient-descent",
        title="Gradient descent, whose steps go with the partner's size",
        replaces={"adam": "gd", "rite": "gd", "rite-sum": "gd"},
        predicts={"C4b": "kill", "C4a": "kill", "C11a": "kill"},
    ),
    Control(
        id="shampoo-state",
        title="Shampoo, with a matrix for the long side, too",
        replaces={"rite": "shampoo"},
        experiment="state",
        predicts={"C10b": "kill"},
    ),
    Control(
        id="misaligned-regression",
        title="Steps are mapped back from another basis, at that sabotage's own best rate",
        replaces={"rite": "misaligned"},
        experiment="regression",
        predicts={"E2": "kill"},
    ),
    Control(
        id="balanced",
        title="Matrix Adagrad, too, starts from factors of equal size",
        replaces={"matrix-adagrad": "balanced-adagrad"},
        experiment="unbalanced",
        predicts={"C11b": "kill"},
    ),
    Control(
        id="one-rank",
        title="A middle rank stands in for the largest",
        replaces={f"rite-r{RANKS[-1]}": f"rite-r{RANKS[-2]}"},
        experiment="step-time",
        predicts={"C10a": "kill"},
    ),
    Control(
        id="misaligned-training",
        title="Steps are mapped back from another basis in fine-tuning",
        replaces={"rite": "misaligned", "rite-r4": "misaligned-r4", "rite-r16": "misaligned-r16"},
        predicts=TRAINED,
    ),
    Control(
        id="adam-training",
        title="Adam stands in for LoRA-RITE in fine-tuning",
        replaces={"rite-r4": "adam-r4", "rite-r16": "adam-r16"},
        predicts={"C4c": "kill"},
    ),
    Control(
        id="smaller-adam",
        title="Adam's step of the smaller model stands in for that of the larger one",
        replaces={"adam-large": "adam-small"},
        experiment="training-time",
        predicts={"C9b": "kill"},
    ),
    Control(
        id="one-size",
        title="The larger model stands in for the smaller one",
        replaces={"rite-small": "rite-large", "adam-small": "adam-large"},
        experiment="training-time",
        predicts={"C9a": "kill"},
    ),
    Control(
        id="rite-for-all",
        title="LoRA-RITE stands in for the optimizers that depend on the scale",
        replaces=dict.fromkeys(("adam", "lora-plus", "scaled-adam", "shampoo", "lamb"), "rite"),
        experiment="scales",
        predicts={f"E1{letter}": "kill" for letter in "bcdef"},
    ),
)
