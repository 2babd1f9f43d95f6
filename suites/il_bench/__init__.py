"""LSP and IL-Bench (Wang et al., 2025): programs of instructions, learnt from labelled texts.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``arms.py``: learnt symbolic programs and what they are compared with, within one budget of requests.
* ``experiments.py``, ``trees.py``, ``large.py``: tables, hidden trees and executors of rules; served models.
* ``cells.py``: accuracies and costs, and which methods run where.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``tables.py``, ``figures.py``: the report's; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import OwnUnits, Served, Suite
from methods.common.servers import PROBE
from suites.il_bench.claims import RULES
from suites.il_bench.controls import CONTROLS
from suites.il_bench.experiments import experiments
from suites.il_bench.figures import FIGURES, SAMPLE_VIEWS
from suites.il_bench.large import ROLES, STRONGER, WEAKER
from suites.il_bench.rehearsal import REHEARSAL
from suites.il_bench.tables import TABLES
from suites.il_bench.trees import FIRST

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    gating=("C1b", "C1c", "C3c", "C6", "C7a", "C7b", "C8b", "C8c"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    sample_views=SAMPLE_VIEWS,
    first_seed=FIRST,
    bindings={
        "gemma": "gemma-3-270m",
        "model": "instruct-model",
        "stronger": STRONGER.name,
        "weaker": WEAKER.name,
    },
    served=Served(roles=ROLES, probe=PROBE, expected="methods.il_bench.expected:expected"),
    own_units=(
        OwnUnits(part="program", why="a unit is a module of the method's own program"),
        OwnUnits(part="growth", why="a unit is an expansion, and some methods make fewer"),
    ),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
