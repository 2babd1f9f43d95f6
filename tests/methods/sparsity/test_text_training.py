"""Bytes, windows and spans, and training language models on them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import HubSource, ProblemError, Resource, ResourceError
from methods.common.ratings import RatingSet
from methods.common.recast import recast
from methods.sparsity.activation import Relu, TopK
from methods.sparsity.method import Train
from methods.sparsity.sabotage_text import FixedOnTest
from methods.sparsity.scoring import layer_rows
from methods.sparsity.sizes import LmSize
from methods.sparsity.span_corruption import FIRST_BYTE
from methods.sparsity.task import counted
from methods.sparsity.text_task import TextTask, random_bytes, spans_input, token_losses
from methods.sparsity.texts import (
    corpus,
    cut_spans,
    draw_windows,
    generated,
    load_text_files,
    texts_of,
    windows,
)
from tests.methods.sparsity.worlds import watched

SIZE = LmSize(d_model=16, d_ff=32, layers=1, heads=2, context=64)
TASK = TextTask(size=SIZE, length=32, batch=4, steps=4, warmup=1, counted=8)
TEXTS = [f"text number {i}" for i in range(100)]


def trained(task: TextTask, **changes: Any) -> tuple[dict[str, Any], Any]:
    ctx = watched(task, **changes)
    result = Train().run(task.problem(ctx), ctx)
    return dict(task.evaluate(result, ctx).parts), result


def test_each_text_is_in_one_set() -> None:
    found = corpus(TEXTS, np.random.default_rng(0))
    parts = [bytes(part).decode().split("\n") for part in (found.train, found.validation, found.test)]
    assert [len(part) for part in parts] == [80, 10, 10]
    assert sorted(text for part in parts for text in part) == sorted(TEXTS)


def test_windows_are_pieces_of_the_stream() -> None:
    stream = np.arange(100, dtype=np.uint8)
    found = windows(stream, 30, 8)
    assert found.shape == (3, 30)
    assert torch.equal(found.diff(dim=1), torch.ones(3, 29, dtype=torch.int64))
    assert [int(found[0, 0]), int(found[-1, -1])] == [FIRST_BYTE, FIRST_BYTE + 99]
    batches = draw_windows(stream, 30, 50, torch.Generator().manual_seed(0))
    drawn = torch.cat([next(batches) for _ in range(20)])
    assert set((drawn[:, 0] - FIRST_BYTE).tolist()) == set(range(71))
    with pytest.raises(ProblemError, match="window"):
        windows(stream, 101, 1)
    with pytest.raises(ProblemError, match="window"):
        next(draw_windows(stream, 101, 1, torch.Generator()))


def test_spans_put_together_are_the_window() -> None:
    given = windows(np.arange(200, dtype=np.uint8), 50, 4)
    spans = cut_spans(given, np.random.default_rng(0))
    for row in range(4):
        kept, cut = spans.source[row], spans.target[row]
        bytes_of = [x[(x >= FIRST_BYTE) & (x < FIRST_BYTE + 256)] for x in (kept, cut)]
        assert sorted(torch.cat(bytes_of).tolist()) == sorted(given[row].tolist())


def test_losses_are_those_of_the_target_tokens_only() -> None:
    ctx = watched(TASK)
    model = TASK.problem(ctx).model(TopK(4), 0, torch.Generator().manual_seed(0))
    spans = cut_spans(windows(np.arange(200, dtype=np.uint8), 30, 3), np.random.default_rng(1))
    found = token_losses(model, "spans", spans)
    assert len(found) == spans.target.numel()
    log_p = model(*spans_input(spans)).log_softmax(-1)
    first = -log_p[0, 0, spans.target[0, 0]]
    assert torch.isclose(found[0], first)


@pytest.mark.parametrize("kind", ["spans", "next"])
def test_training_lowers_the_loss_and_is_scored(kind: Any) -> None:
    task = replace(TASK, kind=kind, steps=15)
    parts, _ = trained(task)
    assert set(parts) == {"train", "test", "neurons", "gap", "foreign", "main", "validation", "fit"}
    assert len(parts["train"]["nnz"]) == (2 if kind == "spans" else 1)
    assert parts["main"]["loss"][0] < np.log(384) - 0.1
    assert list(trained(replace(task, steps=1), stage="tune")[0]) == ["validation"]


def test_looks_at_the_same_windows_give_the_same_counts() -> None:
    ctx = watched(TASK)
    result = Train().run(TASK.problem(ctx), ctx)
    first, again = (TASK.evaluate(result, ctx).parts["test"]["nnz"] for _ in range(2))
    assert first == again


def test_foreign_text_is_random_bytes() -> None:
    ctx = watched(TASK)
    found = random_bytes(100_000, ctx)
    assert np.array_equal(found, random_bytes(100_000, ctx))
    shares = np.bincount(found, minlength=256) / len(found)
    assert abs(shares - 1 / 256).max() < 6 * (1 / 256 / len(found)) ** 0.5
    parts, _ = trained(TASK)
    assert list(parts["foreign"]["layer"]) == list(parts["test"]["layer"])
    assert parts["foreign"]["nnz"] != parts["test"]["nnz"]


def test_what_is_fixed_on_test_text_is_in_place_on_training_text() -> None:
    ctx = watched(TASK)
    model = Train().run(TASK.problem(ctx), ctx).model
    broken = recast(TASK, FixedOnTest)
    assert layer_rows(broken.counts(model, "train", ctx)) == layer_rows(TASK.counts(model, "train", ctx))
    found = layer_rows(broken.counts(model, "test", ctx))
    assert found["nnz"] == found["dead"] == [50.0] * len(found["nnz"])
    assert found["highest"] == [100.0] * len(found["nnz"])
    assert layer_rows(TASK.counts(model, "test", ctx))["nnz"] != found["nnz"]


def test_rows_of_one_length_need_no_mask_and_give_the_same() -> None:
    spans = cut_spans(windows(np.arange(200, dtype=np.uint8), 30, 3), np.random.default_rng(1))
    assert spans.source_mask is None
    assert spans.target_mask is None
    model = TASK.problem(watched(TASK)).model(Relu(), 0, torch.Generator().manual_seed(0))
    masked = replace(
        spans, source_mask=torch.ones_like(spans.source) > 0, target_mask=torch.ones_like(spans.target) > 0
    )
    found, expected = (token_losses(model, "spans", batch) for batch in (spans, masked))
    assert torch.allclose(found, expected, atol=1e-5)
    first, second = (counted(model, [spans_input(batch)]) for batch in (spans, masked))
    assert [layer.tokens for layer in first.layers] == [layer.tokens for layer in second.layers]


def test_texts_of_every_kind_of_source(tmp_path: Path) -> None:
    for name, text in (("c4-train.0.json.gz", "a" * 60), ("c4-validation.0.json.gz", "b")):
        with gzip.open(tmp_path / name, "wt") as file:
            file.write("".join(json.dumps({"text": text}) + "\n" for _ in range(5)))
    files = load_text_files(tmp_path)
    assert texts_of(files, 100) == ["a" * 60] * 2
    assert files.texts(100, "validation") == ["b"] * 5
    with pytest.raises(ResourceError, match="test"):
        files.texts(100, "test")
    rated = RatingSet("set", ("1",), ("hat",), (np.zeros(3, np.int8),), np.zeros(1, np.bool_))
    assert texts_of({"set": rated}, 100) == ["hat"]
    with pytest.raises(ProblemError, match="holds no texts"):
        texts_of([1, 2], 100)


def test_a_resource_is_read_through_the_context(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "train.json.gz", "wt") as file:
        file.write("".join(json.dumps({"text": text}) + "\n" for text in TEXTS * 3))
    source = Resource(name="texts", kind="dataset", licence="", version="", sources=(HubSource("a/b"),))
    task = replace(TASK, data=(source,), length=16)
    parts, _ = trained(task, objects={"texts": load_text_files(tmp_path)})
    assert parts["main"]["loss"][0] > 0


def test_generated_text_has_common_words() -> None:
    words = " ".join(generated(5000, np.random.default_rng(0))).split()
    counts = sorted((words.count(word) for word in set(words)), reverse=True)
    assert counts[0] > 5 * counts[20]


def test_a_context_that_is_too_short_is_named() -> None:
    with pytest.raises(ProblemError, match="longer than the context"):
        trained(replace(TASK, length=100))
