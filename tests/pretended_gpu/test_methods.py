"""Methods on the pretended GPU: what a CPU never runs, and the same draws on every device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from methods.common import checkpoints, draws, tiny_lm
from methods.common.lora import add_lora
from methods.common.soft_prompt import uniform
from methods.lite import reduction
from methods.lite.latency import Rescore, StoredVectors
from methods.lora_rite.cost import StepCost, TakeSteps, Train, TrainingCost
from methods.lora_rite.optimizers import MAKERS
from methods.sparsity.activation import HiddenDropout, RandomK, TopK
from methods.sparsity.image_task import CLASSES, SHAPE
from methods.sparsity.images import Scaler, epochs, fresh, random_images
from methods.sparsity.mlp import ReluMlp
from methods.sparsity.sparse_layer import SparseSecondLayer
from methods.sparsity.topk import top_k
from methods.spectr.decoding import BlockSize, generate
from methods.spectr.hidden_draft import HiddenDraft
from methods.spectr.hidden_mlp import Lesson, train_hidden_mlp
from methods.spectr.huggingface import HiddenForCausalLM, assisted
from methods.spectr.selection import KSeq
from methods.spectr.sessions import Sampling, TransformerDraft, TransformerTarget
from methods.spectr.speed import SelectOnce, Speed
from tests.methods.context import FakeContext
from tests.pretended_gpu import pretended_gpu

GPU = torch.device("cuda", 0)
DEVICES = ("cpu", "cuda")


@pytest.fixture(autouse=True)
def _gpu() -> Iterator[None]:
    with pretended_gpu():
        yield


def model(device: str) -> Any:
    size = tiny_lm.Size(2, 32, heads=2, context=64)
    return tiny_lm.new_model(48, size, draws.generator(0)).to(device).eval()


def test_decoding_is_the_same_on_every_device() -> None:
    found = []
    for device in DEVICES:
        target = TransformerTarget(model(device), Sampling())
        draft = TransformerDraft(model(device), Sampling())
        with torch.inference_mode():
            traces = generate(
                target,
                draft,
                KSeq(),
                [[1, 2, 3], [4]],
                BlockSize(2, 3),
                tokens=9,
                generator=draws.generator(1),
            )
        found.append([trace.tokens for trace in traces])
    assert found[0] == found[1]


def test_assisted_generation_is_the_same_on_every_device() -> None:
    found = []
    for device in DEVICES:
        with draws.seeded(1), draws.LibraryDraws(), torch.inference_mode():
            traces = assisted(
                model(device), model(device), [[1, 2, 3]], length=3, tokens=9, sampling=Sampling(1.0, 0.9)
            )
        found.append(traces[0].tokens)
    assert found[0] == found[1]


def test_a_draft_over_hidden_states_is_trained_and_drafts_on_every_device() -> None:
    windows = draws.integers(48, (6, 20), draws.generator(1))
    found = []
    for device in DEVICES:
        target = model(device)
        pieces = windows.to(device)
        with torch.no_grad():
            hidden = target.base_model(pieces).last_hidden_state
        lesson = Lesson(inner=8, rounds=2, batch=16)
        weights = train_hidden_mlp(pieces, hidden, torch.arange(4, 40), target, lesson)
        with torch.inference_mode():
            ours = generate(
                TransformerTarget(target, Sampling()),
                HiddenDraft(weights.on(target), Sampling()),
                KSeq(),
                [[1, 2, 3], [4]],
                BlockSize(3, 2),
                tokens=12,
                generator=draws.generator(3),
            )
            with draws.seeded(5), draws.LibraryDraws():
                theirs = assisted(
                    target,
                    HiddenForCausalLM(weights.on(target)),
                    [[1, 2, 3]],
                    length=3,
                    tokens=10,
                    sampling=Sampling(),
                )
        found.append([trace.tokens for trace in (*ours, *theirs)])
        assert all(tensor.device.type == "cpu" for tensor in weights.weights.values())
    assert found[0] == found[1]


@pytest.mark.parametrize("program", [False, True])
def test_selection_is_timed_on_the_gpu(program: bool) -> None:  # noqa: FBT001
    ctx = FakeContext(device="cuda")
    problem = Speed(sizes=(6,)).problem(ctx)
    assert all(law.device == GPU for law in problem.laws[6])
    assert SelectOnce(vocabulary=6, candidates=2, repeats=2, program=program).run(problem, ctx) == 2


@pytest.mark.parametrize("optimizer", MAKERS)
def test_optimizer_steps_are_timed_on_the_gpu(optimizer: str) -> None:
    ctx = FakeContext(device="cuda")
    task = StepCost(layers=1, shapes=((6, 5),), ranks=(2,))
    problem = task.problem(ctx)
    assert problem.pairs[2][0].a.device == GPU
    spent = TakeSteps(optimizer=optimizer, rank=2, repeats=3).run(problem, ctx)
    assert task.evaluate(spent, ctx).parts["main"]["numbers"][0] >= 0


def test_training_steps_are_timed_on_the_gpu() -> None:
    ctx = FakeContext(device="cuda")
    task = TrainingCost(small=(1, 16), large=(1, 32), rows=2, length=8, rank=2)
    assert Train(size="small", repeats=2).run(task.problem(ctx), ctx) == 2


@pytest.mark.parametrize("scorer", ["maxsim", "lite", "de", "knrm"])
def test_rescoring_is_timed_on_the_gpu(scorer: Any, tmp_path: Path) -> None:
    scores = []
    for device in DEVICES:
        ctx = FakeContext(device=device, scratch=tmp_path)
        problem = StoredVectors(documents=5, l1=3, doc_tokens=(4,), dim=8).problem(ctx)
        torch.manual_seed(0)
        scores.append(Rescore(scorer=scorer, doc_tokens=4, batch=2, factor=2).run(problem, ctx))
    assert np.array_equal(scores[0], scores[1])


@pytest.mark.parametrize("kind", ["truncate", "block-mean", "k-means"])
def test_documents_are_reduced_on_the_gpu(kind: str) -> None:
    reduce: Any = {
        "truncate": reduction.truncate,
        "block-mean": reduction.block_mean,
        "k-means": reduction.cluster,
    }[kind]
    d, mask = draws.normal((3, 8, 4), draws.generator(0)), torch.ones(3, 8)
    here, there = reduce(d, mask, 2), reduce(d.cuda(), mask.cuda(), 2)
    assert all(found.device == GPU for found in there)
    assert all(torch.equal(a, b.cpu()) for a, b in zip(here, there, strict=True))


@pytest.mark.parametrize("activation", [TopK(3), RandomK(3), HiddenDropout(0.5)])
def test_activations_are_the_same_on_every_device(activation: Any) -> None:
    found = []
    for device in DEVICES:
        block = ReluMlp(4, 8, bias=True, generator=draws.generator(0), activation=activation).to(device)
        x = draws.normal((5, 4), draws.generator(1), device=device)
        first, second = block(x), block(x)
        found.append(torch.stack([first, second]).cpu())
    assert torch.equal(*found)


def test_sparse_layers_run_on_the_gpu() -> None:
    made = nn.Linear(8, 4).requires_grad_(requires_grad=False)
    a = top_k(draws.normal((5, 8), draws.generator(0)).relu(), 3)
    here = SparseSecondLayer(made)(a)
    there = SparseSecondLayer(made.cuda())
    torch.testing.assert_close(there(a.cuda()).cpu(), here)
    torch.testing.assert_close(there.padded(*a.cuda().topk(3, dim=-1)).cpu(), here)
    assert torch.equal(top_k(a.cuda(), 2).cpu(), top_k(a, 2))


@pytest.mark.parametrize("noise", [False, True])
def test_batches_are_the_same_on_every_device(noise: bool) -> None:  # noqa: FBT001
    scaler = Scaler(torch.full(SHAPE, 0.5), torch.full(SHAPE, 0.3))
    images = random_images(12, SHAPE, CLASSES, np.random.default_rng(0))
    found = []
    for device in DEVICES:
        rng = draws.generator(0)
        stream = (
            fresh(SHAPE, scaler, CLASSES, 4, rng, device=device)
            if noise
            else epochs(images, scaler, 4, rng, device=device)
        )
        inputs, labels = next(stream)
        assert inputs.device.type == labels.device.type == device
        found.append((inputs.cpu(), labels.cpu()))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_adapters_and_prompts_start_alike_on_every_device() -> None:
    found = []
    for device in DEVICES:
        net = model(device)
        pairs = add_lora(net, ["q_proj"], 2, 2.0, draws.generator(3))
        prompt = uniform(net, 3, draws.generator(4))
        assert all(pair.a.device == net.device == prompt.weight.device for pair in pairs.values())
        found.append([*(pair.a.detach().cpu() for pair in pairs.values()), prompt.weight.detach().cpu()])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_checkpoints_keep_the_gpus_generators(tmp_path: Path) -> None:
    weights = [nn.Parameter(torch.ones(3, device="cuda"))]
    optimizer = torch.optim.Adam(weights)
    weights[0].grad = torch.ones(3, device="cuda")
    optimizer.step()
    parts = {"weights": weights, "optimizer": optimizer}
    state = {name: checkpoints.state_of(part) for name, part in parts.items()}
    checkpoints.write(tmp_path, {**state, "random": checkpoints.random_state()})
    drawn, trained = torch.rand(3, device="cuda"), weights[0].detach().clone()
    optimizer.step()
    found = checkpoints.read(tmp_path)
    assert found is not None
    for name, part in parts.items():
        checkpoints.restore(part, found[name])
    checkpoints.set_random_state(found["random"])
    assert torch.equal(torch.rand(3, device="cuda"), drawn)
    assert torch.equal(weights[0], trained)
    assert weights[0].device == optimizer.state[weights[0]]["exp_avg"].device == GPU
