"""The forms of claims, by name: one module each, which says all that is known of it.

Everything else (verdicts, controls, comparisons, reports, the command line) finds a form here. A form is
known once it is named in ``__all__``; suites import these names from :mod:`harness.claims`.
"""

from __future__ import annotations

from harness.claims.forms.base import Form
from harness.claims.forms.count_cost import CountCost
from harness.claims.forms.direction import Direction
from harness.claims.forms.equivalence import Equivalence
from harness.claims.forms.every_cell import EveryCell
from harness.claims.forms.exact import Exact
from harness.claims.forms.existence import Existence
from harness.claims.forms.non_inferiority import NonInferiority
from harness.claims.forms.not_comparable import NotComparable
from harness.claims.forms.not_run import NotRun
from harness.claims.forms.ordering import Ordering
from harness.claims.forms.sampler_law import SamplerLaw
from harness.claims.forms.share import Share
from harness.claims.forms.time import Time
from harness.claims.forms.trend import Trend
from harness.claims.forms.value import Value
from harness.errors import SuiteError

FORMS: dict[str, type[Form]] = {}
"""Every form by the name under which records have it."""


def register(form: type[Form]) -> None:
    """Add a form, which must say everything that a form says.

    Raises:
        SuiteError: Naming what it leaves out, or if its name is taken.
    """
    lacking: list[str] = sorted(getattr(form, "__abstractmethods__", ()))
    lacking += [] if getattr(form, "meaning", "").strip() else ["meaning"]
    lacking += ["hypotheses"] if form.statistical and not all(form.hypotheses) else []
    # Fields of a dataclass that it inherits are not its own, nor in its hash.
    lacking += [] if "__dataclass_fields__" in vars(form) else ["fields: it is not a dataclass"]
    if lacking:
        raise SuiteError(
            f"The form {form.__name__} does not say: {', '.join(lacking)}", where=form.__module__
        )
    if FORMS.setdefault(form.__name__, form) is not form:
        raise SuiteError(f"Two forms are called {form.__name__}", where=form.__module__, fix="Rename one.")


def form_named(name: str) -> type[Form]:
    """The form of a record.

    Raises:
        SuiteError: If no form is called so.
    """
    if name not in FORMS:
        raise SuiteError(f"No form of claim is called '{name}'", fix=f"Known: {', '.join(sorted(FORMS))}.")
    return FORMS[name]


__all__ = [
    "CountCost",
    "Direction",
    "Equivalence",
    "EveryCell",
    "Exact",
    "Existence",
    "NonInferiority",
    "NotComparable",
    "NotRun",
    "Ordering",
    "SamplerLaw",
    "Share",
    "Time",
    "Trend",
    "Value",
]

for _name in __all__:
    register(globals()[_name])
