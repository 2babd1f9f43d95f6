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
        predicts={"C1b": "kill", "C8b": "kill"},
    ),
    Control(
        id="one-instruction",
        title="The best single instruction of three rules stands in for the program",
        replaces={"lsp": "best-of"},
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
        id="exchanged-symbols",
        title="Programs and nearest neighbours over symbols are exchanged",
        replaces={"lsp": "knn", "knn": "lsp"},
        predicts={"C5a": "kill"},
    ),
    Control(
        id="exchanged-embeddings",
        title="Programs and nearest neighbours over embeddings are exchanged",
        replaces={"lsp": "minilm-knn", "minilm-knn": "lsp"},
        predicts={"C5b": "kill", "C5c": "kill"},
    ),
    Control(
        id="any-leaf",
        title="The leaf with most errors and any leaf are exchanged",
        replaces={"lsp": "lsp-any", "lsp-any": "lsp"},
        predicts={"C7a": "kill"},
    ),
    Control(
        id="any-wrong-leaf",
        title="The leaf with most errors and any leaf with errors are exchanged",
        replaces={"lsp": "lsp-random", "lsp-random": "lsp"},
        predicts={"C7b": "kill"},
    ),
    Control(
        id="backwards",
        title="The search undoes its expansions one by one",
        replaces={"lsp": "lsp-backwards"},
        predicts={"C8a": "kill"},
    ),
    Control(
        id="late-start",
        title="The first half of the expansions adds nothing",
        replaces={"lsp-half": "lsp-one"},
        predicts={"C8c": "kill"},
    ),
    Control(
        id="no-switch",
        title="Programs lose their switches",
        replaces={"written": "one-module"},
        predicts={"C9": "kill"},
    ),
    Control(
        id="taught",
        title="A learned program stands in for the question alone",
        replaces={"zero-shot": "lsp"},
        predicts={"C10": "kill"},
    ),
)
