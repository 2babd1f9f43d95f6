"""Negative controls, and which claims each must lose."""

from __future__ import annotations

from harness.claims import Control

CONTROLS: tuple[Control, ...] = (
    Control(
        id="swapped-answers",
        title="IBWS takes each best for the worst",
        replaces={
            "ibws-4": "ibws-4-swapped",
            "ibws-2": "ibws-2-swapped",
            "ibws-1": "ibws-1-swapped",
        },
        predicts={"C1a": "kill", "C1b": "kill", "C1c": "kill"},
    ),
    Control(
        id="blind-later-rounds",
        title="After the first round of IBWS, answers are drawn at random",
        replaces={"ibws-4": "ibws-4-blind", "ibws-4-bt": "ibws-4-bt-blind"},
        predicts={"C1a": "kill", "C1b": "kill", "C1f": "kill", "C2b": "keep"},
        experiment="quality",
    ),
    Control(
        id="uninformed-slider",
        title="Slider ratings are given to other items",
        replaces={"slider-4": "slider-4-uninformed"},
        predicts={"C2b": "kill", "C3a": "kill", "C3b": "kill", "C3c": "kill"},
        experiment="quality",
    ),
    Control(
        id="uninformed-best-worst",
        title="Best-worst answers are given to other items",
        replaces={"bws-bt-8": "bws-bt-8-uninformed"},
        predicts={"C4a": "kill"},
        experiment="bias",
    ),
    Control(
        id="random-best-worst",
        title="Best-worst answers are drawn at random",
        replaces={"bws-count-4x2": "bws-count-4x2-random"},
        predicts={"C4g": "kill"},
        experiment="bias",
    ),
    Control(
        id="shuffled-labels",
        title="Training labels are given to other texts",
        replaces={
            "ridge-slider-2": "ridge-slider-2-shuffled",
            "encoder-slider-2": "encoder-slider-2-shuffled",
        },
        predicts={"C5a": "kill", "C5b": "kill", "C5c": "kill", "C5d": "kill", "C5e": "kill"},
    ),
)
