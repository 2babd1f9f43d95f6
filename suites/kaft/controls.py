"""Negative controls, and which claims each must lose.

Each is trained as what it replaces is, with one mechanism broken or put back; for Gemma-3-270M as it is,
which nothing trains, the test is changed.
"""

from __future__ import annotations

from harness.claims import Control

CONTROLS = (
    Control(
        id="finetuned-first",
        title="The pretrained model is finetuned by KAFT first",
        replaces={"pretrained": "kaft"},
        predicts={"C1a": "kill", "C2a": "kill"},
    ),
    Control(
        id="contradicted",
        title="Ordinary finetuning sees contexts that contradict memory, too",
        replaces={"relevant": "no-irr", "noisy": "gold-lower"},
        predicts={"C1b": "kill"},
    ),
    Control(
        id="distracted",
        title="Relevant-only finetuning sees irrelevant contexts, too",
        replaces={"relevant": "noisy"},
        predicts={"C2b": "kill"},
    ),
    Control(
        id="unopposed",
        title="The passage states what the model knows, and the irrelevant passage is withheld",
        replaces={},
        extra={"gemma": "unopposed"},
        predicts={"C1c": "kill", "C2c": "kill"},
        experiment="probe",
    ),
    Control(
        id="memory-targets",
        title="Counterfactual contexts are trained with the remembered answer",
        replaces={"kaft": "memory-targets"},
        predicts=dict.fromkeys(("C4a", "C4b", "C4c", "C8a", "C12", "C13"), "kill"),
    ),
    Control(
        id="memory-targets-at-other-sizes",
        title="The same for the smallest and the largest model",
        replaces={"kaft": "memory-targets"},
        predicts={"C6a": "kill", "C6b": "kill"},
        experiment="sizes",
    ),
    Control(
        id="copied-distractors",
        title="Irrelevant contexts are trained with the answer they suggest",
        replaces={"kaft": "copied-distractors"},
        predicts={"C5a": "kill", "C5b": "kill", "C5c": "kill", "C9a": "kill"},
    ),
    Control(
        id="copied-without-counterfactuals",
        title="The same in the ablation without counterfactual contexts",
        replaces={"no-cf": "no-cf-copied"},
        predicts={"C8b": "kill"},
    ),
    Control(
        id="irrelevant-put-back",
        title="The ablation without irrelevant contexts gets them back",
        replaces={"no-irr": "kaft"},
        predicts={"C9b": "kill"},
    ),
    Control(
        id="memory-without-irrelevant",
        title="In the ablation without irrelevant contexts counterfactual ones get the remembered answer",
        replaces={"no-irr": "no-irr-memory"},
        predicts={"C9c": "kill"},
    ),
    Control(
        id="harmless-noise",
        title="As many contexts are exchanged, but irrelevant ones for others that are irrelevant",
        replaces={"noise-50": "harmless-noise"},
        predicts={"C10a": "kill", "C10b": "kill"},
    ),
    Control(
        id="foreign-memory",
        title="The model's own answers as targets are those to other questions",
        replaces={"kaft-lower": "foreign-lower", "kaft-higher": "foreign-higher"},
        predicts={"C11": "kill"},
    ),
)
