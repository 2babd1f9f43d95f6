"""Averages over draws: held to draws that are made one by one, and to what must differ between them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.method import ProblemError, Resource
from methods.ibws import redrawn_methods, sabotage_redrawn
from methods.ibws.method import BestWorst, DirectAssessment, IteratedBestWorst
from methods.ibws.ranking_method import LinearRanker
from methods.ibws.redrawn import DrawContext, OverDraws, Redrawn, summary
from methods.ibws.redrawn_methods import (
    RedrawnBestWorst,
    RedrawnIterated,
    RedrawnRanker,
    RedrawnSlider,
)
from methods.ibws.tasks import AnnotationTask, Items, RankingTask
from tests.methods.ibws.conftest import FakeContext

DATA = Resource(name="fake", kind="dataset", licence="MIT", version="1", sources=())
ONE = AnnotationTask(items=Items(domain="generated", data=DATA, count=80))
TASK = Redrawn(task=ONE, draws=3)


def _context(rated: Any, **changes: Any) -> FakeContext:
    return FakeContext(objects={DATA: {"generated": rated}}, **changes)


PAIRS = [
    (RedrawnSlider(raters=2, split_half=True), DirectAssessment(raters=2, split_half=True)),
    (RedrawnBestWorst(appearances=4), BestWorst(appearances=4)),
    (RedrawnIterated(appearances=2), IteratedBestWorst(appearances=2)),
]


@pytest.mark.parametrize(("several", "single"), PAIRS)
def test_rows_are_those_of_draws_made_one_by_one(rated: Any, several: Any, single: Any) -> None:
    ctx = _context(rated)
    table = TASK.evaluate(several.run(TASK.problem(ctx), ctx), ctx).parts["main"]
    assert list(table["unit_id"]) == ["draw 0", "draw 1", "draw 2"]
    for number in range(3):
        draw = DrawContext(ctx, number)
        rows = ONE.evaluate(single.run(ONE.problem(draw), draw), draw).parts["main"]
        assert table["rho"][number] == pytest.approx(spearmanr(rows["estimate"], rows["gold"]).statistic)
        if "ibws_bt" in rows:
            near = spearmanr(rows["estimate"], rows["ibws_bt"]).statistic
            assert table["rho_bt"][number] == pytest.approx(near)
        if "half_a" in rows:
            both = spearmanr(rows["half_a"], rows["half_b"]).statistic
            assert table["reliability"][number] == pytest.approx(both)
    assert len(set(table["rho"])) == 3


def test_draws_stay_on_the_piece_of_the_seed_and_differ_in_all_else(rated: Any) -> None:
    ctx = _context(rated)
    small = replace(ONE, items=replace(ONE.items, count=100))
    drawn = [small.items.draw(DrawContext(ctx, number)) for number in range(2)]
    assert set(drawn[0].index) == set(drawn[1].index)
    assert list(drawn[0].index) != list(drawn[1].index)
    by_item = [dict(zip(one.index.tolist(), one.gold.tolist(), strict=True)) for one in drawn]
    assert by_item[0] != by_item[1], "gold raters are divided anew"
    other = small.items.draw(DrawContext(_context(rated, seed=201), 0))
    assert not set(drawn[0].index) & set(other.index)


def test_every_method_of_a_trial_sees_the_same_draws(rated: Any) -> None:
    one, two = (TASK.problem(_context(rated)) for _ in range(2))
    for left, right in zip(one.problems, two.problems, strict=True):
        assert left.texts == right.texts
        np.testing.assert_array_equal(left.direct.pool, right.direct.pool)


def test_probes_have_a_row_for_each_draw(rated: Any) -> None:
    ctx = _context(rated)
    RedrawnIterated(appearances=2, trace=True).run(TASK.problem(ctx), ctx)
    steps = [step for step, _ in ctx.probes]
    assert steps == sorted(set(steps))
    assert len(steps) >= 3
    first, last = (
        TASK.evaluate(result, ctx).parts["main"]["rho"] for _, result in (ctx.probes[0], ctx.probes[-1])
    )
    assert len(first) == len(last) == 3
    assert np.mean(last) > np.mean(first)


def test_averages_over_draws_spread_less_between_seeds(rated: Any) -> None:
    """The reason for it all: on one piece, a mean of n draws has about the n-th part of the variance."""
    method, single = RedrawnSlider(raters=1), replace(TASK, draws=1)

    def spread(task: Redrawn) -> float:
        found = []
        for seed in range(40):
            ctx = _context(rated, seed=seed)
            table = task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts["main"]
            found.append(float(np.mean(table["rho"])))
        return float(np.var(found, ddof=1))

    ratio = spread(replace(TASK, draws=8)) / spread(single)
    assert 0.05 < ratio < 0.3


def test_rankers_are_tuned_on_validation_texts(rated: Any) -> None:
    task = Redrawn(task=RankingTask(items=replace(ONE.items, count=100), test=40), draws=2)
    method = RedrawnRanker(model="tfidf", strength=1.0)
    assert isinstance(method, LinearRanker)
    for stage, part in (("tune", "validation"), ("main", "main")):
        ctx = _context(rated, seed=1 if stage == "tune" else 200, stage=stage)
        table = task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts[part]
        assert len(table["rho"]) == 2
        assert list(table["label_reads"]) == [2.0, 2.0]


def test_an_estimate_without_spread_ranks_nothing() -> None:
    assert summary({"estimate": [1.0, 1.0, 1.0], "gold": [1.0, 2.0, 3.0]}) == {"rho": 0.0}


def test_no_draws_are_refused(rated: Any) -> None:
    with pytest.raises(ProblemError, match="nothing to average"):
        replace(TASK, draws=0).problem(_context(rated))


def test_each_method_over_draws_has_the_parameters_of_the_one_that_it_repeats() -> None:
    found = {**vars(redrawn_methods), **vars(sabotage_redrawn)}.values()
    kinds = [kind for kind in found if isinstance(kind, type)]
    repeated = [kind for kind in kinds if issubclass(kind, OverDraws) and kind is not OverDraws]
    assert len(repeated) == 11
    for kind in repeated:
        _, _, base, *_ = kind.__mro__
        assert fields(kind) == fields(base)  # type: ignore[arg-type]
