"""Baby Bear (Han et al., 2024): iterated best-worst scaling against cheaper rating scales.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``arms.py``: iterated and plain best-worst scaling, sliders and scales, and rankers that learn from them.
* ``experiments.py``, ``gpu.py``: quality, bias, cost and learning to rank, also with language models.
* ``cells.py``: correlations, cost and reliability, where they are measured.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``tables.py``, ``figures.py``: the report's; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import Suite
from suites.ibws.claims import RULES
from suites.ibws.controls import CONTROLS
from suites.ibws.experiments import FIRST, experiments
from suites.ibws.figures import FIGURES
from suites.ibws.rehearsal import REHEARSAL
from suites.ibws.tables import TABLES

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FIRST,
    bindings={"roberta": "roberta-base", "encoder": "all-minilm-l6-v2", "annotator": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
