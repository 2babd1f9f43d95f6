"""Negative controls, and what each should do to the claims.

Each trains as what it replaces does, with one mechanism broken or put back.
"""

from __future__ import annotations

from harness.claims import Control, keeps, kills

CONTROLS = (
    Control(
        id="own-answers",
        title="The model is tuned on what it answers by itself, which has no new format",
        replaces={"fine-tuning": "own-answers"},
        predicts=kills("C1", "C2", "C3b", "E1a") | keeps("C3a"),
    ),
    Control(
        id="foreign-answers",
        title="The format gradient is taken with answers of no format",
        replaces={"fine-tuning": "foreign-answers"},
        predicts=kills("C3a"),
    ),
    Control(
        id="shuffled-answers",
        title="Stage 2 sees the answers of other inputs",
        replaces={"promot": "promot-shuffled"},
        predicts=kills("C4a", "C4b", "C4c", "C4d", "C4e", "C7"),
    ),
    Control(
        # What is learnt behind a prompt without content may keep away from inputs without it, too (C11's
        # other answer). So it is predicted to break claims on how much is kept, and not those that ask
        # for more than fine-tuning keeps.
        id="scrambled-prompt",
        title="The numbers of the tuned prompt are put in random order before stage 2",
        replaces={"promot": "promot-scrambled"},
        predicts=kills("C5a", "C5b", "C6a", "C6b", "C13"),
    ),
    Control(
        # With or without content, a prompt can keep away only what is learnt behind it.
        id="prompt-in-half",
        title="The tuned prompt is left out of half of the batches of stage 2",
        replaces={"promot": "promot-half-prompted"},
        predicts=kills("C9", "C14", "C15", "E1b"),
    ),
    Control(
        id="scrambled-prompt-1shot",
        title="The same, with a demonstration in every input",
        replaces={"promot-1shot": "promot-1shot-scrambled"},
        predicts=kills("C8"),
    ),
    Control(
        id="prompt-first",
        title="The variants get a prompt from a stage of its own, in a run of its own at their rate",
        replaces=dict.fromkeys(("joint", "random-prompt", "fine-tuning-1shot"), "prompt-first"),
        predicts=kills("C10", "C11", "C12"),
    ),
    Control(
        # Answers are drawn: the most probable ones alone would be a narrower task of their own.
        id="no-specialisation",
        title="Stage 2 learns answers that are drawn from the model itself behind its prompt",
        replaces={"promot": "promot-self-taught"},
        predicts=kills("C17"),
    ),
)
