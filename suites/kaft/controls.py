"""Negative controls, and which claims each must lose.

Each is trained as what it replaces is, with one mechanism broken or put back; for Gemma-3-270M as it is,
which nothing trains, the test is changed.
"""

from __future__ import annotations

from harness.claims import Control, kills

CONTROLS = (
    Control(
        id="finetuned-first",
        title="The pretrained model is finetuned by KAFT first",
        replaces={"pretrained": "kaft"},
        predicts=kills("C1a", "C2a"),
    ),
    Control(
        id="contradicted",
        title="Ordinary finetuning sees contexts that contradict memory, too",
        replaces={"relevant": "no-irr", "noisy": "gold-lower"},
        predicts=kills("C1b"),
    ),
    Control(
        id="distracted",
        title="Relevant-only finetuning sees irrelevant contexts, too",
        replaces={"relevant": "noisy"},
        predicts=kills("C2b"),
    ),
    Control(
        id="unopposed",
        title="The passage states what the model knows, and the irrelevant passage is withheld",
        replaces={},
        extra={"gemma": "unopposed"},
        predicts=kills("C1c", "C2c"),
        experiment="probe",
    ),
    Control(
        id="memory-targets",
        title="Counterfactual contexts are trained with the remembered answer",
        replaces={"kaft": "memory-targets"},
        predicts=kills("C4a", "C4b", "C4c", "C8a", "C12", "C13", "E1a", "E1c"),
    ),
    Control(
        id="memory-targets-at-other-sizes",
        title="The same for the smallest and the largest model",
        replaces={"kaft": "memory-targets"},
        predicts=kills("C6a", "C6b"),
        experiment="sizes",
    ),
    Control(
        id="copied-distractors",
        title="Irrelevant contexts are trained with the answer they suggest",
        replaces={"kaft": "copied-distractors"},
        predicts=kills("C5a", "C5b", "C5c", "C9a", "E1b"),
    ),
    Control(
        id="copied-without-counterfactuals",
        title="The same in the ablation without counterfactual contexts",
        replaces={"no-cf": "no-cf-copied"},
        predicts=kills("C8b"),
    ),
    Control(
        id="irrelevant-put-back",
        title="The ablation without irrelevant contexts gets them back",
        replaces={"no-irr": "kaft"},
        predicts=kills("C9b"),
    ),
    Control(
        id="memory-without-irrelevant",
        title="In the ablation without irrelevant contexts counterfactual ones get the remembered answer",
        replaces={"no-irr": "no-irr-memory"},
        predicts=kills("C9c"),
    ),
    Control(
        id="harmless-noise",
        title="As many contexts are exchanged, but irrelevant ones for others that are irrelevant",
        replaces={"noise-50": "harmless-noise"},
        predicts=kills("C10a", "C10b"),
    ),
    Control(
        id="foreign-memory",
        title="The model's own answers as targets are those to other questions",
        replaces={"kaft-lower": "foreign-lower", "kaft-higher": "foreign-higher"},
        predicts=kills("C11"),
    ),
)
