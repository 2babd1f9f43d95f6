"""A context without an engine, and tiny models on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.method import AskedModel, Checkpoints
from methods.common import tiny_lm
from methods.common.ratings import RatingSet

WORDS = ["the", "film", "was", "good", "bad", "slow", "and", "we", "liked", "its", "story", "music", "not"]


@dataclass
class FakeContext:
    """Just enough of :class:`harness.method.Context`."""

    objects: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 7
    stage: Any = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    devices: tuple[str, ...] = ("cpu",)
    answers: Path | None = None

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        del fresh
        return self.objects[ref]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed + sum(name.encode()))

    def asks(self, model: AskedModel) -> None:
        pass

    def probe(self, step: int, result: Any) -> None:
        raise AssertionError((step, result))

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1, message


def rated_texts(count: int = 300) -> dict[str, RatingSet]:
    rng = np.random.default_rng(0)
    texts = tuple(" ".join(rng.choice(WORDS, size=12)) for _ in range(count))
    ratings = tuple(np.array([0, 1], dtype=np.int8) for _ in texts)
    ids = tuple(str(i) for i in range(count))
    return {"films": RatingSet("films", ids, texts, ratings, np.zeros(count, dtype=np.bool_))}


def save_pair(folder: Path, vocabulary: int = 300) -> tuple[Path, Path]:
    """Folders of an untrained target and draft that share a tokenizer."""
    tokenizer = tiny_lm.train_tokenizer([" ".join(WORDS)], vocabulary)
    places = folder / "target", folder / "draft"
    for place, (layers, hidden) in zip(places, ((2, 32), (1, 16)), strict=True):
        generator = torch.Generator().manual_seed(layers)
        model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(layers, hidden, heads=2), generator)
        tiny_lm.save(model, tokenizer, place)
    return places
