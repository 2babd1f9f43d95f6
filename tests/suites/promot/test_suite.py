"""The declaration of the suite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.claims import Claim, Direction, NotComparable, NotRun, Profile, Share
from harness.plan.selection import cells_of
from harness.suite import Experiment, Scale, Standing, Tuned
from harness.suite.experiment import FIRST_SEED
from methods.promot.metrics import NORM_AVG
from methods.promot.text_task import TextWorld
from suites.promot import SUITE, arms, texts

CLAIMS: dict[str, Claim] = {claim.id: claim for claim in SUITE.claims}
HELD_OUT = ("cb", "wic", "triviaqa", "webq", "en-de", "en-ro", "xsum", "wikilingua")


def experiments(profile: Profile) -> dict[str, Experiment]:
    return {item.id: item for item in SUITE.experiments(Scale(profile=profile))}


def test_all_claims_of_the_paper_are_there() -> None:
    assert {claim.parent or claim.id for claim in SUITE.claims} == {
        *(f"C{number}" for number in range(1, 18)),
        "E1",
    }


@pytest.mark.parametrize("profile", [Profile.SMALL, Profile.GPU, Profile.PAPER])
def test_every_judged_claim_can_be_killed(profile: Profile) -> None:
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    judged = {
        claim.id
        for claim in SUITE.claims
        if not isinstance(claim.forms.get(profile), NotComparable | NotRun | None)
    }
    assert judged <= killed


def test_what_needs_natural_language_is_never_counted_for_the_formal_language() -> None:
    for name in ("C7", "C8", "C9", "C13"):
        assert isinstance(CLAIMS[name].forms[Profile.SMALL], NotComparable)
        assert not isinstance(CLAIMS[name].forms[Profile.PAPER], NotComparable | NotRun)


def test_what_the_formal_language_decides_is_shown_and_never_counted() -> None:
    for name in ("C3a", "C5b", "C6b", "C17"):
        assert isinstance(CLAIMS[name].forms[Profile.SMALL], NotComparable)
        assert isinstance(CLAIMS[name].forms[Profile.PAPER], Direction)
    assert all(isinstance(form, NotComparable) for form in CLAIMS["C16"].forms.values())


def test_no_control_is_a_method_that_the_claim_itself_compares() -> None:
    for control in SUITE.controls:
        for name in control.predicts:
            for form in CLAIMS[name].forms.values():
                cells = {cell.method for cell in cells_of(form)}
                replaced = cells & set(control.replaces)
                assert not {control.replaces[method] for method in replaced} & cells, (control.id, name)


@pytest.mark.parametrize("name", ["C5a", "C6a"])
def test_retention_is_compared_at_a_target_score_that_both_reach(name: str) -> None:
    form = CLAIMS[name].forms[Profile.SMALL]
    assert isinstance(form, Share)
    assert form.ratio == 0.5
    assert form.a.metric == form.b.metric == form.d.metric != form.c.metric
    assert {condition.name.split()[0] for condition in form.preconditions} == {"fine-tuning", "promot"}


def test_every_tuned_method_gets_the_same_budget() -> None:
    for item in experiments(Profile.SMALL).values():
        tuned = [method for method in item.methods.values() if isinstance(method, Tuned)]
        assert len({len(next(iter(method.grid.values()))) for method in tuned}) <= 1
        assert len({method.seeds for method in tuned}) <= 1
        assert all(max(method.seeds) < FIRST_SEED and method.part == "validation" for method in tuned)


def test_both_stages_are_as_long_as_their_single_counterparts() -> None:
    for size in arms.SIZES.values():
        core = {name: m.method if isinstance(m, Tuned) else m for name, m in arms.core(size).items()}
        promot, tuned, prompt = (core[name] for name in ("promot", "fine-tuning", "prompt-tuning"))
        assert promot.steps == tuned.steps  # type: ignore[attr-defined]
        assert promot.prompt_steps == prompt.prompt_steps  # type: ignore[attr-defined]


def test_gpu_is_planned_for_minutes() -> None:
    trials = sum(
        len(item.seeds) * len(item.methods)
        + sum(len(next(iter(m.grid.values()))) for m in item.methods.values() if isinstance(m, Tuned))
        for item in experiments(Profile.GPU).values()
    )
    assert trials <= 85


def test_variants_are_compared_at_a_target_score_that_they_reach() -> None:
    for name, level in (("C10", 90), ("C11", 75), ("C12", 75)):
        form = CLAIMS[name].forms[Profile.SMALL]
        assert isinstance(form, Direction)
        names = {cell.metric.name for _, cell in form.theta.terms}
        assert names == {f"Norm. Avg. at target score {level}"}
        assert [condition.above for condition in form.preconditions] == [level - 3, level - 3]


def test_at_least_eight_tasks_are_held_out_and_none_is_a_target() -> None:
    for world in (*texts.worlds(Profile.GPU), *texts.worlds(Profile.PAPER), texts.both()):
        assert len(world.held_out) >= 8
        assert not set(world.targets) & set(world.held_out)


def test_the_papers_settings_are_the_defaults() -> None:
    core = arms.core(arms.SIZES[Profile.PAPER])
    promot = core["promot"]
    assert (promot.length, promot.prompt_rate, promot.prompt_steps) == (100, 0.2, 5000)  # type: ignore[union-attr]
    assert (promot.rate, promot.steps, promot.batch) == (0.001, 1000, 64)  # type: ignore[union-attr]
    assert (promot.smoothing, promot.optimizer) == (0.1, "adafactor")  # type: ignore[union-attr]


def test_norm_avg_of_the_reported_cells() -> None:
    for method, printed in (("pretrained", 17.52), ("ft", 15.43), ("promot", 20.10)):
        cells = [SUITE.paper.reported[f"rte-{task}-{method}"].value for task in HELD_OUT]
        table = {"task": list(HELD_OUT), "score": cells, "counts": [""] * 8}
        assert NORM_AVG(table) == pytest.approx(printed, abs=0.0051)
        assert SUITE.paper.reported[f"rte-avg1-{method}"].value == printed


def test_numbers_that_the_paper_does_not_print_are_marked() -> None:
    reported = SUITE.paper.reported
    assert reported["cosine-mlp-0"].standing is Standing.SECONDARY
    assert reported["ablation-avg1-joint"].standing is Standing.SECONDARY
    assert reported["rte-avg1-promot"].standing is Standing.VERIFIED


def test_every_held_out_task_under_gpu_has_a_task_file() -> None:
    asked: tuple[TextWorld, ...] = texts.worlds(Profile.GPU)
    folder = Path(SUITE.folder).parents[1] / asked[0].tasks
    known = {path.read_text(encoding="utf-8").split()[1] for path in folder.glob("*.yaml")}
    for world in asked:
        assert set(world.task_files()) <= known


def test_declaring_imports_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "scipy", "pandas"]
    code = f"import sys, suites.promot; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_negative_controls_train_as_long_as_what_they_replace() -> None:
    for profile in (Profile.SMALL, Profile.GPU, Profile.PAPER):
        for item in experiments(profile).values():
            plain = {name: m.method if isinstance(m, Tuned) else m for name, m in item.methods.items()}
            for control in SUITE.controls:
                for old, new in control.replaces.items():
                    if {old, new} <= set(plain):
                        left, right = plain[old], plain[new]
                        assert left.steps == right.steps  # type: ignore[attr-defined]
                        assert left.batch == right.batch  # type: ignore[attr-defined]


@pytest.mark.parametrize("profile", [Profile.SMALL, Profile.GPU, Profile.PAPER])
def test_no_quantity_is_judged_twice(profile: Profile) -> None:
    decided = [forms[profile] for forms in (claim.forms for claim in SUITE.claims) if profile in forms]
    thetas = [repr(item.theta) for form in decided if form.decides for item in form.measured()]
    assert len(set(thetas)) == len(thetas)
