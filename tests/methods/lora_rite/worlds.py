"""A context without engine or resources, and tiny models."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from methods.common import tiny_lm


@dataclass
class FakeContext:
    """What a trial sees, with references answered from a mapping by name or type."""

    seed: int = 100
    stage: Literal["tune", "main"] = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    objects: Mapping[str, Any] = field(default_factory=dict)
    probes: list[tuple[int, Any]] = field(default_factory=list)

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        return self.objects[getattr(ref, "name", type(ref).__name__)]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    def probe(self, step: int, result: Any) -> None:
        self.probes.append((step, result))

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1


TEXTS = ["Question: what colour is the hat red green blue", "Answer: yes no 1 2 3 4 5 6 7 8 9"] * 3


def save_decoder(folder: Path) -> None:
    """An untrained Llama with a tokenizer of its own."""
    tokenizer = tiny_lm.train_tokenizer(TEXTS, 300)
    size = tiny_lm.Size(1, 32, context=512)
    model = tiny_lm.new_model(len(tokenizer), size, torch.Generator().manual_seed(0))
    tiny_lm.save(model, tokenizer, folder)


def save_encoder_decoder(folder: Path) -> None:
    """An untrained T5 with the same tokenizer."""
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = tiny_lm.train_tokenizer(TEXTS, 300)
    options: dict[str, Any] = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 0}
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=1,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        **options,
    )
    torch.manual_seed(0)
    tiny_lm.save(T5ForConditionalGeneration(config), tokenizer, folder)


def write_split(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    """A split of a data set as the mirror keeps it."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
