"""What every form of claim must stand: declared, judged, reported, compared, planned, held to a baseline."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.claims import NotComparable, NotRun, alone, at
from harness.declared import check_suite, claims_hash
from harness.evidence import judge
from harness.evidence.compare import compare_runs
from harness.evidence.outlook import Planned, outlooks
from harness.evidence.regress import regress_run
from reports import html, latex, markdown
from reports.build import build
from tests.harness.evidence.form_cases import FormCase
from tests.harness.evidence.worlds import cell

_LONGEST_WORDS = re.compile(r"[A-Za-z ]+")


def declared(case: FormCase) -> None:
    """A suite may declare it; the hash knows its rule, and not the words around it."""
    assert check_suite(case.suite, case.scale) == []
    [claim] = case.suite.claims
    reworded = replace(claim, statement="In other words.", note="A note.")
    assert claims_hash(case.suite) == claims_hash(replace(case.suite, claims=(reworded,)))
    shown, none = NotComparable(alone(cell("a")), reason="A proxy."), NotRun("Nothing measures it.")
    other = replace(claim, forms=at(case.scale.profile, shown if isinstance(case.form, NotRun) else none))
    assert claims_hash(case.suite) != claims_hash(replace(case.suite, claims=(other,)))


def judged(case: FormCase) -> None:
    """Each run gives its verdict with a reason, and a sabotage does what was predicted."""
    for expected, run in case.runs.items():
        found = judge(case.suite, case.scale, run)
        [verdict] = found.verdicts
        assert (verdict.verdict, verdict.form) == (expected, type(case.form).__name__), verdict.reason
        assert verdict.reason.endswith(".")
        delta, reason = case.form.effect
        assert (verdict.delta, verdict.delta_reason) == (delta, reason)
        if expected == "reproduced":
            assert [control.outcome for control in found.controls] == ["kill"], found.controls


def reported(case: FormCase) -> None:
    """Its meaning, its verdict and its numbers are in every format."""
    for verdict, run in case.runs.items():
        document = build(case.suite, case.scale, run, judge(case.suite, case.scale, run))
        said = max(_LONGEST_WORDS.findall(case.form.meaning), key=len).strip()
        tex = latex.render(document) + latex.render_appendix(document)
        for text in (html.render(document), tex, markdown.render(document)):
            plain = " ".join(text.split())
            assert said in plain
            assert verdict in plain
            assert case.form.effect[0] is None or case.form.effect[1] in plain
        assert case.form.statistical <= ("p₊" in markdown.render(document))


def compared(case: FormCase) -> None:
    """Two equal runs are identical in all that it measures."""
    run = next(iter(case.runs.values()))
    found = compare_runs(case.suite, case.scale, run, run)
    assert {effect.label for effect in found.effects} >= {item.label for item in case.form.measured()}
    assert all(effect.identical for effect in found.effects)
    assert not found.skipped


def regressed(case: FormCase) -> None:
    """What is not reproduced, or an exact property that broke, is a regression; what is open is reported."""
    good = next(iter(case.runs.values()))
    before = judge(case.suite, case.scale, good)
    for verdict, run in case.runs.items():
        after = judge(case.suite, case.scale, run)
        found = regress_run(
            case.suite, case.scale, good, run, baseline_verdicts=before, verdicts=after, claims=("C1",)
        )
        told = [item.outcome for item in found.items if item.kind == "verdict"]
        outcomes = {item.outcome for item in found.items}
        expected = next((one for one in ("regressed", "improved") if one in outcomes), "same")
        assert found.outcome == (expected if case.form.decides else "nothing comparable"), found.items
        if case.form.decides:
            broken = after.verdicts[0].cause == "invalid" and not case.form.statistical
            open_now = "regressed" if broken else "reported"
            of = {"reproduced": "same", "not reproduced": "regressed", "inconclusive": open_now}
            assert told == [of[verdict]], told
        if case.form.statistical:
            assert [item for item in found.items if item.kind == "quantity"]


def planned(case: FormCase) -> None:
    """A plan says what it detects, or in a word why there is nothing to detect."""
    experiments = {item.id: item for item in case.suite.experiments(case.scale)}
    for run in case.runs.values():
        [found] = outlooks(
            case.suite, case.scale, case.suite.claims, Planned(experiments, {}), {"run": run}, floors={}
        )
        told = found.outlook
        if case.form.statistical:
            assert found.source == "run"
            assert told.matters
            assert set(told.needed) == set(case.form.supposed)  # type: ignore[attr-defined]
            assert (told.detectable is None) == told.shown.startswith(("too few", "not even"))
        else:
            assert (told.shown, told.detectable) == (case.form.untested, None)


BATTERY = (declared, judged, reported, compared, regressed, planned)
