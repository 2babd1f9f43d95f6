"""Fine-tuning on a language model's hidden states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.metric_aware.hidden import HiddenStates, HiddenTraining, Read, last_states
from methods.metric_aware.metrics import RMSE
from methods.metric_aware.training_method import AsIs, FineTuned
from tests.methods.common import models
from tests.methods.context import FakeContext
from tests.methods.metric_aware.data import many_rated, tiny_checkpoint

STATES = HiddenStates(seeds=(1, 100, 101), texts=20, batch=4)
TASK = HiddenTraining(states=STATES, train=10, valid=4, test=6)


@pytest.mark.parametrize("common", [0, 5])
def test_states_are_those_of_each_prompt_read_alone(common: int) -> None:
    model = models.gemma3(window=64)
    draw = np.random.default_rng(0)
    before = draw.integers(3, 30, common).tolist()
    prompts = [before + draw.integers(3, 30, size).tolist() for size in (4, 9, 17, 30, 3)]
    found = last_states(model, [*before, 2], prompts, batch=2)
    with torch.inference_mode():
        alone = [model.model(torch.tensor([one])).last_hidden_state[0, -1].numpy() for one in prompts]
    assert found == pytest.approx(np.array(alone), abs=1e-4)


def test_states_and_digits_give_the_logits_of_the_model(tmp_path: Path) -> None:
    checkpoint, data = tiny_checkpoint(tmp_path), many_rated()
    ctx = FakeContext(objects={"human-ratings": data, "SafeWeights": checkpoint})
    STATES.build(tmp_path, ctx)
    read, corpus, tokenizer = STATES.load(tmp_path), STATES.corpus, checkpoint.tokenizer
    assert read.states.shape == (60, read.digits.shape[1])
    assert np.sqrt(np.square(read.states).mean()) == pytest.approx(1.0, abs=1e-4)
    tokens = tokenizer.convert_tokens_to_ids(["1", "2", "3", "4", "5"])
    for place, row in enumerate(STATES.chosen(data, 100)[:3]):
        text = f"{corpus.instruction}\n\n{corpus.shown(row)} "
        with torch.inference_mode():
            logits = checkpoint.model("cpu", "float32")(torch.tensor([tokenizer.encode(text)])).logits
        own = read.digits @ read.states[STATES.places(100)][place]
        assert own == pytest.approx(logits[0, -1, tokens].numpy(), abs=1e-3)


def test_no_two_seeds_share_a_text() -> None:
    data = many_rated()
    found = [{row.id for row in STATES.chosen(data, seed)} for seed in STATES.seeds]
    assert [len(ids) for ids in found] == [20, 20, 20]
    assert len(set.union(*found)) == 60
    for states, seed in ((STATES, 102), (HiddenStates(seeds=(1, 100), texts=40), 1)):
        with pytest.raises(ProblemError, match="of its own"):
            states.chosen(data, seed)


def _told(digits: np.ndarray[Any, Any]) -> FakeContext:
    """Hidden states whose first coordinate is the label."""
    data = many_rated()
    rows = [row for seed in STATES.seeds for row in STATES.chosen(data, seed)]
    states = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    states[:, 0] = [row.label - 3 for row in rows]
    return FakeContext(objects={"human-ratings": data, "HiddenStates": Read(states, digits)})


def test_training_begins_with_the_digits_of_the_model() -> None:
    slope = np.zeros((5, 3), dtype=np.float32)
    slope[:, 0] = np.arange(5) - 2
    ctx = _told(slope)
    parts = TASK.evaluate(AsIs().run(TASK.problem(ctx), ctx), ctx).parts
    assert np.corrcoef(parts["main"]["truth"], parts["main"]["decision"])[0, 1] > 0.9
    rows = STATES.chosen(ctx.objects["human-ratings"], 100)
    assert list(parts["main"]["unit_id"]) == [row.id for row in rows[14:]]
    assert parts["main"]["truth"] == pytest.approx([row.label for row in rows[14:]])
    ends = FineTuned(digits="ends", steps=1, rate=1e-9).run(TASK.problem(ctx), ctx)
    lean = 4 * (np.asarray(parts["main"]["truth"]) - 3)
    assert ends.law[:, 1] == pytest.approx(1 / (1 + np.exp(-lean)), abs=1e-4)


def test_objectives_learn_from_the_states_and_tuning_sees_no_test_text() -> None:
    ctx = _told(np.zeros((5, 3), dtype=np.float32))
    before = RMSE(TASK.evaluate(AsIs().run(TASK.problem(ctx), ctx), ctx).parts["main"])
    for objective in ("ce", "raft", "head"):
        method = FineTuned(objective=objective, steps=200, rate=0.05)
        after = RMSE(TASK.evaluate(method.run(TASK.problem(ctx), ctx), ctx).parts["main"])
        assert after < 0.7 * before
    tune = FakeContext(stage="tune", objects=ctx.objects)
    assert np.array_equal(TASK.problem(tune).asked, TASK.problem(tune).valid[0])
