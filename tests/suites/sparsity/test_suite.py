"""The declaration of the suite."""

from __future__ import annotations

from typing import Any

from harness.claims import MEASURED, Direction, NotComparable, NotRun, Profile
from harness.suite import Scale, Standing, Tuned
from suites.sparsity import SUITE
from suites.sparsity.cells import TOP
from suites.sparsity.experiments import FIRST, FRESH
from suites.sparsity.plan import PAPER, PLANS

SMALL = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL))}


def test_all_claims_of_the_paper_are_there_and_can_be_killed() -> None:
    assert {f"C{number}" for number in range(1, 21)} == {claim.parent or claim.id for claim in SUITE.claims}
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    for profile in MEASURED:
        judged = {
            claim.id
            for claim in SUITE.claims
            if not isinstance(claim.forms.get(profile), NotComparable | NotRun | None)
        }
        assert judged <= killed


def test_dense_and_top_k_share_a_grid_chosen_by_validation_loss() -> None:
    tuned = {name: m for name, m in SMALL["tuned"].methods.items() if isinstance(m, Tuned)}
    assert set(tuned) == {"dense", TOP}
    grids = {method.grid["rate"] for method in tuned.values()}
    assert len(grids) == 1
    for method in tuned.values():
        assert (method.select.name, method.part) == ("cross-entropy", "validation")
        assert not set(method.seeds) & set(SMALL["tuned"].seeds)


def test_tasks_of_images_differ_from_the_natural_one_in_one_thing() -> None:
    tasks: dict[str, Any] = dict(SMALL["images"].tasks)
    real = tasks.pop("real")
    for name, task in tasks.items():
        changed = [key for key in vars(real) if getattr(task, key) != getattr(real, key)]
        assert len(changed) == (2 if name == "mlp-fresh" else 1), name


def test_sizes_include_the_common_one_and_grow() -> None:
    for plan in PLANS.values():
        assert plan.depths[-1] >= 6
        assert list(plan.depths) == sorted(plan.depths)
        assert plan.layers in plan.depths
        assert plan.d_ff in plan.widths
    assert PAPER.keep * 24 == PAPER.d_ff


def test_what_trains_longer_since_the_first_run_is_on_seeds_that_it_did_not_use() -> None:
    assert FIRST.seed == 100
    for name in ("images", "text", "tuned", "rates"):
        assert min(SMALL[name].seeds) >= FRESH.seed == 200, name


def test_noise_cells_have_five_seeds_and_the_wider_grid_belongs_to_full() -> None:
    noise = SMALL["noise"]
    assert len(noise.seeds) == 5
    assert set(noise.tasks) == {"clean", "noise-40"}
    full = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL, full=True))}["noise"]
    paper = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.PAPER))}["noise"]
    assert "noise-80" in full.tasks
    assert "noise-80" in paper.tasks
    assert full.tasks["noise-80"].noise == 0.8  # type: ignore[attr-defined]
    (growth,) = (claim for claim in SUITE.claims if claim.id == "C17c")
    form = growth.forms[Profile.SMALL]
    assert isinstance(form, Direction)
    assert {cell.task for _, cell in form.theta.terms} == {"noise-40", "noise-80"}
    assert {"dropout", "l1", "narrow", "random-k", "top-k-at-inference"} <= set(full.methods)


def test_reported_numbers_and_how_they_were_established() -> None:
    reported = SUITE.paper.reported
    assert reported["top-128-noise-80"].value == 30.80
    assert reported["top-128-noise-80"].standing is Standing.VERIFIED
    assert reported["architectures"].standing is Standing.SECONDARY
    assert reported["theorem"].standing is Standing.UNVERIFIED
