"""The code path of ``gpu`` with tiny random models: what is declared there runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harness.claims import Profile
from harness.suite import Experiment, Scale
from methods.common import tiny_lm
from methods.common.causal_lm import Checkpoint, load_checkpoint
from methods.il_bench.method import LSP, BestOf
from methods.il_bench.task import SynTreeTask
from suites.il_bench import SUITE
from suites.il_bench.cells import tree
from tests.methods.context import FakeContext

GPU = {one.id: one for one in SUITE.experiments(Scale(profile=Profile.GPU))}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("tiny")
    texts = ["If x1 is A, then foo. Otherwise bar.", "x1 = A ; x2 = B -> foo", "Label: qux"] * 5
    tokenizer = tiny_lm.train_tokenizer(texts, 300)
    generator = torch.Generator().manual_seed(0)
    model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 16, context=4096), generator)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_checkpoint(folder)


def shrunk(experiment: Experiment) -> SynTreeTask:
    task = experiment.tasks[tree(2)]
    assert isinstance(task, SynTreeTask)
    return replace(task, train=8, validation=2, test=4, budget=2)


@pytest.mark.parametrize("name", ["gemma", "instruct", "shifted"])
def test_a_program_is_learnt_and_followed(name: str, weights: Checkpoint) -> None:
    task, lsp = shrunk(GPU[name]), GPU[name].methods["lsp"]
    assert isinstance(lsp, LSP)
    ctx = FakeContext(objects={"SafeWeights": weights, "instruct-model": weights})
    method = replace(lsp, expansions=2, proposals=1, batch=4)
    parts = task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts
    assert len(parts["test"]["correct"]) == 4
    assert ("transfer" in parts) == (name != "shifted")
    assert ("order" in parts) == (name == "shifted")


def test_a_model_that_writes_nonsense_is_counted(weights: Checkpoint) -> None:
    task, best = shrunk(GPU["instruct"]), GPU["instruct"].methods["best-of"]
    assert isinstance(best, BestOf)
    ctx = FakeContext(objects={"SafeWeights": weights, "instruct-model": weights})
    parts = task.evaluate(replace(best, batch=4).run(task.problem(ctx), ctx), ctx).parts
    assert parts["search"]["unreadable"][0] > 0
    assert parts["search"]["learner"] == [2]
