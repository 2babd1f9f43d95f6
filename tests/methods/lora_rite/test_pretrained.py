"""A pretrained model's adapters: equivalent starts in float32, and grades of reviews, with a tiny decoder."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods.common.causal_lm import Checkpoint, load_checkpoint
from methods.common.ratings import RatingSet
from methods.lora_rite.descent import Descend, deviation
from methods.lora_rite.finetune import FineTune
from methods.lora_rite.grades import BOUNDS, GRADES, NATS, GradeTask, grade
from methods.lora_rite.pretrained import ROUNDING, TURNS, PretrainedStarts
from methods.lora_rite.sabotage import MisalignedDescend
from tests.methods.context import FakeContext
from tests.methods.lora_rite.worlds import TEXTS, save_decoder

TASK = GradeTask(steps=3, batch=4, test=20, words=6)


class _Fresh(FakeContext):
    """Gives a new model where one is asked for, as the engine does."""

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        found = super().load(ref)
        return load_checkpoint(found.folder) if fresh and isinstance(found, Checkpoint) else found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decoder")
    save_decoder(folder)
    return folder


@pytest.fixture
def ctx(folder: Path) -> FakeContext:
    rng = np.random.default_rng(0)
    texts = tuple(" ".join(rng.choice(TEXTS[0].split(), size=int(rng.integers(3, 9)))) for _ in range(120))
    ratings = tuple(rng.integers(-4, 5, size=5).astype(np.int8) for _ in texts)
    names = tuple(map(str, range(120)))
    rated = RatingSet("movie", names, texts, ratings, np.zeros(120, dtype=np.bool_))
    return _Fresh(objects={"SafeWeights": load_checkpoint(folder), "human-ratings": {"movie": rated}})


def test_grades_begin_at_their_bounds() -> None:
    assert [grade(x) for x in (-4.0, -1.6, -1.5, -0.1, 0.0, 1.4, 1.5, 4.0)] == [
        GRADES[i] for i in (0, 0, 1, 1, 2, 2, 3, 3)
    ]
    assert len(GRADES) == len(BOUNDS) + 1


def test_held_out_reviews_are_short_ones_that_were_not_trained_on(ctx: FakeContext) -> None:
    problem = TASK.problem(ctx)
    result = FineTune(rank=2, alpha=2.0).run(problem, ctx)
    rows = TASK.evaluate(result, ctx).parts["main"]
    assert len(set(rows["unit_id"])) == 20
    assert {example.id for example in problem.train}.isdisjoint(rows["unit_id"])
    texts = ctx.objects["human-ratings"]["movie"].texts
    assert all(len(texts[int(i)].split()) <= 6 for i in rows["unit_id"])
    assert list(TASK.evaluate(result, replace(ctx, stage="tune")).parts) == ["validation"]


def test_nats_are_those_of_each_answer_by_itself(ctx: FakeContext) -> None:
    result = FineTune(rank=2, alpha=2.0).run(TASK.problem(ctx), ctx)
    rows = TASK.evaluate(result, ctx).parts["main"]
    examples = TASK._examples(TASK._split(ctx)[1], ctx)
    for example, found in zip(examples, rows["nats"], strict=True):
        ids = torch.tensor([[*example.prompt, *example.target]])
        with torch.inference_mode():
            logs = result.model(input_ids=ids).logits[0].log_softmax(-1)
        start = len(example.prompt)
        lost = [-float(logs[start - 1 + k, token]) for k, token in enumerate(example.target)]
        assert found == pytest.approx(math.fsum(lost) / len(lost), rel=1e-4)
    assert NATS({"nats": np.array(rows["nats"])}) == pytest.approx(np.mean(rows["nats"]))


def test_rite_alone_stays_on_its_way_in_float32(ctx: FakeContext) -> None:
    task = PretrainedStarts(rank=2, longest=8)
    parts = {}
    methods = {
        "rite": Descend(rate=1e-3),
        "adam": Descend(optimizer="adam", rate=1e-3),
        "misaligned": MisalignedDescend(rate=1e-3),
    }
    for name, method in methods.items():
        parts[name] = task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts
    assert parts["rite"]["main"]["case"] == [f"pretrained, {kind}" for kind in TURNS]
    assert max(parts["rite"]["main"]["error"]) < ROUNDING
    assert all(parts["adam"]["main"]["confirmed"])
    assert parts["misaligned"]["main"]["confirmed"][0]
    # A start that is moved by less than the tolerance shows what rounding does, and is not at a standstill.
    base, nudged, *_ = methods["rite"].run(task.problem(ctx), ctx)
    assert (base.start.kind, nudged.start.kind) == ("base", "nudged")
    assert 0 < deviation(base, nudged) < ROUNDING
