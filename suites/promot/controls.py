"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control

CONTROLS = (
    Control(
        id="frozen-model",
        title="The model is never tuned: a prompt alone stands in for fine-tuning",
        replaces={"fine-tuning": "prompt-tuning"},
        predicts={"C1": "kill", "C2": "kill"},
    ),
    Control(
        id="same-answers",
        title="The format gradient is taken with the true answers",
        replaces={"fine-tuning": "identical-answers"},
        predicts={"C3a": "keep", "C3b": "kill"},
    ),
    Control(
        id="foreign-answers",
        title="The format gradient is taken with answers of no format",
        replaces={"fine-tuning": "foreign-answers"},
        predicts={"C3a": "kill"},
    ),
    Control(
        id="shuffled-answers",
        title="Stage 2 sees the answers of other inputs",
        replaces={"promot": "promot-shuffled"},
        predicts={"C4a": "kill", "C4b": "kill"},
    ),
    Control(
        id="untuned",
        title="Both stages are left out",
        replaces={"promot": "pretrained"},
        predicts={"C4c": "kill", "C4d": "kill"},
    ),
    Control(
        id="no-prompt",
        title="The prompt is thrown away before stage 2, which leaves fine-tuning",
        replaces={"promot": "fine-tuning"},
        predicts={
            "C5a": "kill",
            "C5b": "kill",
            "C6a": "kill",
            "C6b": "kill",
            "C9": "kill",
            "C13": "kill",
            "C14": "kill",
            "C15": "kill",
        },
    ),
    Control(
        id="no-model-tuning",
        title="Stage 2 is left out",
        replaces={"promot": "prompt-tuning"},
        predicts={"C7": "kill", "C17": "kill"},
    ),
    Control(
        id="no-prompt-1shot",
        title="The prompt is thrown away before stage 2, demonstrations stay",
        replaces={"promot-1shot": "fine-tuning-1shot"},
        predicts={"C8": "kill"},
    ),
    Control(
        id="prompt-first",
        title="The variants get their prompt from a stage of its own",
        replaces={"joint": "promot", "random-prompt": "promot", "fine-tuning-1shot": "promot-1shot"},
        predicts={"C10": "kill", "C11": "kill", "C12": "kill"},
    ),
    Control(
        id="touched",
        title="The model is tuned where only the prompt should be",
        replaces={"prompt-tuning": "fine-tuning"},
        predicts={"C16": "kill"},
    ),
)
