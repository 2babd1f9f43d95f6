"""Declarations that contradict themselves, and the hash of those that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.claims import (
    Claim,
    Contrast,
    Control,
    Existence,
    NotComparable,
    Precondition,
    Profile,
    Replication,
    Time,
    Trend,
    Value,
)
from harness.declared import check_suite, claims_hash
from harness.method import mean_of
from harness.suite import (
    Experiment,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Scale,
    Series,
    Suite,
    TableRow,
    Tuned,
)
from tests.harness.evidence.worlds import (
    SCORE,
    SMALL,
    Idle,
    Nothing,
    cell,
    claim,
    direction,
    experiment,
    gain,
    suite,
    timed_experiment,
)

SEEDS = range(100, 105)
READS = Precondition("headroom", Contrast(((1.0, cell("a")),)), above=0.1, reason="a is not at the floor")
PRECONDITION_ALONE = direction(theta=gain("b", "bad"), preconditions=(READS,))
KILL = Control(id="K1", title="broken", replaces={"a": "bad"}, predicts={"C1": "kill"})


def sound() -> Suite:
    return suite([claim(direction())], [experiment(["a", "b", "bad"], SEEDS)], [KILL])


def with_claim(changed: Claim) -> Suite:
    return replace(sound(), claims=(changed,))


def with_experiment(**more: object) -> Suite:
    values = {"methods": ["a", "b", "bad"], "seeds": SEEDS, **more}
    return replace(sound(), experiments=lambda _: [experiment(**values)])  # type: ignore[arg-type]


def with_control(**more: object) -> Suite:
    return replace(sound(), controls=(replace(KILL, **more),))  # type: ignore[arg-type]


def with_table(**entries: object) -> Suite:
    row = TableRow(label="row", entries=entries)  # type: ignore[arg-type]
    table = PaperTable(id="T1", title="", columns={"x": "X"}, rows=[row])
    return replace(sound(), tables=(table,))


def trend(*xs: float) -> Trend:
    return Trend(
        points=tuple((x, Contrast(((1.0, cell("a")),))) for x in xs),
        delta=0.1, delta_reason="r", step_margin=0.1, replication=Replication.SEEDS,
    )  # fmt: skip


def timed(*, marked: bool) -> Suite:
    seconds = mean_of("seconds", better="lower")
    form = Time(slow=cell("b", seconds), fast=cell("a", seconds), delta=0.1, delta_reason="r")
    one = timed_experiment(["a", "b", "bad"])
    ran = one if marked else replace(one, timed=None)
    return suite([claim(form)], [ran], [KILL])


def test_a_sound_suite_has_no_problem() -> None:
    assert check_suite(sound(), SMALL) == []
    assert check_suite(timed(marked=True), SMALL) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(sound(), claims=(claim(direction()),) * 2), "claim id 'C1'"),
        (lambda: with_claim(claim(direction(theta=gain("a", "nobody")))), "no method 'nobody'"),
        (lambda: with_claim(claim(direction(theta=gain(task="other")))), "no task 'other'"),
        (lambda: with_experiment(name="f"), "Experiment 'e' does not exist"),
        (lambda: with_experiment(tasks={"t": Nothing(), "t2": Nothing()}), "names none of its tasks"),
        (lambda: with_experiment(only=frozenset({("t", "a"), ("t", "bad")})), "does not run b on t"),
        (lambda: with_experiment(seeds=range(95, 105)), "pilot seeds"),
        (lambda: with_experiment(seeds=range(100, 103)), "3 seeds of at least 5"),
        (lambda: with_experiment(methods=["a", "b", "bad", "x/y"]), "'x/y'"),
        (lambda: with_claim(claim(direction(delta=0.0))), "must be positive"),
        (lambda: with_claim(claim(direction(delta_reason=" "))), "no reason"),
        (lambda: with_claim(claim(direction(noise_floor=0.06))), "noise floor"),
        (lambda: with_claim(claim(direction(), reported=("r",))), "Nothing is reported as 'r'"),
        (lambda: with_claim(claim(direction(), relies_on=("C9",))), "'C9', which is not a claim"),
        (lambda: with_claim(claim(trend(1.0, 2.0))), "three increasing sizes"),
        (lambda: with_claim(claim(trend(1.0, 3.0, 2.0))), "three increasing sizes"),
        (lambda: with_claim(claim(_value())), "Only the paper profile"),
        (lambda: with_control(predicts={"C1": "keep"}), "kill no claim"),
        (lambda: with_control(predicts={"C1": "keep"}), "No control is predicted to kill it"),
        (lambda: with_control(predicts={"C1": "kill", "C7": "keep"}), "'C7', which is not a claim"),
        (lambda: with_control(replaces={"z": "bad"}), "replaces nothing"),
        (lambda: with_claim(claim(PRECONDITION_ALONE)), "replaces nothing"),
        (lambda: with_control(replaces={"a": "gone"}), "no method 'gone'"),
        (lambda: with_table(x=cell("nobody")), "no method 'nobody'"),
        (lambda: with_table(y=cell("a")), "no column 'y'"),
        (lambda: with_table(x=ReportedRef(id="r")), "Nothing is reported as 'r'"),
        (lambda: timed(marked=False), "0 blocks of at least 8"),
    ],
)  # fmt: skip
def test_each_contradiction_is_named(make: Callable[[], Suite], message: str) -> None:
    found = check_suite(make(), SMALL)
    assert any(message in str(error) for error in found), [str(error) for error in found]
    assert all(error.where.startswith("toy, ") for error in found)


def _value() -> Value:
    return Value(theta=gain(), reported="r", margin=0.1, margin_reason="r", replication=Replication.SEEDS)


def test_relying_on_what_nothing_decides_is_told() -> None:
    """Assert that no verdict is lost for good to a claim that is only shown."""
    shown = claim(NotComparable(gain(), reason="A proxy."), "C2")
    relying = replace(sound(), claims=(claim(direction(), relies_on=("C2",)), shown))
    (found,) = check_suite(relying, SMALL)
    assert "relies on 'C2', which nothing decides" in str(found)
    decided = claim(Existence(cell("a"), oracle="a check"), "C2")
    assert not any(
        "nothing decides" in str(error)
        for error in check_suite(replace(relying, claims=(relying.claims[0], decided)), SMALL)
    )


def test_tuning_on_verdict_seeds_is_refused() -> None:
    tuned = Tuned(method=Idle(), grid={"x": (1, 2)}, select=SCORE, seeds=(100,))
    ran = replace(experiment(["a", "b", "bad"], SEEDS), methods={"a": tuned, "b": Idle(), "bad": Idle()})
    found = check_suite(replace(sound(), experiments=lambda _: [ran]), SMALL)
    assert any("tuned on verdict seeds" in str(error) for error in found)


def test_figures_are_checked() -> None:
    line = Series(label="s", points=((1.0, cell("nobody")),), reported=((1.0, ReportedRef(id="r")),))
    figure = PaperFigure(id="F1", title="", x="x", y="y", series=[line])
    found = [str(error) for error in check_suite(replace(sound(), figures=(figure,)), SMALL)]
    assert len(found) == 2


def test_smoke_needs_no_seeds_and_no_controls() -> None:
    declared = suite([claim(direction(), profile=Profile.SMOKE)], [experiment(["a", "b"], [100])])
    assert check_suite(declared, Scale(profile=Profile.SMOKE)) == []


def test_hash_ignores_words_and_notes_every_rule() -> None:
    plain = claims_hash(sound())
    reworded = with_claim(replace(claim(direction(delta_reason="other words")), statement="Other", note="n"))
    assert claims_hash(reworded) == plain
    changes = [
        with_claim(claim(direction(delta=0.2))),
        with_claim(claim(direction(min_seeds=3))),
        with_claim(claim(direction(theta=gain("b", "a")))),
        with_claim(claim(direction(replication=Replication.CROSSED))),
        with_claim(claim(direction(), essential=False)),
        with_control(predicts={"C1": "keep"}),
        replace(sound(), claims=()),
    ]
    hashes = {claims_hash(changed) for changed in changes}
    assert len(hashes) == len(changes)
    assert plain not in hashes


def test_planning_imports_no_statistics() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from harness.declared import claims_hash, check_suite; "
        "print([m for m in ('scipy', 'pandas', 'statsmodels', 'torch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_claim_that_only_the_wider_scale_measures_is_no_contradiction() -> None:
    def experiments(scale: Scale) -> list[Experiment]:
        return [experiment(["a", "b", "bad"] if scale.full else ["a", "bad"], SEEDS)]

    declared = replace(sound(), experiments=experiments)
    for full in (False, True):
        assert check_suite(declared, replace(SMALL, full=full)) == []
    assert "no method 'b'" in str(check_suite(with_experiment(methods=["a", "bad"]), SMALL)[0])
    shown = replace(declared, tables=with_table(x=cell("b")).tables)
    assert check_suite(shown, SMALL) == []  # Without --full the table is shown without it.
    assert check_suite(shown, replace(SMALL, full=True)) == []
