"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control, keeps, kills
from suites.lora_rite.arms import NOT_SCALED, at_rank
from suites.lora_rite.cells import RANKS

_INVARIANT = ("rite", "rite-default", "rite-no-mass")


CONTROLS = (
    Control(
        id="untransported",
        title="Moments are not carried over as bases turn",
        replaces=dict.fromkeys(_INVARIANT, "untransported"),
        experiment="invariance",
        predicts=kills("C1a", "C1b", "C1c"),
    ),
    Control(
        id="misaligned",
        title="Steps are mapped back from another basis",
        replaces=dict.fromkeys(_INVARIANT, "misaligned"),
        experiment="invariance",
        predicts=kills("C1a", "C1b", "C1c"),
    ),
    Control(
        id="misaligned-gemma",
        title="Steps are mapped back from another basis, on Gemma-3-270M",
        replaces={"rite": "misaligned"},
        experiment="gemma-invariance",
        predicts=kills("C1d"),
    ),
    Control(
        id="invariant",
        title="LoRA-RITE stands in for the optimizers that are not invariant",
        replaces=dict.fromkeys((*NOT_SCALED, "lamb", "lars"), "rite"),
        experiment="invariance",
        predicts=kills("C2e") | keeps("C3a", "C3c"),
    ),
    Control(
        id="adam",
        title="Adam stands in for LAMB and LARS",
        replaces={"lamb": "adam", "lars": "adam"},
        experiment="invariance",
        predicts=kills("C3a", "C3c"),
    ),
    Control(
        id="shampoo-state",
        title="Shampoo, with a matrix for the long side, too",
        replaces={"rite": "shampoo"},
        experiment="state",
        predicts=kills("C10b"),
    ),
    Control(
        id="misaligned-regression",
        title="Steps are mapped back from another basis, at the best rate of that",
        replaces={"rite": "misaligned"},
        experiment="regression",
        predicts=kills("E2"),
    ),
    Control(
        id="balanced",
        title="Matrix Adagrad, too, starts from factors of equal size",
        replaces={"matrix-adagrad": "balanced-adagrad"},
        experiment="unbalanced",
        predicts=kills("C11b"),
    ),
    Control(
        id="one-rank",
        title="A middle rank stands in for the largest",
        replaces={at_rank("rite", RANKS[-1]): at_rank("rite", RANKS[-2])},
        experiment="step-time",
        predicts=kills("C10a"),
    ),
    Control(
        id="misaligned-training",
        title="Steps are mapped back from another basis in fine-tuning",
        replaces={"rite": "misaligned", "rite-r4": "misaligned-r4", "rite-r16": "misaligned-r16"},
        predicts=kills("C5a", "C5b", "C5c", "C6a", "C6b", "C7", "C8a", "C8b", "C12"),
    ),
    Control(
        id="adam-on-gemma",
        title="Adam stands in for LoRA-RITE on Gemma-3-270M",
        replaces={"rite": "adam"},
        experiment="gemma",
        predicts=kills("C6c"),
    ),
    Control(
        id="uneven-training",
        title="One factor takes sixteen times the steps of the other in fine-tuning",
        replaces={"rite-r16": "uneven-r16"},
        predicts=kills("C4c"),
    ),
    Control(
        id="smaller-adam",
        title="Adam's step of the smaller model stands in for that of the larger one",
        replaces={"adam-large": "adam-small"},
        experiment="training-time",
        predicts=kills("C9b"),
    ),
    Control(
        id="one-size",
        title="The larger model stands in for the smaller one",
        replaces={"rite-small": "rite-large", "adam-small": "adam-large"},
        experiment="training-time",
        predicts=kills("C9a"),
    ),
    Control(
        id="rite-for-all",
        title="LoRA-RITE stands in for the optimizers that depend on the scale",
        replaces=dict.fromkeys(("adam", "lora-plus", "scaled-adam", "shampoo", "lamb"), "rite"),
        experiment="scales",
        predicts=kills("E1b", "E1c", "E1d", "E1e", "E1f"),
    ),
)
