"""Small data and models for the tests of metric-aware inference."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from methods.common import tiny_lm
from methods.common.causal_lm import Checkpoint
from methods.common.language_model.interface import Completion, Decoding, LanguageModel, NextToken
from methods.common.ratings import RatingSet


def rated(texts: Sequence[str], ratings: Sequence[Sequence[int]]) -> RatingSet:
    """A domain of the rating data."""
    rows = tuple(np.array(row, dtype=np.int8) for row in ratings)
    ids = tuple(str(i) for i in range(len(texts)))
    return RatingSet("amazon", ids, tuple(texts), rows, np.zeros(len(texts), dtype=np.bool_))


def many_rated(count: int = 60) -> dict[str, RatingSet]:
    """Texts whose first word tells how they were rated."""
    rng = np.random.default_rng(0)
    words = ("awful", "poor", "plain", "good", "superb")
    levels = rng.integers(0, 5, count)
    texts = [f"{words[level]} thing {number}" for number, level in enumerate(levels)]
    ratings = [np.clip(2 * (level - 2) + rng.integers(-1, 2, 8), -4, 4).tolist() for level in levels]
    return {"amazon": rated(texts, ratings)}


def write_split(folder: Path, split: str, rows: Sequence[dict[str, Any]]) -> None:
    """One ``<split>.jsonl.gz``."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"{split}.jsonl.gz").write_bytes(gzip.compress(text.encode()))


def tiny_checkpoint(folder: Path) -> Checkpoint:
    """A random language model with a byte-level tokenizer that knows digits as tokens."""
    texts = ["Review: good thing 1\nStars: 5", "Review: awful thing\nStars: 2\n\n 1 2 3 4 5 10"] * 3
    tokenizer = tiny_lm.train_tokenizer(texts, 300)
    size = tiny_lm.Size(1, 32, context=512)
    model = tiny_lm.new_model(len(tokenizer), size, torch.Generator().manual_seed(0))
    tiny_lm.save(model.eval(), tokenizer, folder)
    return Checkpoint(folder)


class Scripted(LanguageModel):
    """Answers as it is told.

    Args:
        tokens: Distribution of the next token for each prompt, in turn.
        scores: Log-probability of every option.
        texts: Sampled answers, in turn; the first is the greedy one.
    """

    def __init__(
        self,
        tokens: Sequence[dict[str, float]] = (),
        scores: Sequence[float] = (),
        texts: Sequence[str] = ("",),
    ) -> None:
        super().__init__("scripted", "scripted-0")
        self.tokens = tokens
        self.scores = scores
        self.texts = texts
        self.options: list[Sequence[str]] = []

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        self.options += options
        return [list(self.scores) for _ in prompts]

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        texts = [self.texts[i % len(self.texts)] for i in range(count)]
        return [[Completion(text, 1, finished=True, log_probability=-1.0) for text in texts] for _ in prompts]

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        return [
            NextToken({t: float(np.log(p)) for t, p in law.items()}, 1 - sum(law.values()))
            for law, _ in zip(self.tokens, prompts, strict=True)
        ]
