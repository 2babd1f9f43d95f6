"""Declared models, opened: transformers from scratch, local weights, servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.method import SERVER_FILE, ProblemError, Resource
from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.common.language_model import Decoding
from methods.common.language_model.local import LocalModel
from methods.common.servers import probed
from methods.il_bench import method as m
from methods.il_bench.models import LocalWeights, Named, NeuralReader, SurrogateInterpreter, SurrogateWriter
from methods.il_bench.prepare import RuleFollower
from methods.il_bench.rule_net import RuleNet, Size
from methods.il_bench.task import SynTreeTask
from tests.methods.common.language_model.server import NAME, serving
from tests.methods.context import FakeContext

WEIGHTS = Resource(name="weights", kind="model", licence="", version="", sources=())
FOLLOWER = RuleFollower(layers=1, hidden=16, heads=2)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    tokenizer = tiny_lm.train_tokenizer(["If x1 is A, then foo. Otherwise bar. Label: baz"] * 3, 300)
    tokenizer.save_pretrained(folder)
    size = tiny_lm.Size(1, 16, context=2048)
    tiny_lm.new_model(len(tokenizer), size, torch.Generator().manual_seed(0)).save_pretrained(folder)
    return folder


def neural() -> tuple[RuleNet, str]:
    net = RuleNet(Size(1, 16, 2), torch.Generator().manual_seed(0)).eval()
    return net.requires_grad_(requires_grad=False), "0"


def test_each_trial_counts_for_itself() -> None:
    ctx = FakeContext(0)
    for speaker in (SurrogateWriter(), SurrogateInterpreter()):
        assert speaker.open(ctx).usage is not speaker.open(ctx).usage
        assert speaker.open(ctx).surrogate


def test_programs_run_on_a_transformer() -> None:
    task = SynTreeTask(train=60, test=30, budget=8, reader=NeuralReader(follower=FOLLOWER))
    ctx = FakeContext(0, objects={"RuleFollower": neural()})
    result = m.LSP(expansions=2, least=2).run(task.problem(ctx), ctx)
    assert result.spent.executor > 0
    assert not NeuralReader(follower=FOLLOWER).open(ctx).surrogate
    assert len(task.evaluate(result, ctx).parts["test"]["correct"]) == 30


@pytest.mark.parametrize("options", [True, False])
def test_local_weights_follow_by_likelihood_and_by_text(llama: Path, *, options: bool) -> None:
    ctx = FakeContext(0, objects={"weights": load_checkpoint(llama)})

    reader = LocalWeights(weights=WEIGHTS)
    task = SynTreeTask(train=16, validation=4, test=8, budget=4, reader=reader, options=options)
    result = m.LSP(expansions=2, proposals=2).run(task.problem(ctx), ctx)
    parts = task.evaluate(result, ctx).parts
    assert len(parts["test"]["correct"]) == 8
    # An untrained model writes nothing that can be read; the likeliest label can always be read.
    assert (parts["search"]["unreadable"][0] > 0) == (not options)
    assert (parts["search"]["unreadable_test"][0] > 0) == (not options)


def test_examples_beyond_the_context_are_refused(llama: Path) -> None:
    ctx = FakeContext(0, objects={"weights": load_checkpoint(llama)})
    task = SynTreeTask(train=100, validation=4, test=8, reader=LocalWeights(weights=WEIGHTS), options=True)
    result = m.InContext(shots=90).run(task.problem(ctx), ctx)
    with pytest.raises(ProblemError, match="positions"):
        task.evaluate(result, ctx)


@pytest.mark.slow
def test_served_models_learn_and_follow(llama: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(llama)
    local = LocalModel("tiny", "tiny", checkpoint.model("cpu", "float32"), checkpoint.tokenizer)
    with serving(local) as server:
        told = probed(server.address, NAME, key_variable="NO_SUCH_KEY", needs={"e": ("sample",)}, retries=0)
        content = {"server": dict(told.server), "capabilities": dict(told.capabilities)}
        (tmp_path / SERVER_FILE).write_text(json.dumps(content))
        ctx = FakeContext(0, objects={"weights": tmp_path})
        served = Named(model=WEIGHTS)
        task = SynTreeTask(
            train=6, validation=2, test=4, budget=2, writer=served, reader=served, options=True
        )
        result = m.LSP(expansions=1, proposals=1, batch=4).run(task.problem(ctx), ctx)
        parts = task.evaluate(result, ctx).parts
    assert parts["search"]["learner"] == [1]
    assert len(server.seen) > 6
    assert {model.described()["address"] for model in ctx.asked} == {server.address}
    assert sum(model.usage.as_dict()["requests"] for model in ctx.asked) > 6


def test_named_models_may_be_local(llama: Path) -> None:
    ctx = FakeContext(0, objects={"weights": llama})
    found = Named(model=WEIGHTS).open(ctx)
    assert found.sample(["If"], Decoding(new_tokens=2)) is not None
    (asked,) = ctx.asked
    assert asked.described()["name"] == llama.name
    assert asked.usage.as_dict()["calls"] == 1
