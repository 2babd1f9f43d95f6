"""Which claims gate, and which of them with few seeds."""

from __future__ import annotations

from dataclasses import replace

from harness.claims import Profile, Replication
from harness.declared.gating import few_note, few_planned, gating_forms, too_few
from harness.plan import Selection
from tests.harness.evidence.worlds import SMALL, claim, direction, experiment, gain, suite, timed_experiment

CLAIMS = [claim(direction()), claim(direction(theta=gain("c", "d")), "C2a", parent="C2"), claim(None, "C3")]


def test_named_claims_and_parts_of_named_ones_gate_and_else_all() -> None:
    def gating(*names: str) -> list[str]:
        declared = replace(suite(CLAIMS), gating=names)
        return [one.id for one, _ in gating_forms(declared, Profile.SMALL)]

    assert gating() == ["C1", "C2a"]
    assert gating("C1") == ["C1"]
    assert gating("C2", "C3") == ["C2a"]


def test_planned_seeds_are_counted_where_nothing_is_timed() -> None:
    five, twelve = experiment("abcd", range(100, 105)), experiment("abcd", range(100, 112))
    assert few_planned(suite(CLAIMS, [five]), SMALL, Selection()) == {"C1": 5, "C2a": 5}
    assert few_planned(suite(CLAIMS, [five]), SMALL, Selection(seeds=10)) == {}
    over_units = suite([claim(direction(replication=Replication.UNITS))], [five])
    assert few_planned(over_units, SMALL, Selection()) == {}
    assert few_planned(suite(CLAIMS, [twelve]), SMALL, Selection()) == {}
    assert few_planned(suite(CLAIMS, [timed_experiment("abcd")]), SMALL, Selection()) == {}


def test_a_claim_counts_with_the_fewest_seeds_of_its_quantities() -> None:
    assert too_few([("C1", 12), ("C1", 7), ("C1", 8), ("C2", 10)]) == {"C1": 7}


def test_the_note_groups_claims_by_their_seeds() -> None:
    assert few_note({}) == ""
    ending = "; ten or more see a fall of two standard deviations in four of five runs"
    assert few_note({"C1": 1}) == f"C1 gates with 1 seed{ending}"
    assert few_note({"C1": 8, "C2": 5, "C3": 8}) == f"C2 gates with 5 seeds; C1, C3 gate with 8 seeds{ending}"
    many = {f"C{i}": 5 for i in range(9)}
    assert few_note(many) == f"C0, C1, C2, C3, C4, C5 and 3 more gate with 5 seeds{ending}"
