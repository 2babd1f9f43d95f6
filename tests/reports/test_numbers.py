from __future__ import annotations

import copy

import pytest

from harness.claims import Profile, difference
from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from harness.suite import Scale
from reports.build import build
from reports.current import HandleError
from reports.document import NotMeasured, Number, Text
from reports.numbers import Ledger
from tests.reports import demo


@pytest.fixture
def ledger(view: MemoryRun, verdicts: VerdictsRecord) -> Ledger:
    return Ledger(demo.SUITE, demo.SCALE, view, verdicts)


def changed(view: MemoryRun, **update: object) -> MemoryRun:
    return MemoryRun(view.record.model_copy(update=update), dict(view.trials), dict(view.tables))


def unjudged(verdicts: VerdictsRecord) -> VerdictsRecord:
    return verdicts.model_copy(update={"trials_sha256": ""})


def test_a_measured_number_names_its_trials(ledger: Ledger, view: MemoryRun) -> None:
    number = ledger.cell(demo.cell("new"))
    assert isinstance(number, Number)
    assert set(number.handle.trials) == {f"main/toy/new/{seed}" for seed in demo.SEEDS}
    means = [view.table(trial, "main")["correct"].mean() for trial in number.handle.trials]
    assert number.value == pytest.approx(sum(means) / len(means))
    assert number.low is not None
    assert number.high is not None
    assert number.low < number.value < number.high


def test_a_contrast_names_the_trials_of_both_methods(ledger: Ledger) -> None:
    number = ledger.cell(difference(demo.cell("new"), demo.cell("old")))
    assert isinstance(number, Number)
    assert len(number.handle.trials) == 2 * len(demo.SEEDS)


def test_a_blocked_experiment_gives_its_reason(ledger: Ledger) -> None:
    found = ledger.cell(demo.cell("new", "licensed"))
    assert isinstance(found, NotMeasured)
    assert "licence" in found.reason


def test_a_method_that_was_not_selected_says_so(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    planned = [trial for trial in view.record.planned if "/broken/" not in trial]
    run = changed(view, planned=planned, selection={"methods": ["new", "old"]})
    found = Ledger(demo.SUITE, demo.SCALE, run, verdicts).cell(demo.cell("broken"))
    assert found == NotMeasured("not selected in this run")


def test_a_failed_trial_is_declared_as_such(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    run = changed(view)
    run.trials["main/toy/old/100"] = run.trials["main/toy/old/100"].model_copy(update={"status": "timeout"})
    found = Ledger(demo.SUITE, demo.SCALE, run, unjudged(verdicts)).cell(demo.cell("old"))
    assert isinstance(found, NotMeasured)
    assert "timeout" in found.reason


def test_an_unfinished_trial_takes_its_number_with_it(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    run = changed(view)
    del run.trials["main/toy/broken/102"]
    found = Ledger(demo.SUITE, demo.SCALE, run, unjudged(verdicts)).cell(demo.cell("broken"))
    assert found == NotMeasured("1 of 5 trials have not finished")


def test_a_number_nobody_planned_fails_the_build(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    run = changed(view, planned=[])
    with pytest.raises(HandleError, match="nothing was planned"):
        build(demo.SUITE, demo.SCALE, run, verdicts)


def test_an_undeclared_experiment_fails_the_build(ledger: Ledger) -> None:
    with pytest.raises(HandleError, match="does not declare"):
        ledger.cell(demo.cell("new", "other"))


def test_an_unknown_reported_number_fails_the_build(ledger: Ledger) -> None:
    with pytest.raises(HandleError, match=r"paper\.toml"):
        ledger.reported("acc")


def test_a_reported_number_keeps_its_standing_and_its_decimals(ledger: Ledger) -> None:
    number = ledger.reported("acc-old")
    assert isinstance(number, Number)
    assert (number.standing, number.digits, number.handle.trials) == ("secondary", 1, ())
    assert ledger.reported("words") == Text("clearly better")


def test_stale_verdicts_are_refused(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    run = changed(view)
    rerun = run.trials["main/toy/new/100"].model_copy(update={"units_sha256": "e" * 64})
    run.trials["main/toy/new/100"] = rerun
    with pytest.raises(HandleError, match="stale"):
        build(demo.SUITE, demo.SCALE, run, verdicts)


def test_verdicts_of_another_run_are_refused(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    other = verdicts.model_copy(update={"run": "toy-small-2"})
    with pytest.raises(HandleError, match="toy-small-2"):
        build(demo.SUITE, demo.SCALE, view, other)


def test_verdicts_of_another_profile_are_refused(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    with pytest.raises(HandleError, match="gpu"):
        build(demo.SUITE, Scale(profile=Profile.GPU), view, verdicts)


def test_a_verdict_on_unfinished_trials_is_refused(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    run = changed(view)
    del run.trials["main/toy/old/101"]
    with pytest.raises(HandleError) as caught:
        build(demo.SUITE, demo.SCALE, run, unjudged(verdicts))
    assert "rests on main/toy/old/101, which has not finished" in caught.value.what
    assert "--resume toy-small-1" in caught.value.fix


def test_only_a_tested_winner_may_be_bold(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    clear = changed(view)
    clear.tables = copy.deepcopy(view.tables)
    for seed in demo.SEEDS:
        clear.tables[f"main/toy/new/{seed}", "main"]["correct"][:] = 1.0
    cells = [demo.cell("old"), demo.cell("new"), demo.cell("broken")]
    assert Ledger(demo.SUITE, demo.SCALE, clear, verdicts).winners(cells) == {1}
    # Two arms with the same rows: the larger value is not larger by any test.
    for seed in demo.SEEDS:
        clear.tables[f"main/toy/old/{seed}", "main"]["correct"][:] = 1.0
    again = changed(clear)
    again.tables = clear.tables
    assert Ledger(demo.SUITE, demo.SCALE, again, verdicts).winners(cells) == set()


def test_claims_over_unfinished_trials_are_shown_and_so_is_the_whole_of_them(
    view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    run = changed(view)
    del run.trials["main/toy/old/101"]
    unknown = {"verdict": "inconclusive", "cause": "invalid"}
    parts = [verdict.model_copy(update=unknown) for verdict in verdicts.verdicts]
    whole = verdicts.wholes[0].model_copy(update={"verdict": "inconclusive"})
    assert "main/toy/old/101" in whole.trials
    told = unjudged(verdicts).model_copy(update={"verdicts": parts, "wholes": [whole]})
    assert build(demo.SUITE, demo.SCALE, run, told).profile == "small (an unfinished run)"
