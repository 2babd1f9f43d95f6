"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control

CONTROLS = (
    Control(
        id="mixed-columns",
        title="LITE learns from similarities whose columns change places between a query's candidates",
        replaces={
            "lite": "lite-mixed",
            "lite-quarter": "lite-mixed-quarter",
            "lite-scorer": "lite-mixed-scorer",
            "lite-one-hot": "lite-mixed-one-hot",
        },
        experiment="ranking",
        predicts=dict.fromkeys(
            ("C1a", "C1b", "C2", "C3b", "C4", "C5a", "C7b", "C7c", "C8", "C9d", "C10"), "kill"
        ),
    ),
    Control(
        id="mixed-with-labels",
        title="The same where only labels teach",
        replaces={"lite-one-hot": "lite-mixed-one-hot"},
        experiment="ranking",
        predicts={"C7e": "kill"},
    ),
    Control(
        id="shuffled-teacher",
        title="The teacher's margins are shuffled within each list",
        replaces={"lite": "lite-shuffled", "maxsim": "maxsim-shuffled"},
        experiment="ranking",
        predicts={"C7a": "kill"},
    ),
    Control(
        id="mixed-maxsim",
        title="MaxSim learns from similarities whose columns change places between a query's candidates",
        replaces={"maxsim": "maxsim-mixed", "maxsim-kl": "maxsim-mixed-kl"},
        experiment="ranking",
        predicts={"C3a": "kill", "C7d": "kill", "C9a": "kill", "C9b": "kill", "C9c": "kill"},
    ),
    Control(
        id="all-vectors",
        title="LITE keeps all document vectors",
        replaces={"lite-50": "lite-200"},
        predicts={"C5c": "kill"},
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
)
