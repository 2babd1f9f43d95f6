"""Metric-aware inference (Lukasik et al., 2024): the answer that the metric asks for.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``arms.py``: read-outs of a model's distribution, and objectives of fine-tuning.
* ``experiments.py``, ``public.py``: exact and toy distributions, prompted and embedded reviews, public data.
* ``seeds.py``: which seeds are for pilots, tuning and verdicts.
* ``cells.py``: errors and scores, where they are measured.
* ``claims.py`` with ``rules.py``: the rules of inference (M, X); ``claims_training.py``: of fine-tuning (R).
* ``controls.py``: what must break them.
* ``display.py``: tables and figures; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import Role, Served, Suite
from methods.common.servers import PROBE
from suites.metric_aware.cells import PAPER_MODELS
from suites.metric_aware.claims import RULES
from suites.metric_aware.claims_training import TRAINING_RULES
from suites.metric_aware.controls import CONTROLS
from suites.metric_aware.display import FIGURES, TABLES
from suites.metric_aware.experiments import experiments
from suites.metric_aware.rehearsal import REHEARSAL
from suites.metric_aware.seeds import FRESH

SUITE = Suite.read(
    Path(__file__).parent,
    {**RULES, **TRAINING_RULES},
    experiments=experiments,
    gating=("M2c", "M3b", "M4b", "M4c", "M8a", "R1c", "R2a"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FRESH,
    bindings={
        "gemma": "gemma-3-270m",
        "flan-base": "flan-t5-base",
        "flan-large": "flan-t5-large",
        "flan-xl": "flan-t5-xl",
        "encoder": "all-minilm-l6-v2",
    },
    served=Served(
        roles={
            f"flan-{size}": Role(paper=f"FLAN-T5 {size}", needs={"flan": ("next-token:20",)})
            for size in PAPER_MODELS
        },
        probe=PROBE,
        expected="methods.metric_aware.expected:expected",
    ),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
