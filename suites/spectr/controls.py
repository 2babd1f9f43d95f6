"""Negative controls, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control, keeps, kills
from suites.spectr.cells import DRAFTS, EIGHT, PROGRAM_TRIES, SIZES, SMALL_SIZES, name

CONTROLS = (
    Control(
        id="undivided",
        title="ρ = 1 with several tries",
        replaces={"spectr": "undivided", EIGHT: "undivided", "k-seq": "undivided"},
        predicts=kills("C4", "C8") | keeps("C3b"),
    ),
    Control(
        id="half-divided",
        title="ρ halfway between 1 and ρ*",
        replaces={"k-seq": "half-divided"},
        predicts=kills("C8"),
    ),
    Control(
        id="deduplicated",
        title="Repeated candidates are removed before K-SEQ",
        replaces={"spectr": "deduplicated"},
        experiment="chains",
        predicts=kills("C4"),
    ),
    Control(
        id="stale-count",
        title="k stays K after drafts were filtered out",
        replaces={"spectr": "stale-count"},
        experiment="chains",
        predicts=kills("C4"),
    ),
    Control(
        id="plain-residual",
        title="The residual of single-draft decoding",
        replaces={"spectr": "plain-residual", EIGHT: "plain-residual"},
        predicts=kills("C4") | keeps("C3b"),
    ),
    Control(
        id="stale-cache",
        title="The target keeps the keys and values of the first draft",
        replaces={"spectr": "stale-cache"},
        experiment="law",
        predicts=kills("C4"),
    ),
    Control(
        id="copied-drafts",
        title="The K drafts are copies of one",
        replaces={EIGHT: "copied-drafts"},
        predicts=kills("C3a", "C3b", "C11a"),
    ),
    Control(
        id="one-draft",
        title="One draft stands in for eight, at L = 4",
        replaces={name(8, 4): name(1, 4)},
        predicts=kills("C11b"),
    ),
    Control(
        id="shuffled-draft",
        title="The draft's tokens are renamed, so that it knows nothing",
        replaces={EIGHT: "shuffled-draft"},
        experiment="simulation",
        predicts=kills("C3b"),
    ),
    Control(
        id="short-drafts",
        title="Drafts of four tokens stand in for eight",
        replaces={name(k, 8): name(k, 4) for k in DRAFTS},
        experiment="grid",
        predicts=kills("C11c"),
    ),
    Control(
        id="no-cache",
        title="The target reads the whole text again at every call",
        replaces={"k8": "no-cache"},
        predicts=kills("C1a", "C1b", "C2a", "C2b"),
    ),
    Control(
        id="no-drafts",
        title="Plain sampling stands in for SpecTr",
        replaces={"k8": "ar"},
        predicts=kills("C11d"),
    ),
    Control(
        id="one-try",
        title="Only the first candidate is tried, at the division factor for all",
        replaces={"k-seq": "one-try"},
        predicts=kills("C9"),
    ),
    Control(
        id="disjoint",
        title="The draft never proposes a token that the target can emit",
        replaces={},
        extra={"pairs": "disjoint"},
        predicts=kills("C6b", "C12"),
    ),
    Control(
        id="no-program",
        title="K-SEQ stands in for the linear program",
        replaces={f"program-k{k}": f"k-seq-k{k}" for k in PROGRAM_TRIES},
        predicts=kills("C7"),
    ),
    Control(
        id="program",
        title="The linear program stands in for K-SEQ",
        replaces={f"v{large}": f"program-v{small}" for large, small in zip(SIZES, SMALL_SIZES, strict=True)},
        predicts=kills("C10"),
    ),
)
