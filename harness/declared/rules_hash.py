"""The hash of what is declared before a run."""

from __future__ import annotations

from harness.claims import Claim
from harness.declared.keys import rule_of
from harness.plan.canonical import canonical_text, digest
from harness.suite import Suite


def claims_hash(suite: Suite) -> str:
    """A stable hash of every claim's rule and every control's prediction.

    Reported numbers that a rule compares with belong to it; explanations do not.
    """
    reported = {
        name: suite.paper.reported[name].value
        for claim in suite.claims
        for form in claim.forms.values()
        for name in form.reported_numbers
        if name in suite.paper.reported
    }
    rules = [rule_of(claim, _left_out(claim)) for claim in suite.claims]
    return digest(canonical_text([rules, [rule_of(item) for item in suite.controls], reported]))


def _left_out(claim: Claim) -> frozenset[str]:
    """Fields of a claim that are no part of its rule: what it names, and what it does not say."""
    unsaid = {name for name in ("same_as", "primary") if not getattr(claim, name)}
    return frozenset({"reported", "threshold"} | unsaid)
