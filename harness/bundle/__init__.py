"""A run in one archive that others can verify, read and run again: an RO-Crate 1.2.

The archive is a run's folder (records, unit rows, verdicts) with what describes it beside: the paper's
record, the lock file, licences, the report, hashes of everything, and metadata as JSON-LD. Opened, it is
read by every command that reads runs.
"""

from harness.bundle.files import SUMS, is_bundle
from harness.bundle.make import Extras, make_bundle
from harness.bundle.opening import check_bundle, open_bundle

__all__ = ["SUMS", "Extras", "check_bundle", "is_bundle", "make_bundle", "open_bundle"]
