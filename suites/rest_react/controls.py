"""Negative controls, and which claims each must kill."""

from __future__ import annotations

from harness.claims import Control, keeps, kills

CONTROLS = (
    Control(
        # C9c divides out what accuracy leaves to chance. Targets of any kind can settle what an agent does
        # with a question; the ranker decides whether that is right.
        id="random-ranker",
        title="The targets of all generations are drawn at random from the samples",
        replaces={"rest": "random"},
        experiment="agents",
        predicts=kills("C1a", "C1b", "C3a", "C3b", "C4b", "C8", "C9a", "C9b", "C11a", "C11b", "C12a", "C12b")
        | keeps("C9c"),
    ),
    Control(
        id="nothing-learnt",
        title="The largest agent of generation 0 under the names of all that should have learnt",
        replaces={"rest": "one-size"},
        experiment="agents",
        predicts=kills("C1a", "C1b", "C3a", "C3b", "C7a", "C8", "C9a", "C9b", "C9c", "C10b", "C11a"),
    ),
    Control(
        id="copied-trajectories",
        title="Each further trajectory of a question is a copy of the first, which generation 0 walked",
        replaces={"rest": "copied"},
        experiment="agents",
        predicts=kills("C7a"),
    ),
    Control(
        id="one-size",
        title="The largest agent of generation 0 under the names of all sizes",
        replaces={"prompted": "one-size"},
        experiment="agents",
        predicts=kills("C13"),
    ),
    Control(
        # An answer to another question is right by chance alone, in each run anew: nothing is settled (C9c).
        id="gone-astray",
        title="Answers of the second generation's agents are given to other questions",
        replaces={"rest": "astray"},
        experiment="agents",
        predicts=kills("C1a", "C1c", "C2a", "C2c", "C4c", "C7b", "C9c"),
    ),
    Control(
        id="hardly-a-pilot",
        title="Nearly all steps of the pilot are removed where none should be",
        replaces={"pilot-all": "pilot-hardly"},
        experiment="agents",
        predicts=kills("C6"),
    ),
    Control(
        id="unchecked",
        title="The results of the checks are ignored",
        replaces={"rest": "unchecked", "prompted": "unchecked"},
        experiment="agents",
        predicts=kills("C10a", "C10b"),
    ),
    Control(
        id="unchecked-before",
        title="The results of generation 0's checks are ignored",
        replaces={"prompted": "unchecked"},
        experiment="agents",
        predicts=kills("C10c"),
    ),
    Control(
        id="lenient-judge",
        title="The judge says yes to everything",
        replaces={"language": "lenient"},
        experiment="judges",
        predicts=kills("C5"),
    ),
)
