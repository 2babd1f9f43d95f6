"""The declaration of the suite."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from harness.claims import NotComparable, NotRun, Profile
from harness.suite import Scale, Standing, Tuned
from suites.lora_rite import SUITE
from suites.lora_rite.arms import OPTIMIZERS
from suites.lora_rite.cells import BENCHMARKS, STRING_TASKS

EXPERIMENTS = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL))}


def test_all_claims_of_the_paper_are_there_and_can_be_killed() -> None:
    assert {f"C{number}" for number in range(1, 13)} <= {claim.parent or claim.id for claim in SUITE.claims}
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    for profile in (Profile.SMALL, *BENCHMARKS):
        judged = {
            claim.id
            for claim in SUITE.claims
            if not isinstance(claim.forms.get(profile), NotComparable | NotRun | None)
        }
        assert judged <= killed


def test_what_follows_by_algebra_is_shown_only() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    for name in ("C2a", "C2b", "C2c", "C2d", "C2f", "C3b", "C4a", "C4b", "C11a", "E1a"):
        assert isinstance(forms[name][Profile.SMALL], NotComparable)


def test_small_runs_the_full_grid_of_the_language_model() -> None:
    language = EXPERIMENTS["language"]
    tuned = {name: method for name, method in language.methods.items() if isinstance(method, Tuned)}
    assert set(tuned) == {f"{name}-r{rank}" for name in OPTIMIZERS for rank in (4, 16)}
    assert all(len(method.grid["rate"]) >= 5 for method in tuned.values())
    assert len(language.seeds) >= 5
    assert language.only is not None
    assert {(task, name) for task in STRING_TASKS for name in tuned} <= language.only


def test_grids_are_geometric_around_each_optimizers_own_centre() -> None:
    for experiment in EXPERIMENTS.values():
        for method in experiment.methods.values():
            if isinstance(method, Tuned) and len(method.grid["rate"]) >= 5:
                rates = [float(rate) for rate in method.grid["rate"]]
                ratios = [b / a for a, b in pairwise(rates)]
                assert min(ratios) > 3.0
                assert max(ratios) < 3.4


def test_recalled_numbers_are_marked() -> None:
    reported = SUITE.paper.reported
    assert reported["gsm8k-7b-rite"].standing is Standing.VERIFIED
    assert reported["hellaswag-2b-rite"].standing is Standing.UNVERIFIED
    assert reported["overhead-2b"].standing is Standing.SECONDARY
    assert "4.48" in reported["llm-gain"].note


def test_every_task_file_of_lm_eval_belongs_to_a_task() -> None:
    folder = Path(__file__).parents[3] / "suites" / "lora_rite" / "tasks"
    files = {f"lora_rite_{path.stem}" for path in folder.glob("*.yaml")}
    used = {
        task.file  # type: ignore[attr-defined]
        for profile in BENCHMARKS
        for experiment in SUITE.experiments(Scale(profile=profile))
        if experiment.id == "public"
        for task in experiment.tasks.values()
    }
    assert used == files
