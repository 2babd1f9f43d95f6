"""Negative controls, and which claims each must lose."""

from __future__ import annotations

from harness.claims import Control

CONTROLS = (
    Control(
        id="obedient",
        title="An oracle that judges relevance stands in for the baselines",
        replaces={"pretrained": "gated", "relevant": "gated", "noisy": "gated"},
        predicts={"C1a": "kill", "C1b": "kill", "C1c": "kill", "C2a": "kill", "C2b": "kill", "C2c": "kill"},
    ),
    Control(
        id="memory-targets",
        title="Counterfactual contexts are trained with the remembered answer",
        replaces={"kaft": "memory-targets"},
        predicts={"C4a": "kill", "C4b": "kill", "C4c": "kill", "C8a": "kill"},
    ),
    Control(
        id="never-reads",
        title="An oracle that never looks at the context stands in for KAFT",
        replaces={"kaft": "closed-book"},
        predicts={"C6a": "kill", "C6b": "kill", "C12": "kill", "C13": "kill"},
    ),
    Control(
        id="copied-distractors",
        title="Irrelevant contexts are trained with the answer they suggest",
        replaces={"kaft": "copied-distractors"},
        predicts={"C5a": "kill", "C5b": "kill", "C5c": "kill", "C9a": "kill"},
    ),
    Control(
        id="copies",
        title="An oracle that copies from any context stands in for the ablation without counterfactuals",
        replaces={"no-cf": "copy"},
        predicts={"C8b": "kill"},
    ),
    Control(
        id="judges",
        title="An oracle that judges relevance stands in for the ablation without irrelevant contexts",
        replaces={"no-irr": "gated"},
        predicts={"C9b": "kill"},
    ),
    Control(
        id="ignores",
        title="An oracle that never reads stands in for the ablation without irrelevant contexts",
        replaces={"no-irr": "closed-book"},
        predicts={"C9c": "kill"},
    ),
    Control(
        id="no-noise",
        title="The noise is switched off",
        replaces={"noise-50": "kaft", "kaft": "noise-50"},
        predicts={"C10a": "kill", "C10b": "kill"},
    ),
    Control(
        id="exchanged-targets",
        title="Gold targets and the model's own answers are exchanged",
        replaces={
            "kaft-lower": "gold-lower",
            "gold-lower": "kaft-lower",
            "kaft-higher": "gold-higher",
            "gold-higher": "kaft-higher",
        },
        predicts={"C11": "kill"},
    ),
    Control(
        id="better-when-larger",
        title="A perfect reader whose small version sees no context: it improves with size",
        replaces={"pretrained": "gated", "noisy": "gated"},
        extra={"s": "blind-s"},
        predicts={"C3a": "kill", "C3b": "kill", "C3d": "kill"},
    ),
    Control(
        id="worse-when-larger",
        title="A perfect reader whose large version sees no context: it gets worse with size",
        replaces={"kaft": "gated"},
        extra={"l": "blind-l"},
        predicts={"C7": "kill"},
    ),
    Control(
        id="misled-when-small",
        title="A reader that copies, whose large version sees no context: robustness improves with size",
        replaces={"pretrained": "copy"},
        extra={"l": "blind-l"},
        predicts={"C3c": "kill"},
    ),
)
