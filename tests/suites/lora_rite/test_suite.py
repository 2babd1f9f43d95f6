"""The declaration of the suite."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from harness.claims import NotComparable, NotRun, Profile
from harness.plan.selection import cells_of
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
    ranks = {name: (4, 16, 64) if name in ("rite", "adam") else (16,) for name in OPTIMIZERS}
    assert set(tuned) == {f"{name}-r{rank}" for name in OPTIMIZERS for rank in ranks[name]}
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


def test_no_average_over_tasks_decides_under_small() -> None:
    # Opposite effects of two functions would make up for one another.
    for claim in SUITE.claims:
        form = claim.forms.get(Profile.SMALL)
        if form is None or not form.decides:
            continue
        for item in form.measured():
            cells = cells_of(item.theta)
            tasks = {cell.task for cell in cells if cell.experiment in ("language", "encoder", "gemma")}
            assert len(tasks) <= 1, f"{claim.id}: {item.label}"


def test_every_task_of_a_claim_is_asked() -> None:
    forms = {claim.id: claim.forms[Profile.SMALL] for claim in SUITE.claims if Profile.SMALL in claim.forms}
    asked = {name: len(forms[name].measured()) for name in ("C5a", "C5b", "C7", "C8a", "C4c")}
    assert asked == {"C5a": 2, "C5b": 8, "C7": 4, "C8a": 4, "C4c": 4}


def test_arms_of_one_experiment_have_grids_of_one_size_of_three_or_more() -> None:
    for profile in (Profile.SMALL, *BENCHMARKS):
        for experiment in SUITE.experiments(Scale(profile=profile)):
            sizes = {len(m.grid["rate"]) for m in experiment.methods.values() if isinstance(m, Tuned)}
            assert len(sizes) <= 1
            assert min(sizes, default=3) >= 3


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
