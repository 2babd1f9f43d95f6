"""ReST meets ReAct (Aksitov et al., 2023): a search agent that learns from its own trajectories.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``experiments.py``, ``paper.py``: agents by generation and size, rankers and baselines; public questions.
* ``cells.py``: names of agents and exams, and what is measured there.
* ``claims.py`` with ``rules.py``: the rule of each claim; ``controls.py``: what must break it.
* ``tables.py``, ``figures.py``: the report's; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import OwnUnits, Role, Served, Suite
from methods.common.servers import PROBE
from suites.rest_react.claims import RULES
from suites.rest_react.controls import CONTROLS
from suites.rest_react.experiments import FIRST, experiments
from suites.rest_react.figures import FIGURES, SAMPLE_VIEWS
from suites.rest_react.rehearsal import REHEARSAL
from suites.rest_react.tables import TABLES

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    gating=("C1", "C3", "C7", "C8", "C9", "C10", "C13"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    sample_views=SAMPLE_VIEWS,
    own_units=(
        OwnUnits(part="agents", why="a unit is an agent that the method made"),
        OwnUnits(part="data", why="a unit is a training set that the method made"),
    ),
    first_seed=FIRST,
    bindings={
        "gemma": "gemma-3-270m",
        "agent": "search-agent",
        "student-l": "search-student-l",
        "student-s": "search-student-s",
        "student-xs": "search-student-xs",
        "bamboogle": "bamboogle",
        "bamtwoogle": "bamtwoogle",
        "passages": "search-passages",
    },
    served=Served(
        roles={
            "agent": Role(
                paper="PaLM 2-L",
                needs={
                    # Of several candidates the one of lowest perplexity is taken.
                    "agents": ("sample", "greedy", "stop", "log-probabilities"),
                    "judges": ("sample", "greedy", "stop"),
                },
            )
        },
        probe=PROBE,
        expected="methods.rest_react.expected:expected",
    ),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
