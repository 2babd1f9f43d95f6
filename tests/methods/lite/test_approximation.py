"""Functions of S beyond MaxSim, and the rank bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.lite.approximation import R_SQUARED, TARGETS, FitTarget, Regress, by_loops
from methods.lite.tables import FitEmbeddings, FitScorer, IdentityTable, best_error
from tests.methods.context import FakeContext

CTX = FakeContext()


@given(seed=st.integers(0, 1000), l1=st.integers(2, 4), more=st.integers(0, 4))
@settings(max_examples=30)
def test_targets_agree_with_loops(seed: int, l1: int, more: int) -> None:
    s = 2 * torch.rand(5, l1, l1 + more, generator=torch.Generator().manual_seed(seed)).double() - 1
    for name, function in TARGETS.items():
        expected = [by_loops(name, matrix) for matrix in s.tolist()]
        assert np.allclose(function(s).numpy(), expected), name


def test_r_squared_of_known_fits() -> None:
    gold = np.array([1.0, 2.0, 3.0])
    assert R_SQUARED({"gold": gold, "estimate": gold}) == 1
    assert R_SQUARED({"gold": gold, "estimate": np.full(3, 2.0)}) == 0


def test_lite_fits_what_maxsim_cannot_from_two_vectors_a_side() -> None:
    task = FitTarget("phrase", l1=2, l2=2, test=1000)
    lite = task.evaluate(Regress(out_norm=False, steps=200).run(task.problem(CTX), CTX), CTX)
    maxsim = task.evaluate(Regress(scorer="maxsim", steps=150).run(task.problem(CTX), CTX), CTX)
    assert R_SQUARED(lite.parts["main"]) > 0.9
    assert lite.parts["witness"]["witness"] == lite.parts["witness"]["confirmed"] == [True]
    assert R_SQUARED(maxsim.parts["main"]) < 0.6
    assert maxsim.parts["witness"]["witness"] == maxsim.parts["witness"]["confirmed"] == [False]


def test_output_norms_leave_only_signs_on_an_axis_of_two() -> None:
    """The card's pitfall 2 at its worst."""
    task = FitTarget("all-match", l1=2, l2=2, test=1000)
    result = task.evaluate(Regress(steps=100).run(task.problem(CTX), CTX), CTX)
    assert R_SQUARED(result.parts["main"]) < 0.5


def test_the_rank_bound_of_the_golden_case() -> None:
    assert best_error(np.eye(8), 4) == pytest.approx(4 / 64)
    task = IdentityTable()
    rows = task.evaluate(FitEmbeddings(starts=2, steps=50).run(task.problem(CTX), CTX), CTX).parts
    assert rows["main"]["error"][-1] == pytest.approx(1 / 16)
    assert max(rows["bound"]["error"]) < 1e-9
    assert not any(rows["bound"]["confirmed"])


def test_more_dimensions_are_caught_as_a_counterexample() -> None:
    task = IdentityTable()
    rows = task.evaluate(np.eye(8)[None], CTX).parts
    assert rows["bound"]["error"][-1] == pytest.approx(1 / 16)
    assert rows["bound"]["confirmed"][-1]


def test_a_scorer_of_two_tokens_is_not_bound_by_rank() -> None:
    task = IdentityTable()
    method = FitScorer(scorer="lite-flat", starts=1, steps=150)
    rows = task.evaluate(method.run(task.problem(CTX), CTX), CTX).parts
    assert rows["main"]["error"][0] < 1 / 32
    assert rows["witness"]["witness"] == rows["witness"]["confirmed"] == [True]
    sums = FitScorer(scorer="maxsim", starts=1, steps=50)
    rows = task.evaluate(sums.run(task.problem(CTX), CTX), CTX).parts
    assert rows["witness"]["witness"] == [False]
