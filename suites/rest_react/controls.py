"""Sabotages, and what each should do to the claims."""

from __future__ import annotations

from harness.claims import Control
from suites.rest_react.cells import PAIRS_RIGHT

CONTROLS = (
    Control(
        id="unlearnt",
        title="Generation 0 stands in for every agent that should have learnt something",
        replaces={"rest": "unlearnt", "prompted": "unlearnt"},
        experiment="agents",
        predicts={
            **dict.fromkeys(("C1a", "C1b", "C2b", "C4b", "C9a", "C9b", "C9c"), "kill"),
            **dict.fromkeys(("C3a", "C3b", "C7a", "C8", "C10b", "C11a", "C11b", "C13", "E2"), "kill"),
        },
    ),
    Control(
        id="random-ranker",
        title="The targets are drawn at random from the samples",
        replaces={"rest": "random"},
        experiment="agents",
        predicts=dict.fromkeys(("C1b", "C12a", "C12b"), "kill"),
    ),
    Control(
        id="gone-astray",
        title="Answers of the second generation's agents are given to other questions",
        replaces={"rest": "astray"},
        experiment="agents",
        predicts=dict.fromkeys(("C1a", "C1c", "C2a", "C2c", "C4c", "C7b"), "kill"),
    ),
    Control(
        id="hardly-a-pilot",
        title="Nearly all steps of the pilot are removed where none should be",
        replaces={"pilot-all": "pilot-hardly"},
        experiment="agents",
        predicts={"C6": "kill"},
    ),
    Control(
        id="unchecked",
        title="Nobody heeds the checks",
        replaces={"rest": "unchecked", "prompted": "unchecked"},
        experiment="agents",
        predicts={"C10a": "kill"},
    ),
    Control(
        id="unchecked-before",
        title="Nobody heeds the checks of generation 0",
        replaces={"prompted": "unchecked"},
        experiment="agents",
        predicts={"C10c": "kill"},
    ),
    Control(
        id="one-ranker",
        title="All rankers are the random one",
        replaces=dict.fromkeys(PAIRS_RIGHT, "random"),
        experiment="agents",
        predicts={"C12c": "kill"},
    ),
    Control(
        id="lenient-judge",
        title="The judge says yes to everything",
        replaces={"language": "lenient"},
        experiment="judges",
        predicts={"C5": "kill"},
    ),
    Control(
        id="swapped-facts",
        title="The documents that are searched tell of another world",
        replaces={},
        experiment="baselines",
        predicts={"E1": "kill"},
        extra={"worlds": "swapped"},
    ),
)
