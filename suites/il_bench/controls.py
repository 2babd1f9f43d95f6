"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control, kills

CONTROLS = (
    Control(
        id="exchanged-labels",
        title="The learner of LSP is shown its examples with exchanged labels",
        replaces={"lsp": "lsp-shuffled"},
        predicts=kills("C1a", "C1b", "C6", "C8b", "C11"),
    ),
    Control(
        id="crossed-branches",
        title="Each branch of the finished program hangs under the next label",
        replaces={"lsp": "lsp-crossed"},
        predicts=kills("C1b", "C1c"),
    ),
    Control(
        id="erring-stranger",
        title="The other executor errs in three of ten calls",
        replaces={},
        extra={"depth-2": "depth-2-erring"},
        predicts=kills("C3a", "C3b", "C3c"),
    ),
    Control(
        id="one-wording",
        title="Programs are followed only where an input is worded as the training items are",
        replaces={"lsp": "lsp-worded"},
        predicts=kills("C5b", "C5c"),
    ),
    Control(
        id="fewest-errors",
        title="The leaf with the fewest errors is expanded first",
        replaces={"lsp": "lsp-fewest"},
        predicts=kills("C7a", "C7b"),
    ),
    Control(
        id="late-start",
        title="After the first module, the first half of the expansions learns from exchanged labels",
        replaces={"lsp-half": "lsp-half-vain"},
        predicts=kills("C8c"),
    ),
    Control(
        id="taught",
        title="The same executor is given a program that was learnt from examples",
        replaces={"zero-shot": "lsp"},
        predicts=kills("C10"),
    ),
)
