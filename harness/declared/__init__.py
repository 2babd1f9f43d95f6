"""What a suite declares before a run: whether it can be judged, and the hash that fixes its rules."""

from harness.declared.check import check_suite, unwise
from harness.declared.judgeable import refuse_unjudgeable
from harness.declared.keys import cell_key
from harness.declared.noise import floors_of
from harness.declared.rules_hash import claims_hash

__all__ = ["cell_key", "check_suite", "claims_hash", "floors_of", "refuse_unjudgeable", "unwise"]
