"""Rehearsals: every experiment of a large profile, end to end, on this machine.

Tiny stand-ins take the place of models, data sets and servers, and declared sizes are cut down;
planning, trials, evidence and report are those of any run, and nothing of the code is replaced.
"""

from harness.rehearsal.cut import Cut, cut_suite
from harness.rehearsal.outcome import Arm, Report, report_of
from harness.rehearsal.stage import Rehearsed, rehearse

__all__ = ["Arm", "Cut", "Rehearsed", "Report", "cut_suite", "rehearse", "report_of"]
