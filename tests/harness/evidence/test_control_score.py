"""Cells as predicted, counted apart for exact and for measured claims."""

from __future__ import annotations

import dataclasses
from itertools import product

import pytest

from harness.evidence.control_score import ControlScore, OpenCell, Share, control_score
from harness.store.records import ControlRecord
from tests.reports import demo


def cell(claim: str, predicted: str, outcome: str) -> ControlRecord:
    fields = {"control": "no-rate", "claim": claim, "predicted": predicted, "outcome": outcome}
    return ControlRecord.model_validate(fields)


def score_of(verdict: str, *cells: ControlRecord) -> ControlScore:
    """The score where C1a, whose verdict is given, is the only claim that can be reproduced."""
    verdicts = demo.verdicts(demo.run())
    given = [
        one.model_copy(update={"verdict": verdict if one.claim == "C1a" else "inconclusive"})
        for one in verdicts.verdicts
    ]
    record = verdicts.model_copy(update={"verdicts": given, "controls": list(cells)})
    return control_score(demo.SUITE, demo.SCALE, record)


VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not comparable", "not run")
COUNTED = {
    ("kill", "kill"): 1,
    ("kill", "keep"): 0,
    ("kill", "undecided"): 0,
    ("keep", "kill"): 0,
    ("keep", "keep"): 1,
    ("keep", "undecided"): 0,
}
"""Cells as predicted, of one that counts."""


@pytest.mark.parametrize(("verdict", "cell_of"), list(product(VERDICTS, COUNTED)))
def test_only_an_undecided_cell_of_a_claim_that_is_not_shown_is_open(
    verdict: str, cell_of: tuple[str, str]
) -> None:
    score = score_of(verdict, cell("C1a", *cell_of))
    is_open = cell_of[1] == "undecided" and verdict != "reproduced"
    assert score.open == ((OpenCell("no-rate", "C1a"),) if is_open else ())
    counted = score.exact.total + score.measured.total
    right = score.exact.as_predicted + score.measured.as_predicted
    assert (right, counted) == ((0, 0) if is_open else (COUNTED[cell_of], 1))


def test_open_cells_are_left_out_of_their_share_alone() -> None:
    cells = [cell("C1a", "kill", "kill"), cell("C1b", "kill", "undecided"), cell("C2", "kill", "keep")]
    score = score_of("reproduced", *cells)
    assert score.open == (OpenCell("no-rate", "C1b"),)
    assert score.exact.total + score.measured.total == 2
    assert not score.reached
    assert score_of("reproduced", *cells[:2]).reached


def test_exact_and_measured_claims_are_counted_apart() -> None:
    verdicts = demo.verdicts(demo.run())
    cells = [cell("C1a", "kill", "kill"), cell("C1b", "kill", "keep"), cell("C3", "keep", "keep")]
    score = control_score(demo.SUITE, demo.SCALE, verdicts.model_copy(update={"controls": cells}))
    exact = {claim.id for claim in demo.SUITE.claims if not claim.forms[demo.SCALE.profile].statistical}
    kinds = [name in exact for name in ("C1a", "C1b", "C3")]
    assert (score.exact.total, score.measured.total) == (sum(kinds), 3 - sum(kinds))
    assert score.exact.as_predicted + score.measured.as_predicted == 2


@pytest.mark.parametrize(
    ("predicted", "outcome", "unbroken"),
    [
        ("kill", "kill", ()),
        ("kill", "undecided", ("C1a",)),
        ("keep", "keep", ("C1a",)),
        # Broken against the prediction is no proof that the control breaks only this.
        ("keep", "kill", ("C1a",)),
    ],
)
def test_a_reproduced_claim_needs_a_control_that_broke_it(
    predicted: str, outcome: str, unbroken: tuple[str, ...]
) -> None:
    verdicts = demo.verdicts(demo.run())
    assert [verdict.claim for verdict in verdicts.verdicts if verdict.verdict == "reproduced"] == ["C1a"]
    record = verdicts.model_copy(update={"controls": [cell("C1a", predicted, outcome)]})
    score = control_score(demo.SUITE, demo.SCALE, record)
    assert score.unbroken == unbroken
    assert score.reached is (unbroken == ())


def test_a_share_is_reached_from_what_is_asked_for() -> None:
    assert Share(9, 10, 0.9).reached
    assert not Share(8, 10, 0.9).reached
    assert not Share(10, 11, 1.0).reached
    assert Share(0, 0, 1.0).reached
    assert dataclasses.replace(Share(3, 4, 0.9), as_predicted=4).reached
