"""Annotation methods on generated raters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.method import ProblemError
from methods.ibws.method import BestWorst, DirectAssessment, Easl, IteratedBestWorst, RandomRanking
from methods.ibws.problems import Annotation, AnnotationProblem
from methods.ibws.sabotage import (
    BlindLaterRounds,
    RandomBestWorst,
    SwappedIteratedBestWorst,
    UninformedBestWorst,
    UninformedSlider,
)
from methods.ibws.tasks import AnnotationTask, Items
from tests.methods.ibws.conftest import FakeContext

TASK = AnnotationTask(items=Items(count=60))


def _rho(found: Annotation, ctx: FakeContext) -> float:
    return float(spearmanr(found.estimate, TASK.items.draw(ctx).gold).statistic)


GOOD = {
    "slider": DirectAssessment(),
    "five": DirectAssessment(points=5),
    "normalised": DirectAssessment(normalise=True),
    "screens": DirectAssessment(per_screen=5),
    "easl": Easl(),
    "ibws": IteratedBestWorst(appearances=4),
    "ibws-bt": IteratedBestWorst(appearances=4, final="bt_all"),
    "ibws-sign": IteratedBestWorst(appearances=4, split="sign"),
    **{
        scorer: BestWorst(scorer=scorer)
        for scorer in (
            "counting", "abw", "bradley_terry", "plackett_luce", "maxdiff", "elo", "value", "rescorla_wagner"
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_methods_rank_and_keep_account(name: str) -> None:
    ctx = FakeContext()
    found = GOOD[name].run(TASK.problem(ctx), ctx)
    assert _rho(found, ctx) > 0.75
    assert found.ledger.reads.min() >= 1


BAD = {
    "slider": UninformedSlider(),
    "bws": UninformedBestWorst(),
    "random": RandomBestWorst(),
    "nobody": RandomRanking(),
}


@pytest.mark.parametrize("name", BAD)
def test_sabotages_lose_the_ranking(name: str) -> None:
    rhos = [
        _rho(BAD[name].run(TASK.problem(c), c), c) for c in (FakeContext(seed=s) for s in range(100, 110))
    ]
    assert abs(np.mean(rhos)) < 0.15


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (DirectAssessment(), UninformedSlider()),
        (BestWorst(), UninformedBestWorst()),
        (BestWorst(), RandomBestWorst()),
        (IteratedBestWorst(), SwappedIteratedBestWorst()),
    ],
)
def test_sabotages_cost_the_same(real: DirectAssessment, fake: DirectAssessment) -> None:
    ctx = FakeContext()
    one, two = (method.run(TASK.problem(ctx), ctx).ledger for method in (real, fake))
    assert one.judgements.sum() == pytest.approx(two.judgements.sum(), rel=0.02)
    assert one.reads.sum() == pytest.approx(two.reads.sum(), rel=0.02)


def test_swapped_answers_turn_the_ranking_round() -> None:
    ctx = FakeContext()
    assert _rho(SwappedIteratedBestWorst(appearances=4).run(TASK.problem(ctx), ctx), ctx) < -0.75


def test_rounds_are_probed_on_request_and_blindness_stops_progress() -> None:
    gains: dict[type, list[float]] = {}
    for kind in (IteratedBestWorst, BlindLaterRounds):
        gains[kind] = []
        for seed in range(100, 110):
            ctx = FakeContext(seed=seed)
            final = kind(appearances=2, trace=True).run(TASK.problem(ctx), ctx)
            assert [step for step, _ in ctx.probes] == [1, 2, 3, 4]
            reads = [found.ledger.reads.sum() for _, found in ctx.probes]
            assert reads[0] < reads[1] < reads[2] < reads[3] <= final.ledger.reads.sum()
            gains[kind].append(_rho(final, ctx) - _rho(ctx.probes[0][1], ctx))
    assert np.mean(gains[IteratedBestWorst]) > 0.02
    assert np.mean(gains[BlindLaterRounds]) < 0


def test_two_raters_of_a_tuple_cost_as_much_as_two_tuples() -> None:
    ctx = FakeContext()
    twice, once = (
        BestWorst(appearances=4, raters_per_tuple=raters).run(TASK.problem(ctx), ctx).ledger
        for raters in (2, 1)
    )
    np.testing.assert_allclose(twice.reads, 2 * once.reads)
    np.testing.assert_allclose(twice.judgements, 2 * once.judgements)


@pytest.mark.parametrize(
    "method", [DirectAssessment(split_half=True), BestWorst(raters_per_tuple=2, split_half=True)]
)
def test_halves_come_from_disjoint_answers(method: DirectAssessment) -> None:
    ctx = FakeContext()
    found = method.run(TASK.problem(ctx), ctx)
    assert found.halves is not None
    assert found.halves.shape == (2, 60)
    between = spearmanr(found.halves[0], found.halves[1]).statistic
    assert 0.5 < between < spearmanr(found.estimate, found.halves[0]).statistic


def test_halves_of_two_ratings_average_to_the_estimate() -> None:
    ctx = FakeContext()
    found = DirectAssessment(raters=2, split_half=True).run(TASK.problem(ctx), ctx)
    assert found.halves is not None
    np.testing.assert_allclose(found.halves.mean(axis=0), found.estimate)


def test_problem_is_not_changed_and_runs_repeat() -> None:
    ctx = FakeContext()
    problem = TASK.problem(ctx)
    before = problem.comparative.pool.copy()
    one, two = (IteratedBestWorst().run(problem, ctx) for _ in range(2))
    np.testing.assert_array_equal(one.estimate, two.estimate)
    np.testing.assert_array_equal(before, problem.comparative.pool)


def _few(problem: AnnotationProblem, n: int) -> AnnotationProblem:
    crowd = replace(
        problem.comparative, pool=problem.comparative.pool[:n], counts=problem.comparative.counts[:n]
    )
    return AnnotationProblem(problem.texts[:n], crowd, crowd)


@pytest.mark.parametrize(
    ("method", "n"),
    [
        (IteratedBestWorst(), 3),
        (BestWorst(), 3),
        (BestWorst(scorer="nobody"), 60),
        (BestWorst(raters_per_tuple=0), 60),
        (DirectAssessment(raters=41), 60),
        (DirectAssessment(points=1), 60),
        (Easl(), 4),
    ],
)
def test_bad_requests_say_what_where_and_how(method: BestWorst, n: int) -> None:
    ctx = FakeContext()
    with pytest.raises(ProblemError) as caught:
        method.run(_few(TASK.problem(ctx), n), ctx)
    assert caught.value.what
    assert caught.value.where
    assert caught.value.fix
