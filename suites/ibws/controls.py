"""Negative controls, and which claims each must lose."""

from __future__ import annotations

from harness.claims import Control, keeps, kills

CONTROLS: tuple[Control, ...] = (
    Control(
        id="swapped-answers",
        title="IBWS takes each best for the worst",
        replaces={
            "ibws-4": "ibws-4-swapped",
            "ibws-2": "ibws-2-swapped",
            "ibws-1": "ibws-1-swapped",
        },
        predicts=kills("C1a", "C1b", "C1c"),
    ),
    Control(
        id="blind-later-rounds",
        title="After the first round of IBWS, answers are drawn at random",
        replaces={"ibws-4": "ibws-4-blind", "ibws-4-bt": "ibws-4-bt-blind"},
        predicts=kills("C1a", "C1b", "C1f") | keeps("C2b"),
        experiment="redrawn",
    ),
    Control(
        id="uninformed-slider",
        title="Slider ratings are given to other items",
        replaces={"slider-4": "slider-4-uninformed"},
        predicts=kills("C2b", "C3a", "C3b", "C3c"),
        experiment="redrawn",
    ),
    Control(
        id="uninformed-best-worst",
        title="Best-worst answers are given to other items",
        replaces={"bws-bt-8": "bws-bt-8-uninformed"},
        predicts=kills("C4a"),
        experiment="redrawn",
    ),
    Control(
        id="random-best-worst",
        title="Best-worst answers are drawn at random",
        replaces={"bws-count-4x2": "bws-count-4x2-random"},
        predicts=kills("C4g"),
        experiment="redrawn",
    ),
    Control(
        id="shuffled-labels",
        title="Training labels are given to other texts",
        replaces={
            "ridge-slider-2": "ridge-slider-2-shuffled",
            "encoder-slider-2": "encoder-slider-2-shuffled",
        },
        predicts=kills("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
)
