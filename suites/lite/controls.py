"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control, kills
from suites.lite.cells import BETAS, beta

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
        predicts=kills("C1a", "C1b", "C2", "C3b", "C4", "C5a", "C7b", "C7c", "C8", "C9d", "C10"),
    ),
    Control(
        id="mixed-with-labels",
        title="The same where only labels teach",
        replaces={"lite-one-hot": "lite-mixed-one-hot"},
        experiment="ranking",
        predicts=kills("C7e"),
    ),
    Control(
        id="shuffled-teacher",
        title="The teacher's margins are shuffled within each list",
        replaces={"lite": "lite-shuffled", "maxsim": "maxsim-shuffled"},
        experiment="ranking",
        predicts=kills("C7a"),
    ),
    Control(
        id="mixed-maxsim",
        title="MaxSim learns from similarities whose columns change places between a query's candidates",
        replaces={"maxsim": "maxsim-mixed", "maxsim-kl": "maxsim-mixed-kl"},
        experiment="ranking",
        predicts=kills("C3a", "C7d", "C9a", "C9b", "C9c"),
    ),
    Control(
        id="all-vectors",
        title="LITE keeps all document vectors",
        replaces={"lite-50": "lite-200"},
        predicts=kills("C5c"),
    ),
    Control(
        id="short-maxsim",
        title="MaxSim on a quarter of the vectors stands in for LITE",
        replaces={"lite-200": "maxsim-50"},
        experiment="latency",
        predicts=kills("C6"),
    ),
    Control(
        id="idle-neighbours",
        title="Neighbours are worth nothing, whatever the dial says",
        replaces={},
        experiment="neighbours",
        extra={beta(value): beta(0.0) for value in BETAS if value},
        predicts=kills("E2a", "E2b"),
    ),
    Control(
        id="maxsim-fits",
        title="MaxSim stands in for LITE on functions that it cannot express",
        replaces={"lite": "maxsim"},
        predicts=kills("C11a", "C11b", "C11c", "C11d", "C12b", "E1"),
    ),
)
