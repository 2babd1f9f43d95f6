"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control

CONTROLS = (
    Control(
        id="random-scorer",
        title="LITE's scorer stays as it was drawn",
        replaces=dict.fromkeys(
            ("lite", "lite-quarter", "lite-scorer", "lite-one-hot", "lite-kl"), "lite-random"
        ),
        experiment="ranking",
        predicts={
            **dict.fromkeys(("C1a", "C1b", "C2", "C3a", "C3b", "C4", "C5a"), "kill"),
            **dict.fromkeys(("C7b", "C7c", "C8", "C9d", "C10"), "kill"),
        },
    ),
    Control(
        id="random-with-labels",
        title="LITE's scorer stays as it was drawn where only labels teach",
        replaces={"lite-one-hot": "lite-random"},
        experiment="ranking",
        predicts={"C7b": "kill", "C7e": "kill"},
    ),
    Control(
        id="shuffled-teacher",
        title="The teacher's margins are shuffled within each list",
        replaces={"lite": "lite-shuffled", "maxsim": "maxsim-shuffled"},
        experiment="ranking",
        predicts={"C7a": "kill"},
    ),
    Control(
        id="random-maxsim",
        title="A scorer that was never trained stands in for MaxSim",
        replaces={"maxsim": "lite-random", "maxsim-kl": "lite-random"},
        experiment="ranking",
        predicts={"C3a": "kill", "C7d": "kill", "C9a": "kill", "C9b": "kill", "C9c": "kill"},
    ),
    Control(
        id="all-vectors",
        title="LITE keeps all document vectors",
        replaces={"lite-quarter": "lite", "lite-50": "lite-200"},
        predicts={"C5b": "kill", "C5c": "kill"},
    ),
    Control(
        id="short-maxsim",
        title="MaxSim on a quarter of the vectors stands in for LITE",
        replaces={"lite-200": "maxsim-50"},
        experiment="latency",
        predicts={"C6": "kill"},
    ),
    Control(
        id="maxsim-fits",
        title="MaxSim stands in for LITE on functions that it cannot express",
        replaces={"lite": "maxsim"},
        predicts=dict.fromkeys(("C11a", "C11b", "C11c", "C11d", "C12b", "E1"), "kill"),
    ),
    Control(
        id="wide-embeddings",
        title="The dual encoder has twice the dimensions",
        replaces={"de": "de-wide"},
        experiment="tables",
        predicts={"C12a": "kill"},
    ),
)
