"""What a suite declares: paper, experiments, claims, deviations, controls, tables, figures."""

from harness.suite.declaration import OwnUnits, Suite
from harness.suite.display import (
    Arm,
    Entry,
    Lines,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Rows,
    SampleView,
    Series,
    TableRow,
    arms,
    by_arm,
    curves,
)
from harness.suite.experiment import FIRST_SEED, Experiment, FirstSeed, Scale, Timed, Tuned, on_cpu
from harness.suite.paper import Deviation, Paper, Reported, Standing, Statement
from harness.suite.rehearsal import Rehearsal, StandIn

__all__ = [
    "FIRST_SEED",
    "Arm",
    "Deviation",
    "Entry",
    "Experiment",
    "FirstSeed",
    "Lines",
    "OwnUnits",
    "Paper",
    "PaperFigure",
    "PaperTable",
    "Rehearsal",
    "Reported",
    "ReportedRef",
    "Rows",
    "SampleView",
    "Scale",
    "Series",
    "StandIn",
    "Standing",
    "Statement",
    "Suite",
    "TableRow",
    "Timed",
    "Tuned",
    "arms",
    "by_arm",
    "curves",
    "on_cpu",
]
