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
            "ibws-complete": "ibws-complete-swapped",
        },
        predicts={"C1a": "kill", "C1b": "kill", "C1c": "kill", "C1d": "kill", "C1e": "kill", "C2c": "keep"},
    ),
    Control(
        id="blind-later-rounds",
        title="After the first round of IBWS, answers are drawn at random",
        replaces={"ibws-4": "ibws-4-blind", "ibws-4-bt": "ibws-4-bt-blind"},
        predicts={"C1a": "kill", "C1b": "kill", "C1f": "kill", "C2b": "keep", "C2c": "keep", "C2d": "keep"},
        experiment="quality",
    ),
    Control(
        id="single-round",
        title="IBWS stops after one round",
        replaces={"ibws-4": "ibws-4-single", "ibws-2": "ibws-2-single"},
        predicts={"C1a": "kill", "C2a": "kill", "C2c": "kill", "C2d": "kill", "C2b": "keep"},
    ),
    Control(
        id="uninformed-slider",
        title="Slider ratings are given to other items",
        replaces={"slider-4": "slider-4-uninformed"},
        predicts={
            "C2b": "kill",
            "C2c": "keep",
            "C2d": "keep",
            "C3a": "kill",
            "C3b": "kill",
            "C3c": "kill",
            "C3d": "kill",
            "C3e": "kill",
        },
        experiment="quality",
    ),
    Control(
        id="uninformed-best-worst",
        title="Best-worst answers are given to other items",
        replaces={"bws-bt-8": "bws-bt-8-uninformed", "bws-count-8": "bws-count-8-uninformed"},
        predicts={
            "C4a": "kill",
            "C4b": "kill",
            "C4c": "kill",
            "C4d": "kill",
            "C4e": "kill",
            "C4f": "keep",
            # Halves of the answers about the wrong item still agree with each other.
            "C4h": "keep",
        },
        experiment="bias",
    ),
    Control(
        id="random-best-worst",
        title="Best-worst answers are drawn at random",
        replaces={"bws-bt-8": "bws-bt-8-random", "bws-count-8": "bws-count-8-random"},
        predicts={"C4c": "kill", "C4f": "keep", "C4g": "kill", "C4h": "kill"},
        experiment="bias",
    ),
    Control(
        id="no-shifts",
        title="Workers keep their noise but lose their shifts",
        replaces={"slider-2": "slider-2-unshifted"},
        predicts={"C4c": "kill", "C4f": "kill"},
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
