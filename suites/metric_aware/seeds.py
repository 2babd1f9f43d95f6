"""Seeds of pilots, tuning and verdicts."""

from __future__ import annotations

from harness.suite import FirstSeed

FIRST = FirstSeed()
"""Draws what is proved, and the solved examples of open questions, whose answers are those first drawn."""
FRESH = FirstSeed(
    300,
    "Results on seeds from 100 on and from 200 on were seen before prompts and seeds were settled.",
)
"""Draws everything else."""
PROMPT_SEEDS = FRESH.take(10)
"""Draws of the solved examples on public sets; the texts asked about are the same in all of them."""
MANY_PROMPTS = FRESH.take(40)
"""Draws of the solved examples under ``small``, each with texts of its own."""
TUNING_SEEDS = (1,)
"""Learning rates are chosen on these."""
HIDDEN_TUNING_SEEDS = (1, 2)
"""The same for what reads hidden states, which has few texts a seed."""
HIDDEN_SEEDS = FRESH.take(10)
"""Splits of the texts whose hidden states are read; no two of them share a text."""
