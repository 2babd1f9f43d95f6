"""Negative controls, and which claims each must lose."""

from __future__ import annotations

from harness.claims import Control, Prediction
from suites.metric_aware.arms import COUNTS, mean_at, sampled


def _kills(*claims: str) -> dict[str, Prediction]:
    return dict.fromkeys(claims, "kill")


CONTROLS = (
    Control(
        id="drawn",
        title="One value drawn from the distribution stands in for mean, median and probability",
        replaces=dict.fromkeys(("mean", "median", "fitted", "probability"), sampled(1)),
        predicts=_kills(
            *(f"M1{letter}" for letter in "abcde"),
            *(f"M2{letter}" for letter in "abcd"),
            "M7a",
            "M7b",
        ),
    ),
    Control(
        id="misplaced",
        title="Each item is decided from another item's distribution",
        replaces={
            "mean": "misplaced",
            "median": "misplaced-median",
            "probability": "misplaced-probability",
        },
        predicts=_kills("M1a", "M1c", "M3a", "M3b", "M3c", "M4a", "M4b", "M4c", "M7c"),
    ),
    Control(
        id="stuck",
        title="All samples of an item are the first one",
        replaces={sampled(count): sampled(1) for count in COUNTS if count > 1},
        predicts=_kills(*(f"M5{letter}" for letter in "abcde")),
    ),
    Control(
        id="no-temperature",
        title="The fitted temperature stands in for the extreme ones",
        replaces={mean_at(0.25): "fitted", mean_at(4.0): "fitted"},
        predicts=_kills(*(f"M6{letter}" for letter in "abcd")),
    ),
    Control(
        id="foreign-evidence",
        title="Candidates are compared with the samples for another question",
        replaces={"mbr-f1": "mbr-misplaced"},
        predicts=_kills("M8a", "M8b", "M8c"),
        experiment="open",
    ),
    Control(
        id="foreign-sets",
        title="Each item gets the label set of another one",
        replaces={"f1": "misplaced"},
        predicts=_kills("X1b"),
        experiment="sets",
    ),
    Control(
        id="exchanged-forms",
        title="Each closed form is exchanged for one that looks alike",
        replaces={"closed-forms": "exchanged-forms"},
        predicts=_kills("M1f", "X1a", "R3", "R4a", "R6a"),
        experiment="exact",
    ),
    Control(
        id="shuffled-raft",
        title="RAFT is trained on other items' labels",
        replaces={"raft": "raft-shuffled"},
        predicts=_kills(*(f"R1{letter}" for letter in "abcdef"), "R2e", "R5a", "R5b", "R6d"),
        experiment="raft",
    ),
    Control(
        id="shuffled-baselines",
        title="Cross-entropy and the linear head are trained on other items' labels",
        replaces={"ce": "ce-shuffled", "head": "head-shuffled"},
        predicts=_kills("R2b", "R2d"),
        experiment="raft",
    ),
    Control(
        id="mode-for-mean",
        title="The most probable digit is read out in place of the mean",
        replaces={"as-is": "as-is-mode", "ce": "ce-mode"},
        predicts=_kills("R2a", "R2c"),
        experiment="raft",
    ),
    Control(
        id="inner-digits",
        title="The grid of two digits lacks the ends of the scale",
        replaces={"raft-ends": "raft-inner"},
        predicts=_kills("R4b", "R4c", "R4d"),
        experiment="raft",
    ),
    Control(
        id="no-pretraining",
        title="Both sides of the comparison begin with random weights",
        replaces={},
        extra={"pretrained": "random"},
        predicts=_kills("R5c"),
        experiment="raft",
    ),
    Control(
        id="no-variance",
        title="Cross-entropy stands in for the MBR loss",
        replaces={"mbr-late": "ce-late"},
        predicts=_kills("R6b", "R6c"),
        experiment="raft",
    ),
)
