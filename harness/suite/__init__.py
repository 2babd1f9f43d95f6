"""What a suite declares: paper, experiments, claims, deviations, controls, tables, figures."""

from harness.suite.declaration import OwnUnits, Suite
from harness.suite.display import (
    Arm,
    Columns,
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
    by_column,
    curves,
    headers,
)
from harness.suite.experiment import FIRST_SEED, Experiment, FirstSeed, Methods, Scale, Timed, Tuned, on_cpu
from harness.suite.paper import Deviation, Paper, Reported, Standing, Statement
from harness.suite.rehearsal import Rehearsal, StandIn
from harness.suite.served import Role, Served

__all__ = [
    "FIRST_SEED",
    "Arm",
    "Columns",
    "Deviation",
    "Entry",
    "Experiment",
    "FirstSeed",
    "Lines",
    "Methods",
    "OwnUnits",
    "Paper",
    "PaperFigure",
    "PaperTable",
    "Rehearsal",
    "Reported",
    "ReportedRef",
    "Role",
    "Rows",
    "SampleView",
    "Scale",
    "Series",
    "Served",
    "StandIn",
    "Standing",
    "Statement",
    "Suite",
    "TableRow",
    "Timed",
    "Tuned",
    "arms",
    "by_arm",
    "by_column",
    "curves",
    "headers",
    "on_cpu",
]
