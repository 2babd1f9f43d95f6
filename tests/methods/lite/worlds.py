"""A context without engine or resources, a tiny encoder and a tiny retrieval set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from methods.common.minilm import Encoder, load_encoder
from methods.common.tiny_lm import train_tokenizer
from methods.lite.passages import Passage, Query, RetrievalSet

WORDS = ("red", "green", "blue", "hat", "cat", "dog", "house", "tree", "runs", "sleeps", "old", "new")


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

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        return self.objects[getattr(ref, "name", type(ref).__name__)]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    def probe(self, step: int, result: Any) -> None:
        raise NotImplementedError

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1


def tiny_encoder(folder: Path) -> Encoder:
    """An untrained BERT of one layer with special tokens."""
    inner = train_tokenizer([" ".join(WORDS)] * 3, 300).backend_tokenizer
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<s>", sep_token="<s>")  # noqa: S106
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_encoder(folder)


def tiny_set(domains: tuple[str, ...] = ("a", "b")) -> RetrievalSet:
    """Forty passages; a query is the first words of its passage. One passage is empty."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=int(rng.integers(4, 12)))) for _ in range(40)]
    texts[-1] = ""
    passages = tuple(Passage(f"p{i}", text, domains[i % len(domains)]) for i, text in enumerate(texts))
    splits = ("train", "train", "validation", "test", "zero-shot")
    queries = []
    for i in range(39):
        places = sorted({i, *rng.choice(40, size=4 + i % 3, replace=False).tolist()})
        grades = tuple(float(place == i) for place in places)
        bm25 = tuple(float(v) for v in rng.random(len(places)))
        words = " ".join(texts[i].split()[:4])
        domain = domains[i % len(domains)]
        candidates = tuple(f"p{place}" for place in places)
        queries.append(Query(f"q{i}", words, splits[i % 5], domain, candidates, grades, bm25))
    return RetrievalSet(tuple(queries), passages)


def tiny_teacher(data: RetrievalSet) -> dict[str, tuple[float, ...]]:
    """A teacher that knows the labels, with some noise."""
    rng = np.random.default_rng(1)
    return {
        query.id: tuple(float(4 * grade + rng.normal()) for grade in query.grades) for query in data.queries
    }
