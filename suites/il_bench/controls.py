"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control

CONTROLS = (
    Control(
        id="exchanged-labels",
        title="The learner of LSP is shown its examples with exchanged labels",
        replaces={"lsp": "lsp-shuffled"},
        predicts=dict.fromkeys(("C1a", "C1b", "C6", "C8b", "C11"), "kill"),
    ),
    Control(
        id="crossed-branches",
        title="Each branch of the finished program hangs under the next label",
        replaces={"lsp": "lsp-crossed"},
        predicts={"C1b": "kill", "C1c": "kill"},
    ),
    Control(
        id="erring-stranger",
        title="The other executor errs in three of ten calls",
        replaces={},
        extra={"depth-2": "depth-2-erring"},
        predicts={"C3a": "kill", "C3b": "kill", "C3c": "kill"},
    ),
    Control(
        id="one-wording",
        title="Programs are followed only where an input is worded as the training items are",
        replaces={"lsp": "lsp-worded"},
        predicts={"C5b": "kill", "C5c": "kill"},
    ),
    Control(
        id="fewest-errors",
        title="The leaf with the fewest errors is expanded first",
        replaces={"lsp": "lsp-fewest"},
        predicts={"C7a": "kill", "C7b": "kill"},
    ),
    Control(
        id="late-start",
        title="After the first module, the first half of the expansions learns from exchanged labels",
        replaces={"lsp-half": "lsp-half-vain"},
        predicts={"C8c": "kill"},
    ),
    Control(
        id="taught",
        title="The same executor is given a program that was learnt from examples",
        replaces={"zero-shot": "lsp"},
        predicts={"C10": "kill"},
    ),
)
