"""Negative controls, and which claims each must lose."""

from __future__ import annotations

from harness.claims import Control, Prediction
from suites.metric_aware.arms import COUNTS, mean_at, sampled


def _kills(*claims: str) -> dict[str, Prediction]:
    return dict.fromkeys(claims, "kill")


CONTROLS = (
    Control(
        id="drawn",
        title="One value drawn from the distribution stands in for mean and median",
        replaces=dict.fromkeys(("mean", "median", "fitted"), sampled(1)),
        predicts=_kills("M1e", "M2b", "M2c", "M2d", "M7b"),
    ),
    Control(
        id="misplaced",
        title="Each item is decided from another item's distribution",
        replaces={
            "mean": "misplaced",
            "median": "misplaced-median",
            "probability": "misplaced-probability",
        },
        predicts=_kills("M1b", "M1c", "M3b", "M3c", "M4b", "M4c", "M7c"),
    ),
    Control(
        id="stuck",
        title="All samples of an item are the first one",
        replaces={sampled(count): sampled(1) for count in COUNTS if count > 1},
        predicts=_kills("M5d", "M5e"),
    ),
    Control(
        id="near-temperature",
        title="A temperature that is fitted in another way stands in for one that is far off",
        replaces={mean_at(0.25): "near-temperature", mean_at(4.0): "near-temperature"},
        predicts=_kills("M6c", "M6d"),
    ),
    Control(
        id="foreign-evidence",
        title="Candidates are compared with the samples for another question",
        replaces={"mbr-f1": "mbr-misplaced"},
        predicts=_kills("M8a", "M8c"),
        experiment="open",
    ),
    Control(
        id="shuffled-utilities",
        title="Expected utilities are exchanged among a question's candidates",
        replaces={"mbr-f1": "mbr-shuffled"},
        predicts=_kills("M8a", "M8b", "M8c"),
        experiment="open",
    ),
    Control(
        id="shuffled-raft",
        title="RAFT is trained on other items' labels",
        replaces={"raft": "raft-shuffled"},
        predicts=_kills(*(f"R1{letter}" for letter in "abcdef"), "R5a", "R5b", "R6d"),
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
        id="drawn-digit",
        title="One digit drawn from the distribution stands in for the mean",
        replaces={"as-is": "as-is-drawn", "ce": "ce-drawn"},
        predicts=_kills("R1c", "R2a"),
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
        id="scrambled-start",
        title="Fine-tuning begins with the pretrained weights in random order",
        replaces={},
        extra={"pretrained": "scrambled"},
        predicts=_kills("R5c"),
        experiment="raft",
    ),
)
