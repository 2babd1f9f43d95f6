"""Measuring checkpoints of transformers: tiny T5 and OPT models with tokenizers of their own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError, ResourceError
from methods.common import tiny_lm
from methods.sparsity.pretrained import C4, OPT_125M, T5_BASE, Read, ReadingTask, cut_spans, load_pretrained
from methods.sparsity.sabotage import ReadShuffled
from methods.sparsity.texts import load_text_files
from tests.methods.sparsity.worlds import FakeContext

TEXTS = [f"the {word} hat number {n} is on the table" for n in range(12) for word in ("red", "blue")]
SENTINELS = [f"<extra_id_{i}>" for i in range(20)]


def save(folder: Path, kind: str) -> Path:
    """A random model whose first neuron of each block is dead."""
    from transformers import OPTConfig, OPTForCausalLM, T5Config, T5ForConditionalGeneration

    tokenizer = tiny_lm.train_tokenizer(TEXTS, 290)
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    tokenizer.add_tokens(SENTINELS[::-1])
    shared = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    starting = {**shared, "decoder_start_token_id": shared["pad_token_id"]}
    torch.manual_seed(0)
    if kind == "t5":
        model: Any = T5ForConditionalGeneration(
            T5Config(
                d_model=16,
                d_ff=24,
                d_kv=8,
                num_layers=2,
                num_heads=2,
                **starting,
            )
        )
    else:
        model = OPTForCausalLM(
            OPTConfig(
                hidden_size=16,
                ffn_dim=24,
                num_hidden_layers=2,
                num_attention_heads=2,
                word_embed_proj_dim=16,
                **shared,
            )
        )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "wi.weight" in name or "fc1.weight" in name:
                weight[0] = 0.0
            if "fc1.bias" in name:
                weight.zero_()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("c4")
    for split in ("train", "validation"):
        with gzip.open(folder / f"c4-{split}.00000.json.gz", "wt") as file:
            file.write("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return load_text_files(folder)


@pytest.mark.parametrize("kind", ["t5", "opt"])
def test_a_checkpoint_is_counted_on_both_sets(kind: str, texts: Any, tmp_path: Path) -> None:
    resource = T5_BASE if kind == "t5" else OPT_125M
    task = ReadingTask(checkpoint=resource, data=C4, examples=10, length=24, batch=4)
    checkpoint = load_pretrained(save(tmp_path, kind))
    ctx = FakeContext(objects={resource.name: checkpoint, C4.name: texts})
    found = {
        method: task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts
        for method in (Read(), ReadShuffled())
    }
    layers = 4 if kind == "t5" else 2
    for parts in found.values():
        assert set(parts) == {"train", "test", "neurons", "gap"}
        assert len(parts["train"]["nnz"]) == layers
        assert float(np.mean(parts["test"]["nnz"])) == pytest.approx(50, abs=15)
    assert min(found[Read()]["test"]["dead"]) >= 100 / 24 - 1e-9
    again = task.evaluate(Read().run(task.problem(ctx), ctx), ctx).parts
    assert again["test"]["nnz"] == found[Read()]["test"]["nnz"]
    assert again["test"]["nnz"] != found[ReadShuffled()]["test"]["nnz"]


def test_spans_keep_the_tokenizers_ids(tmp_path: Path) -> None:
    tokenizer = load_pretrained(save(tmp_path, "t5")).tokenizer
    ids = np.arange(30, 60)
    source, target = cut_spans(ids, tokenizer, np.random.default_rng(0))
    names = {tokenizer.convert_tokens_to_ids(name): name for name in SENTINELS}
    kept = [i for i in (*source, *target) if i not in names and i != tokenizer.eos_token_id]
    assert sorted(kept) == list(ids)
    marks = [names[i] for i in source if i in names]
    assert marks == SENTINELS[: len(marks)]
    assert [names[i] for i in target if i in names] == marks


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    tokenizer = tiny_lm.train_tokenizer(TEXTS, 290)
    with pytest.raises(ProblemError, match="sentinels"):
        cut_spans(np.arange(20), tokenizer, np.random.default_rng(0))
    folder = save(tmp_path, "t5")
    next(folder.glob("*.safetensors")).unlink()
    with pytest.raises(ResourceError, match="safetensors"):
        load_pretrained(folder).model("cpu")
