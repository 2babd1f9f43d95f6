"""Questions written for a pretrained model: right answers, splits apart; the same code on a tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from harness.claims import Profile
from harness.suite import Scale
from methods.common.stand_ins import TinyModel
from methods.promot import method as m
from methods.promot.checkpoint import load_language_model
from methods.promot.metrics import FORMAT_SHARE, NORM_AVG, TARGET_SCORE
from methods.promot.text_task import TextWorld
from methods.promot.written import Kind, WrittenSet, rows
from suites.promot import SUITE, texts
from tests.methods.promot.worlds import FakeContext

KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.mark.parametrize("kind", KINDS)
def test_no_question_is_in_both_splits_and_none_twice(kind: Kind) -> None:
    found = rows(kind, np.random.default_rng(3))
    texts_of = {
        name: [(row.premise, row.hypothesis, row.question) for row in part] for name, part in found.items()
    }
    assert not set(texts_of["train"]) & set(texts_of["test"])
    for part in texts_of.values():
        assert len(set(part)) == len(part) >= 14


def test_half_of_the_statements_are_true_and_their_label_can_be_read_off() -> None:
    found = rows("statements", np.random.default_rng(3))
    every = [row for part in found.values() for row in part]
    for row in every:
        colour, said = row.premise.split()[1], row.hypothesis.removesuffix(".").split()[-1]
        assert row.premise.split()[2] == row.hypothesis.split()[1]
        assert (row.label == "entailment") == (colour == said)
    assert np.mean([row.label == "entailment" for row in every]) == 0.5


def test_sums_are_right() -> None:
    for row in rows("sums", np.random.default_rng(0))["test"]:
        left, right = (
            int(word.removesuffix("?")) for word in row.question.split() if word.strip("?").isdigit()
        )
        assert left + right == int(row.answer)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_is_what_is_loaded(kind: Kind, tmp_path: Path) -> None:
    made = WrittenSet(kind=kind, seed=5)
    made.build(tmp_path, FakeContext())
    loaded = made.load(tmp_path)
    for split, part in rows(kind, np.random.default_rng(5)).items():
        assert list(loaded[split]) == part
        assert not loaded.is_large(split)


def test_a_tiny_model_is_tuned_and_asked_as_the_pretrained_one_is(tmp_path: Path) -> None:
    world: TextWorld = texts.written_world()
    (tmp_path / "model").mkdir()
    TinyModel("gemma").make(tmp_path / "model")
    ctx = FakeContext({world.model: load_language_model(tmp_path / "model")})
    for source in (*world.targets, *world.held_out):
        folder = tmp_path / source.name
        folder.mkdir()
        source.data.build(folder, ctx)  # type: ignore[attr-defined]
        ctx.objects[source.data] = source.data.load(folder)
    planned = {item.id: item for item in SUITE.experiments(Scale(profile=Profile.SMALL, full=True))}["gemma"]
    assert dict(planned.tasks) == {"statements": world}
    small = m.ProMoT(
        rate=1e-3,
        steps=2,
        every=1,
        batch=4,
        optimizer="adam",
        length=3,
        prompt_steps=2,
        prompt_every=1,
        probes=True,
    )
    parts = dict(world.evaluate(small.run(world.problem(ctx), ctx), ctx).parts)
    assert len(ctx.probed) == 3
    assert set(parts["held-out"]["task"]) == {"opposites", "capitals", "plurals", "copies", "sums"}
    for metric, part in ((TARGET_SCORE, "main"), (NORM_AVG, "held-out"), (FORMAT_SHARE, "held-out")):
        assert 0 <= metric(parts[part]) <= 100
