"""The contract as a battery of small named checks, as scikit-learn's for its estimators.

``corroborate check-method package.module:Class`` runs it. In a test suite of one's own::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_contract(check: Check) -> None:
        with prepared(MyMethod, [SUITE], resolver) as subject:
            assert outcome_of(check, subject).status != "failed"

Give :func:`bench` to run the method in a process of its own, with limits.
"""

from harness.checks.battery import CHECKS, Check, Outcome, outcome_of, run_battery
from harness.checks.bench import bench
from harness.checks.subject import Subject, prepared

__all__ = ["CHECKS", "Check", "Outcome", "Subject", "bench", "outcome_of", "prepared", "run_battery"]
