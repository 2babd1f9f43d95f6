from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from harness.store.memory import MemoryRun
from harness.store.records import AssayRecord, Interval, VerdictsRecord
from reports import markdown
from reports.build import build
from reports.document import Link, Paragraph
from reports.numbers import Ledger
from reports.sections.sentences import sentences, share
from tests.reports import demo

Changes = dict[str, dict[str, Any]]


def told(view: MemoryRun, verdicts: VerdictsRecord, changes: Changes) -> list[str]:
    """The three sentences, without their mark-up, for verdicts changed by claim."""
    judged, wholes = (
        [one.model_copy(update=changes.get(one.claim, {})) for one in group]
        for group in (verdicts.verdicts, verdicts.wholes)
    )
    record = verdicts.model_copy(update={"verdicts": judged, "wholes": wholes})
    document = build(demo.SUITE, demo.SCALE, view, record)
    first = document.sections[0].blocks
    found = [block for block in first if isinstance(block, Paragraph) and block.kind == "text"]
    return [re.sub(r"[*\\]", "", markdown.block(block)) for block in found]


def statements(*claims: str) -> list[str]:
    declared = {claim.id: claim.statement for claim in demo.SUITE.claims}
    return [markdown.escape(declared[claim].removesuffix(".")).replace("\\", "") for claim in claims]


def test_they_say_what_held_what_did_not_and_what_is_open(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    held, fell, left = told(view, verdicts, {"C4": {"primary": False}})
    (c2,) = statements("C2")
    assert held == "What held: no claim."
    assert fell == f"What did not hold: 1 of the 4 claims, “{c2}” (C2)."
    assert left.startswith(
        "What is open: 2 of the 4 claims, “All of C1a, C1b” (C1: 1 of 2 parts held; C1b needs"
    )
    assert "C1b needs 12 seeds" in left
    assert left.partition("neither way: ")[2].startswith("1 of the 4 claims, “")


def test_primary_claims_are_said_in_words_and_others_by_name(
    view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    changes: Changes = {
        "C2": {"primary": True},
        "C3": {"verdict": "not reproduced"},
        "C4": {"verdict": "reproduced"},
    }
    held, fell, left = told(view, verdicts, changes)
    c2, c4 = statements("C2", "C4")
    assert held == f"What held: 1 of the 2 primary claims, “{c4}” (C4)."
    assert (
        fell
        == f"What did not hold: 1 of the 2 primary claims, “{c2}” (C2), and 1 of the 2 other claims (C3)."
    )
    assert left.startswith(
        "What is open: neither of the two primary claims, but 1 of the 2 other claims, “All"
    )


def assay(name: str) -> AssayRecord:
    return AssayRecord(name=name, passed=False, effect=Interval(value=-1), rule="interval above 0")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cause": "assay", "assays": [assay("room")]}, "failed the precondition 'room'"),
        ({"cause": "power", "needed_seeds": {"θ = 2δ": 9, "θ = 0": 1400}}, "needs 9 to 1,400 seeds"),
        ({"cause": "power", "needed_seeds": {"θ = 2δ": 1, "θ = 0": None}}, "needs 1 seed"),
        (
            {"cause": "power", "needed_seeds": {}, "no_seeds": "θ lies between"},
            "stays open with any number of",
        ),
        ({"cause": "power", "needed_seeds": {}}, "had too few seeds"),
        ({"cause": "power", "needed_seeds": {}, "replication": "blocks"}, "had too few blocks"),
        ({"cause": "multiplicity", "needed_seeds": {"θ = 0": 7}}, "needs 7 seeds after the correction"),
        ({"cause": "invalid"}, "was not validly measured"),
        ({"cause": "no witness"}, "found no witness"),
    ],
)
def test_an_open_claim_says_why(
    view: MemoryRun, verdicts: VerdictsRecord, change: dict[str, Any], why: str
) -> None:
    _, _, left = told(view, verdicts, {"C2": {"verdict": "inconclusive", **change}, "C4": {"primary": False}})
    (c2,) = statements("C2")
    assert f"{c2}” (C2: {why}" in left


def test_parts_that_are_open_alike_are_said_together(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    needs = {"verdict": "inconclusive", "cause": "power", "needed_seeds": {"θ = 2δ": 30, "θ = 0": 99}}
    changes: Changes = {"C1a": needs, "C1b": {"needed_seeds": {"θ = 0": 12}}, "C4": {"primary": False}}
    _, _, left = told(view, verdicts, changes)
    assert "(C1: 0 of 2 parts held; C1a and C1b need 12 to 99 seeds)" in left


def test_claims_that_were_not_run_are_told_apart(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    _, _, left = told(view, verdicts, {"C4": {"verdict": "inconclusive"}})
    assert "and 2 of the 3 other claims (C1; not run: C3)." in left


def test_each_claim_in_words_leads_to_its_evidence(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    document = build(demo.SUITE, demo.SCALE, view, verdicts)
    links = [
        span.target
        for block in document.sections[0].blocks
        if isinstance(block, Paragraph)
        for span in block.spans
        if isinstance(span, Link)
    ]
    assert {"#claim-C1", "#claim-C2", "#claim-C3", "#claim-C4"} <= set(links)


def test_of_many_claims_the_last_ones_are_named_only(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    def held(count: int) -> str:
        names = [f"X{at}" for at in range(count)]
        claims = tuple(replace(demo.SUITE.claims[-1], id=name) for name in names)
        shown = {"primary": False, "verdict": "reproduced"}
        judged = [verdicts.verdicts[-1].model_copy(update={"claim": name, **shown}) for name in names]
        record = verdicts.model_copy(update={"verdicts": judged, "wholes": []})
        suite = replace(demo.SUITE, claims=claims)
        return markdown.block(sentences(Ledger(suite, demo.SCALE, view, record))[0])

    assert held(1).count("“") == 1
    assert "the one claim, “" in held(1)
    assert "both claims, “" in held(2)
    assert held(2).startswith("**What held:** both claims, “")
    assert "” (X0) and “" in held(2).replace("\\", "")
    assert held(4).count("“") == 4
    assert held(7).count("“") == 3
    assert held(7).endswith(", X3, X4, X5, and X6.")


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (0, 1, "not the one claim"),
        (0, 2, "neither of the two claims"),
        (0, 3, "none of the 3 claims"),
        (1, 1, "the one claim"),
        (1, 3, "1 of the 3 claims"),
        (2, 2, "both claims"),
        (3, 3, "all 3 claims"),
    ],
)
def test_shares_are_grammatical(count: int, total: int, text: str) -> None:
    assert share(count, total, "claim") == text
