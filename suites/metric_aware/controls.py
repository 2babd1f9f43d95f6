"""Negative controls, and which claims each must lose."""

from __future__ import annotations

from harness.claims import Control, kills
from suites.metric_aware.arms import COUNTS, mean_at, sampled

CONTROLS = (
    Control(
        id="drawn",
        title="One value drawn from the distribution stands in for mean and median",
        replaces=dict.fromkeys(("mean", "median", "fitted"), sampled(1)),
        predicts=kills("M1e", "M2b", "M2c", "M2d", "M7b"),
    ),
    Control(
        id="misplaced",
        title="Each item is decided from another item's distribution",
        replaces={
            "mean": "misplaced",
            "median": "misplaced-median",
            "probability": "misplaced-probability",
        },
        predicts=kills("M1b", "M1c", "M3b", "M3c", "M4b", "M4c", "M7c"),
    ),
    Control(
        id="stuck",
        title="All samples of an item are the first one",
        replaces={sampled(count): sampled(1) for count in COUNTS if count > 1},
        predicts=kills("M5d", "M5e"),
    ),
    Control(
        id="near-temperature",
        title="A temperature that is fitted in another way stands in for one that is far off",
        replaces={mean_at(0.25): "near-temperature", mean_at(4.0): "near-temperature"},
        predicts=kills("M6c", "M6d"),
    ),
    Control(
        id="foreign-evidence",
        title="Candidates are compared with the samples for another question",
        replaces={"mbr-f1": "mbr-misplaced"},
        predicts=kills("M8a", "M8c"),
        experiment="open",
    ),
    Control(
        id="shuffled-utilities",
        title="Expected utilities are exchanged among a question's candidates",
        replaces={"mbr-f1": "mbr-shuffled"},
        predicts=kills("M8a", "M8b", "M8c"),
        experiment="open",
    ),
    Control(
        id="shuffled-raft",
        title="RAFT is trained on other items' labels",
        replaces={"raft": "raft-shuffled"},
        predicts=kills(*(f"R1{letter}" for letter in "abcdefgh"), "R5a", "R5b", "R5d", "R6d", "R6e"),
    ),
    Control(
        id="shuffled-baselines",
        title="Cross-entropy and the linear head are trained on other items' labels",
        replaces={"ce": "ce-shuffled", "head": "head-shuffled"},
        predicts=kills("R2b", "R2d", "R2g", "R2h"),
    ),
    Control(
        id="drawn-digit",
        title="One digit drawn from the distribution stands in for the mean",
        replaces={"as-is": "as-is-drawn", "ce": "ce-drawn"},
        predicts=kills("R1c", "R1g", "R2a", "R2f"),
    ),
    Control(
        id="inner-digits",
        title="The grid of two digits lacks the ends of the scale",
        replaces={"raft-ends": "raft-inner"},
        predicts=kills("R4b", "R4c", "R4d", "R4e"),
    ),
    Control(
        id="scrambled-start",
        title="Fine-tuning begins with the pretrained weights in random order",
        replaces={},
        extra={"pretrained": "scrambled"},
        predicts=kills("R5c"),
        experiment="pretrained",
    ),
)
