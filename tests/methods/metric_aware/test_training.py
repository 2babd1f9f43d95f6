"""Tasks and methods of fine-tuning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from methods.common.recast import recast
from methods.metric_aware.metrics import ENTROPY, RMSE
from methods.metric_aware.sabotage import DrawnAsIs, DrawnTuned, ScrambledStart, ShuffledLabels, drawn
from methods.metric_aware.training_method import AsIs, FineTuned, Grades, chosen_digits
from methods.metric_aware.training_task import LatentTraining, PretrainedScorer, RatedTraining
from tests.methods.context import FakeContext
from tests.methods.metric_aware.data import many_rated

TASK = LatentTraining(train=300, valid=100, test=150)


def scored(
    method: FineTuned | AsIs, task: LatentTraining = TASK, ctx: FakeContext | None = None
) -> dict[str, Any]:
    ctx = ctx or FakeContext()
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


def test_one_training_is_read_out_by_mean_and_mode() -> None:
    parts = scored(FineTuned(objective="ce", steps=60, rate=0.1))
    assert set(parts) == {"main", "mode", "law"}
    assert set(parts["mode"]["decision"]) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert RMSE(parts["main"]) < RMSE(parts["mode"])
    one = scored(DrawnTuned(objective="ce", steps=60, rate=0.1))
    assert np.array_equal(one["mode"]["decision"], parts["mode"]["decision"])
    assert RMSE(one["main"]) > RMSE(parts["mode"])


def test_drawn_digits_follow_the_distribution() -> None:
    law = np.tile([0.1, 0.0, 0.6, 0.3], (20_000, 1))
    found = drawn(Grades(np.zeros(len(law)), law, (1.0, 2.0, 3.0, 4.0)), FakeContext()).decision
    assert [np.mean(found == digit) for digit in (1, 2, 3, 4)] == pytest.approx([0.1, 0, 0.6, 0.3], abs=0.02)


def test_training_is_repeatable_and_depends_on_the_seed() -> None:
    first, again = (scored(FineTuned(steps=20))["main"]["decision"] for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(
        first, scored(FineTuned(steps=20), ctx=FakeContext(seed=101))["main"]["decision"]
    )


def test_tuning_sees_validation_items_only() -> None:
    tune, main = FakeContext(stage="tune"), FakeContext()
    assert np.array_equal(TASK.problem(tune).asked, TASK.problem(tune).valid[0])
    assert not np.array_equal(TASK.problem(main).asked[:100], TASK.problem(main).valid[0])
    assert set(scored(FineTuned(steps=5), ctx=tune)) == {"validation"}


def test_shuffled_labels_teach_nothing() -> None:
    right, wrong = (RMSE(scored(kind(steps=60))["main"]) for kind in (FineTuned, ShuffledLabels))
    assert right < 0.97 * wrong


def test_grids_of_two_digits() -> None:
    assert chosen_digits((1.0, 2.0, 3.0, 4.0, 5.0), "ends") == (1.0, 5.0)
    assert chosen_digits((1.0, 2.0, 3.0, 4.0, 5.0), "inner") == (2.0, 4.0)
    found = scored(FineTuned(steps=60, rate=0.1, digits="ends"))["main"]["decision"]
    assert found.min() < 2.5
    assert found.max() > 3.5
    inner = scored(FineTuned(steps=20, digits="inner"))
    assert 2.0 <= inner["main"]["decision"].min() <= inner["main"]["decision"].max() <= 4.0
    assert set(inner["mode"]["decision"]) <= {2.0, 4.0}


def test_curves_are_evaluated_while_training() -> None:
    ctx = FakeContext()
    FineTuned(steps=60, watched=20).run(TASK.problem(ctx), ctx)
    assert [step for step, _ in ctx.probes] == [20, 40, 60]


def test_a_pretrained_network_is_where_training_begins(tmp_path: Path) -> None:
    base = PretrainedScorer(items=500, steps=80, hidden=8)
    base.build(tmp_path, FakeContext())
    ctx = FakeContext(objects={"PretrainedScorer": base.load(tmp_path)})
    task = LatentTraining(base=base, hidden=8, noise=0.5, train=100, valid=100, test=200, turn=0.2)
    as_is = scored(AsIs(), task, ctx)
    assert RMSE(as_is["main"]) < 0.95 * np.std(as_is["main"]["truth"])
    assert ENTROPY(as_is["law"]) < np.log(5)
    assert np.array_equal(scored(DrawnAsIs(), task, ctx)["law"]["entropy"], as_is["law"]["entropy"])
    scrambled = recast(task, ScrambledStart).start(ctx)
    start = task.start(ctx)
    assert start is not None
    assert scrambled is not None
    for name, value in start.items():
        assert sorted(value.flatten().tolist()) == sorted(scrambled[name].flatten().tolist())
    assert any(not (value == scrambled[name]).all() for name, value in start.items())
    fresh = scored(AsIs(), replace(task, pretrained=False), ctx)
    assert ENTROPY(fresh["law"]) == pytest.approx(np.log(5))
    tuned = scored(FineTuned(steps=60), task, ctx)
    assert RMSE(tuned["main"]) < RMSE(as_is["main"])
    assert np.array_equal(tuned["main"]["truth"], as_is["main"]["truth"])


def test_human_ratings_are_learnt_from_one_rater_and_judged_by_all() -> None:
    data = many_rated(150)["amazon"]
    vectors = np.random.default_rng(0).standard_normal((150, 4)).astype(np.float32)
    vectors[:, 0] = data.means
    ctx = FakeContext(objects={"human-ratings": {"amazon": data}, "RatedTextEmbeddings": vectors})
    task = RatedTraining(train=80, valid=30, test=40)
    problem = task.problem(ctx)
    assert set(problem.train[1]) <= set(map(float, range(1, 10)))
    parts = task.evaluate(FineTuned(steps=60).run(problem, ctx), ctx).parts
    places = [int(name) for name in parts["main"]["unit_id"]]
    assert parts["main"]["truth"] == pytest.approx(data.means[places] + 5)
    assert np.corrcoef(parts["main"]["truth"], parts["main"]["decision"])[0, 1] > 0.7
