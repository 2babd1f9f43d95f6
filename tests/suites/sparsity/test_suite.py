"""The declaration of the suite."""

from __future__ import annotations

from typing import Any

from harness.claims import MEASURED, Direction, NotComparable, NotRun, Profile
from harness.suite import Scale, Standing
from suites.sparsity import SUITE
from suites.sparsity.cells import TOP
from suites.sparsity.experiments import FIRST, FRESH
from suites.sparsity.plan import PAPER, PLANS

SMALL = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL))}
FULL = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL, full=True))}


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


def test_top_k_is_trained_like_the_dense_model_without_retuning() -> None:
    methods = FULL["images"].methods
    dense = vars(methods["dense"])
    for name in (TOP, "top-1", "random-cut"):
        assert [key for key, value in vars(methods[name]).items() if value != dense[key]] == ["activation"]


def test_tasks_of_images_differ_from_the_natural_one_in_one_thing() -> None:
    tasks: dict[str, Any] = {**SMALL["images"].tasks, **SMALL["sizes"].tasks}
    real = tasks.pop("real")
    for name, task in tasks.items():
        # Whether a curve is drawn changes no training.
        changed = [key for key in vars(real) if getattr(task, key) != getattr(real, key) and key != "curve"]
        assert len(changed) == (2 if name == "mlp-fresh" else 1), name


def test_nothing_is_trained_twice_under_one_name_and_another() -> None:
    for scale in (Scale(profile=Profile.SMALL), Scale(profile=Profile.SMALL, full=True)):
        seen: dict[str, str] = {}
        for experiment in SUITE.experiments(scale):
            if experiment.timed:
                continue
            for task, method in experiment.only or ():
                # The control on test text needs its training to itself: a trial has one task.
                key = repr((experiment.tasks[task], experiment.methods[method])).replace(
                    "curve=True", "curve=False"
                )
                assert key not in seen, (experiment.id, task, method, seen[key])
                seen[key] = f"{experiment.id}/{task}/{method}"


def test_what_no_claim_of_the_short_run_reads_belongs_to_full() -> None:
    assert set(FULL) - set(SMALL) == {"noise", "rates"}
    assert set(FULL["text"].tasks) - set(SMALL["text"].tasks) == {"next"}
    assert {TOP, "top-1", "random-cut"} <= set(FULL["images"].methods) - set(SMALL["images"].methods)


def test_sizes_include_the_common_one_and_grow() -> None:
    for plan in PLANS.values():
        assert plan.depths[-1] >= 6
        assert list(plan.depths) == sorted(plan.depths)
        assert plan.layers in plan.depths
        assert plan.d_ff in plan.widths
    assert PAPER.keep * 24 == PAPER.d_ff


def test_what_trains_longer_since_the_first_run_is_on_seeds_that_it_did_not_use() -> None:
    assert FIRST.seed == 100
    for name in ("images", "sizes", "text"):
        assert min(SMALL[name].seeds) >= FRESH.seed == 300, name


def test_label_noise_belongs_to_full() -> None:
    full = FULL["noise"]
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
