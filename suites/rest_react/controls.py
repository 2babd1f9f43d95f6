"""Negative controls, and which claims each must kill."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Control, Prediction
from suites.rest_react.cells import PAIRS_RIGHT


def _kills(*claims: str) -> Mapping[str, Prediction]:
    return dict.fromkeys(claims, "kill")


CONTROLS = (
    Control(
        id="unlearnt",
        title="Generation 0 stands in for every agent that should have learnt something",
        replaces={"rest": "unlearnt", "prompted": "unlearnt"},
        experiment="agents",
        predicts=_kills(
            *("C1a", "C1b", "C2b", "C4b", "C9a", "C9b", "C9c"),
            *("C3a", "C3b", "C7a", "C8", "C10b", "C11a", "C11b", "C13", "E2"),
        ),
    ),
    Control(
        id="random-ranker",
        title="The targets are drawn at random from the samples",
        replaces={"rest": "random"},
        experiment="agents",
        predicts=_kills("C1b", "C12a", "C12b"),
    ),
    Control(
        id="gone-astray",
        title="Answers of the second generation's agents are given to other questions",
        replaces={"rest": "astray"},
        experiment="agents",
        predicts=_kills("C1a", "C1c", "C2a", "C2c", "C4c", "C7b"),
    ),
    Control(
        id="hardly-a-pilot",
        title="Nearly all steps of the pilot are removed where none should be",
        replaces={"pilot-all": "pilot-hardly"},
        experiment="agents",
        predicts=_kills("C6"),
    ),
    Control(
        id="unchecked",
        title="The results of the checks are ignored",
        replaces={"rest": "unchecked", "prompted": "unchecked"},
        experiment="agents",
        predicts=_kills("C10a"),
    ),
    Control(
        id="unchecked-before",
        title="The results of generation 0's checks are ignored",
        replaces={"prompted": "unchecked"},
        experiment="agents",
        predicts=_kills("C10c"),
    ),
    Control(
        id="one-ranker",
        title="All rankers are the random one",
        replaces=dict.fromkeys(PAIRS_RIGHT, "random"),
        experiment="agents",
        predicts=_kills("C12c"),
    ),
    Control(
        id="lenient-judge",
        title="The judge says yes to everything",
        replaces={"language": "lenient"},
        experiment="judges",
        predicts=_kills("C5"),
    ),
    Control(
        id="swapped-facts",
        title="The documents that are searched tell of another world",
        replaces={},
        experiment="baselines",
        predicts=_kills("E1"),
        extra={"worlds": "swapped"},
    ),
)
