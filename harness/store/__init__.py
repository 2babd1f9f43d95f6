"""Records of runs on disk."""

from harness.store.locate import (
    committed_report,
    find_run,
    holds_run,
    list_runs,
    list_single_trials,
    new_run_folder,
    newest_run,
    runs_folder,
    single_trial_folder,
)
from harness.store.reader import RunReader, readable_runs
from harness.store.reference import open_run
from harness.store.view import TIMED_METHOD, RunView, trial_id
from harness.store.writer import RunWriter

__all__ = [
    "TIMED_METHOD",
    "RunReader",
    "RunView",
    "RunWriter",
    "committed_report",
    "find_run",
    "holds_run",
    "list_runs",
    "list_single_trials",
    "new_run_folder",
    "newest_run",
    "open_run",
    "readable_runs",
    "runs_folder",
    "single_trial_folder",
    "trial_id",
]
