from __future__ import annotations

from dataclasses import replace

import pytest

from harness.claims import Claim, Profile
from harness.claims.forms import Direction
from harness.claims.quantity import Contrast, difference, log
from harness.method import mean_of
from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from reports import html, markdown
from reports.build import build
from reports.document import Document, Row
from reports.numbers import Ledger
from reports.sections.verdicts import verdict_table
from reports.units import unit_of
from tests.reports import demo


def rows(view: MemoryRun, verdicts: VerdictsRecord, reported: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """What the column of the paper's numbers says, by claim, if claims had other numbers."""
    claims = tuple(replace(claim, reported=reported.get(claim.id, ())) for claim in demo.SUITE.claims)
    ledger = Ledger(replace(demo.SUITE, claims=claims), demo.SCALE, view, verdicts)
    return {name(row): markdown.spans(row.cells[2]) for row in verdict_table(ledger).rows}


def name(row: Row) -> str:
    return markdown.spans(row.cells[0])


def test_what_all_parts_share_is_said_once_for_the_whole(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    told = rows(view, verdicts, {"C1a": ("acc-new", "gain"), "C1b": ("acc-new", "gain")})
    assert told["C1"] == "0.81; 11 points‡"
    assert told["C1a"] == told["C1b"] == ""


def test_what_a_part_has_of_its_own_stands_by_it(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    told = rows(view, verdicts, {"C1a": ("acc-new",), "C1b": ("acc-new", "gain")})
    assert (told["C1"], told["C1a"], told["C1b"]) == ("", "0.81", "0.81; 11 points‡")


def test_words_of_the_paper_stand_with_the_evidence_only(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    told = rows(view, verdicts, {"C2": ("words",), "C4": ("words", "acc-old")})
    assert (told["C2"], told["C3"], told["C4"]) == ("in words", "none stated", "0.7†")
    assert told["C1"] == "none stated"
    assert told["C1a"] == told["C1b"] == ""


def test_a_scope_that_many_verdicts_share_is_said_once(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    def notes(record: VerdictsRecord) -> str:
        ledger = Ledger(demo.SUITE, demo.SCALE, view, record)
        return " ".join(markdown.spans(note) for note in verdict_table(ledger).notes)

    assert f"Scope of every verdict: {demo.SCOPE}." in notes(verdicts)
    given = [
        one.model_copy(update={"scope": "for one model"}) if one.claim in ("C1b", "C4") else one
        for one in verdicts.verdicts
    ]
    told = notes(verdicts.model_copy(update={"verdicts": given}))
    assert f"Scope of a verdict: {demo.SCOPE}. But of C1b, C4: for one model." in told


def test_a_page_shows_the_unit_of_what_a_claim_measures(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    share = mean_of("correct", name="accuracy", better="higher", unit="%")
    theta = difference(*(replace(demo.cell(method), metric=share) for method in ("new", "old")))
    form = Direction(theta=theta, delta=0.02, delta_reason="r")
    claim: Claim = replace(demo.SUITE.claims[0], forms={Profile.SMALL: form})
    suite = replace(demo.SUITE, claims=(claim, *demo.SUITE.claims[1:]))
    document = build(suite, demo.SCALE, view, verdicts)
    assert '0.115</data><span class="unit"> points</span> <span class="ci">[0.062, 0.168]' in html.render(
        document
    )
    (effect,) = [number for number in document.numbers() if number.handle.name == "C1a/test 1/effect"]
    assert effect.unit == ""


SECONDS = mean_of("seconds", better="lower", unit="s")
A, B = (replace(demo.cell(method), metric=SECONDS) for method in "ab")


@pytest.mark.parametrize(
    ("theta", "label", "unit"),
    [
        (difference(demo.cell("new"), demo.cell("old")), "accuracy: new − old", ""),
        (difference(*(replace(demo.cell(m), metric=SECONDS) for m in "ab")), "seconds: a − b, on toys", "s"),
        (difference(*(replace(demo.cell(m), metric=SECONDS) for m in "ab")), "slope of seconds", ""),
        (
            difference(demo.cell("a"), replace(demo.cell("b"), metric=SECONDS)),
            "accuracy of a − seconds of b",
            "",
        ),
        (log(replace(demo.cell("a"), metric=SECONDS)), "seconds: log a", ""),
    ],
)
def test_a_quantity_has_the_unit_that_its_metrics_share(theta: Contrast, label: str, unit: str) -> None:
    assert unit_of(Direction(theta=theta, delta=1.0, delta_reason="r"), label) == unit


def test_without_a_rule_there_is_no_unit() -> None:
    assert unit_of(None, "accuracy: new − old") == ""


def test_a_page_begins_with_the_figure_of_a_primary_claim(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    def first(primary: bool, declared: str = "") -> str:  # noqa: FBT001 - a case of the table below
        claims = (replace(demo.SUITE.claims[0], primary=primary), *demo.SUITE.claims[1:])
        figures = tuple(replace(one, headline=one.id == declared) for one in demo.SUITE.figures)
        document: Document = build(
            replace(demo.SUITE, claims=claims, figures=figures), demo.SCALE, view, verdicts
        )
        (found,) = [figure.id for figure in document.figures() if figure.headline]
        page = html.render(document)
        assert page.count(f'id="figure-{found}"') == 1
        assert page.index(f'id="figure-{found}"') < page.index('id="tables"')
        assert f'href="#figure-{found}">One figure</a> stands at the top' in page
        return found

    names = [figure.id for figure in demo.SUITE.figures]
    assert first(primary=True) == names[0]
    assert first(primary=False, declared=names[1]) == names[1]
    assert first(primary=True, declared=names[1]) == names[1]


def test_a_report_without_figures_begins_with_its_sentences(
    view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    page = html.render(build(replace(demo.SUITE, figures=()), demo.SCALE, view, verdicts))
    assert page.index("What held:") < page.index('id="tables"')
    assert 'class="plot"' not in page
