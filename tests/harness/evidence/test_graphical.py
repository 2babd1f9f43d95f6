"""Primary claims first: adjusted p-values against the closed procedure, and the error by simulation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special

from harness.claims.findings import ALPHA, Finding
from harness.evidence.family import correct, corrected_tests, holm
from harness.evidence.graphical import graph, weighted
from harness.store import records
from harness.store.records import Interval

ONE = Interval(value=1.0)
Graph = tuple[list[Fraction], list[list[Fraction]]]


def declared(primary: Sequence[bool]) -> Graph:
    """The graph as its page says it, by hand and in fractions."""
    size, half = len(primary), Fraction(1, 2)
    kinds = len(set(primary))
    weights = [Fraction(1, kinds * list(primary).count(kind)) for kind in primary]
    edges = [[Fraction(0)] * size for _ in range(size)]
    for i in range(size):
        own = [j for j in range(size) if j != i and primary[j] == primary[i]]
        others = [j for j in range(size) if primary[j] != primary[i]]
        kept = Fraction(0) if not own else Fraction(1) if not others else half
        for j in own:
            edges[i][j] = kept / len(own)
        for j in others:
            edges[i][j] = (1 - kept) / len(others)
    return weights, edges


def taken_away(found: Graph, j: int) -> Graph:
    """The graph without one node, by the update of Bretz et al. (2009), element by element."""
    weights, edges = found
    size = len(weights)
    left = [weights[k] + weights[j] * edges[j][k] if k != j else Fraction(0) for k in range(size)]
    new = [[Fraction(0)] * size for _ in range(size)]
    for a, b in itertools.product(range(size), repeat=2):
        if j in (a, b) or a == b or edges[a][j] * edges[j][a] == 1:
            continue
        new[a][b] = (edges[a][b] + edges[a][j] * edges[j][b]) / (1 - edges[a][j] * edges[j][a])
    return left, new


def closed(p_values: Sequence[float], primary: Sequence[bool]) -> list[float]:
    """Adjusted p-values by testing each intersection of hypotheses with its weighted Bonferroni test."""
    size = len(p_values)
    adjusted = [0.0] * size
    for kept in range(1, 2**size):
        inside = [i for i in range(size) if kept >> i & 1]
        found = declared(primary)
        for j in range(size):
            if j not in inside:
                found = taken_away(found, j)
        ratios = [p_values[i] / float(found[0][i]) if found[0][i] else np.inf for i in inside]
        together = min(1.0, *ratios)
        for i in inside:
            adjusted[i] = max(adjusted[i], together)
    return adjusted


SOME = st.integers(1, 5).flatmap(
    lambda size: st.tuples(
        st.lists(st.sampled_from([0.0, 0.001, 0.004, 0.01, 0.02, 0.3, 1.0]), min_size=size, max_size=size),
        st.lists(st.booleans(), min_size=size, max_size=size),
    )
)


@settings(max_examples=150, deadline=None)
@given(SOME)
def test_adjusted_p_values_are_those_of_the_closed_procedure(drawn: tuple[list[float], list[bool]]) -> None:
    p_values, primary = drawn
    assert weighted(p_values, primary) == pytest.approx(closed(p_values, primary), abs=1e-12)


@pytest.mark.parametrize("primary", [(True, False, False), (True, True, False, False, False), (False,)])
def test_the_graph_is_as_its_page_says(primary: tuple[bool, ...]) -> None:
    weights, edges = graph(np.array(primary))
    by_hand = declared(primary)
    assert weights.tolist() == pytest.approx([float(w) for w in by_hand[0]])
    assert edges.ravel().tolist() == pytest.approx([float(e) for row in by_hand[1] for e in row])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1) | st.none(), max_size=9), st.sampled_from([True, False]), st.integers(0, 12))
def test_one_kind_of_claims_is_holm(p_values: list[float | None], kind: object, size: int) -> None:
    sizes = (size, 0) if kind else (0, size)
    found = weighted(p_values, [bool(kind)] * len(p_values), declared=sizes)
    assert found == pytest.approx(holm(p_values, size))


def test_worked_by_hand() -> None:
    # A quarter of the level each. The first hands half of it to the other primary claim, which then has 3/8,
    # and a quarter to each secondary one. The second hands all to them: half of the level each.
    found = weighted([0.005, 0.009, 0.0120, 0.02], [True, True, False, False])
    assert found == pytest.approx([0.020, 0.024, 0.024, 0.024])
    assert weighted([0.005, 0.0095, 0.3, 0.4], [True, True, False, False])[1] == pytest.approx(0.0095 / 0.375)


def test_primary_claims_are_shown_by_more_than_holm_asks() -> None:
    p_values = [0.004, *[0.5] * 9]
    assert holm(p_values)[0] == pytest.approx(0.04)
    assert weighted(p_values, [True, True, *[False] * 8])[0] == pytest.approx(0.016)
    # And a headline that fails leaves the others half of the level.
    assert weighted([0.9, 0.001, 0.5], [True, False, False])[1] == pytest.approx(0.004)


def test_the_kinds_are_told_where_there_are_both() -> None:
    assert [item.primary for item in correct([Finding(), Finding(p_plus=0.1)], [True, False])] == [None, None]
    both = correct([Finding(p_plus=0.2), Finding(p_plus=0.1)], [True, False])
    assert [item.primary for item in both] == [True, False]
    finding = Finding(p_plus=0.01, tests=(records.TestRecord(label="θ", effect=ONE, test="t", p_plus=0.01),))
    (told,) = corrected_tests(finding, correct([finding, Finding(p_plus=0.9)], [True, False])[0])
    assert told.p_plus_adjusted == pytest.approx(0.02)


def test_a_restricted_run_is_corrected_for_all_that_is_declared() -> None:
    assert weighted([0.004], [True], declared=(3, 7)) == pytest.approx([0.024])
    assert weighted([0.0001], [False], declared=(3, 7)) == pytest.approx([0.0014])


def test_what_speaks_against_a_claim_knows_no_gates() -> None:
    findings = [Finding(p_plus=0.9, p_minus=0.2), Finding(p_plus=0.9, p_minus=0.001)]
    assert [item.minus for item in correct(findings, [True, False])] == holm([0.2, 0.001])


def share_of_errors(effects: Sequence[float], primary: Sequence[bool], correlation: float) -> float:
    """How often at least one claim without an effect is shown, in 4,000 families."""
    rng = np.random.default_rng([len(effects), int(100 * correlation)])
    shared = rng.standard_normal((4000, 1))
    own = rng.standard_normal((4000, len(effects)))
    z: NDArray[np.float64] = (
        np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own + np.array(effects)
    )
    p: NDArray[np.float64] = special.ndtr(-z)
    idle = [i for i, effect in enumerate(effects) if effect == 0]
    wrong = 0
    for row in p.tolist():
        found = weighted(row, primary)
        wrong += any((value := found[i]) is not None and value <= ALPHA for i in idle)
    return wrong / len(p)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize(
    "effects",
    [
        (0, 0, 0, 0, 0, 0, 0),
        (9, 9, 9, 0, 0, 0, 0),
        (9, 0, 0, 9, 9, 0, 0),
        (0, 0, 0, 9, 9, 9, 9),
        (9, 9, 0, 9, 9, 9, 0),
    ],
    ids=["nothing holds", "all primary", "some", "all secondary", "nearly all"],
)
def test_the_family_wise_error_is_kept(effects: tuple[float, ...], correlation: float) -> None:
    # Its standard error is .0025 at .025: three of them.
    assert share_of_errors(effects, [True] * 3 + [False] * 4, correlation) <= ALPHA + 0.0075


def test_the_level_is_used_up_where_primary_claims_hold() -> None:
    assert share_of_errors((9, 9, 9, 0, 0, 0, 0), [True] * 3 + [False] * 4, 0.0) >= 0.018
