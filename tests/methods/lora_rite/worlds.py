"""Tiny models on disk, and data as a mirror keeps it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch

from methods.common import tiny_lm

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
