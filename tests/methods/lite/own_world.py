"""A tiny encoder folder, and files of documents, queries and training rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from methods.lite.own_index import Index, Made
from tests.methods.lite.worlds import WORDS, tiny_encoder

TEXTS = ("red hat", "", "the old dog sleeps", "green house tree runs " * 6, "blue cat", "new red house")


def encoder_folder(folder: Path) -> Path:
    """An untrained BERT of one layer, 16 dimensions."""
    tiny_encoder(folder)
    return folder


def lines(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def documents(path: Path, texts: Iterable[str] = TEXTS) -> Path:
    """Documents d0, d1, ..."""
    return lines(path, ({"id": f"d{row}", "text": text} for row, text in enumerate(texts)))


def training_rows(path: Path, count: int = 24, *, scores: bool = False) -> Path:
    """A query is words of its positive; negatives have other words."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        words = rng.permutation(WORDS).tolist()
        row: dict[str, object] = {
            "query": f"{' '.join(words[:2])} {number}",
            "positive": " ".join(words[:5]) + f" {number}",
            "negative_1": " ".join(words[5:9]) + f" {number}",
            "negative_2": " ".join(words[8:]) + f" {number}",
        }
        if scores:
            row |= {"label": [2.0, 0.0, -1.0]}
        rows.append(row)
    return lines(path, rows)


def unit(rng: torch.Generator, *shape: int) -> torch.Tensor:
    """Random vectors of length one."""
    return torch.nn.functional.normalize(torch.randn(shape, generator=rng), dim=-1)


def index_of(matrices: Iterable[torch.Tensor], longest: int) -> Index:
    """An index of given vectors, in memory."""
    kept = list(matrices)
    offsets: NDArray[np.int64] = np.cumsum([0, *map(len, kept)])
    vectors = torch.cat(kept).numpy().astype(np.float16)
    made = Made(encoder="e", folder="", dim=vectors.shape[1], document_tokens=longest)
    return Index(made, [str(row) for row in range(len(kept))], offsets, vectors)
