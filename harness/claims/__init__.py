"""Claims and the forms that decide them.

A claim is a statement of the paper. For each profile it declares a *form*: the quantity θ,
signed so that the paper's side is positive, and the rule that turns measurements of θ into a
verdict. Everything here is declared before a run and hashed into it; the statistics behind the rules
are in :mod:`harness.evidence`.
"""

from harness.claims import forms
from harness.claims.claim import Claim, Control, Prediction, Rule, Rules, keeps, kills
from harness.claims.forms import *  # noqa: F403 - a form is named in its registry alone
from harness.claims.forms.base import Form
from harness.claims.forms.statistical import StatisticalForm
from harness.claims.place import Place, by_place
from harness.claims.precondition import Precondition
from harness.claims.profiles import EVERY, MEASURED, SCALED, Profile, Replication, at, by_profile
from harness.claims.quantity import (
    Cell,
    Contrast,
    Formula,
    alone,
    combine,
    difference,
    log,
    mean,
    slope,
    total,
)

__all__ = [
    "EVERY",
    "MEASURED",
    "SCALED",
    "Cell",
    "Claim",
    "Contrast",
    "Control",
    "Form",
    "Formula",
    "Place",
    "Precondition",
    "Prediction",
    "Profile",
    "Replication",
    "Rule",
    "Rules",
    "StatisticalForm",
    "alone",
    "at",
    "by_place",
    "by_profile",
    "combine",
    "difference",
    "keeps",
    "kills",
    "log",
    "mean",
    "slope",
    "total",
]
__all__ += forms.__all__
