"""Text as bytes: where it comes from, and the windows that models read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.method import ProblemError, ResourceError
from methods.common.data_set import json_rows
from methods.common.draws import integers
from methods.common.ratings import RatingSet
from methods.sparsity.span_corruption import FIRST_BYTE, PAD, corrupt_spans, padded

SEPARATOR = b"\n"
_WORDS = 200


@dataclass(frozen=True)
class Corpus:
    """Text for training, for validation and for testing, as streams of bytes, uint8."""

    train: NDArray[np.uint8]
    validation: NDArray[np.uint8]
    test: NDArray[np.uint8]


@dataclass
class TextFiles:
    """Files of ``{"text": …}`` lines, gzip-compressed, read when needed and no further than needed.

    Attributes:
        folder: Where they are, at any depth.
    """

    folder: Path
    _kept: dict[tuple[int, str], list[str]] = field(default_factory=dict, repr=False)

    def texts(self, characters: int, split: str = "") -> list[str]:
        """The first texts, in the order of file names, until there are that many characters.

        Args:
            characters: How much is read.
            split: Part of the names of the files that are read.

        Raises:
            ResourceError: If there are no such files.
        """
        key = (characters, split)
        if key not in self._kept:
            self._kept[key] = list(self._read(*key))
        return self._kept[key]

    def _read(self, characters: int, split: str) -> Iterator[str]:
        files = sorted(path for path in self.folder.rglob("*.json*.gz") if split in path.name)
        if not files:
            raise ResourceError(f"The folder holds no files *{split}*.json.gz", where=str(self.folder))
        left = characters
        for path in files:
            for row in json_rows(path):
                if "text" not in row:
                    raise ResourceError(
                        "A row has no 'text'", where=str(path), fix=f"It has: {', '.join(row)}."
                    )
                text = str(row["text"])
                yield text
                left -= len(text)
                if left <= 0:
                    return


def load_text_files(folder: Path) -> TextFiles:
    """Loader of C4 and the like."""
    return TextFiles(folder)


def generated(characters: int, rng: np.random.Generator) -> list[str]:
    """Sentences of made-up words with Zipf's frequencies, for tests of the code path."""
    letters = np.array(list("abcdefghijklmnoprstuvw"))
    words = ["".join(rng.choice(letters, size=rng.integers(2, 8))) for _ in range(_WORDS)]
    weights = 1.0 / np.arange(1, _WORDS + 1)
    count = characters // 5
    drawn = rng.choice(_WORDS, size=count, p=weights / weights.sum())
    lines = np.array_split(drawn, max(1, count // 12))
    return [" ".join(words[i] for i in line) + "." for line in lines]


def texts_of(source: Any, characters: int) -> list[str]:
    """The texts of a loaded resource.

    Args:
        source: The rating sentences, or files.
        characters: Of files, how many characters are read.

    Raises:
        ProblemError: If it is something else.
    """
    if isinstance(source, TextFiles):
        return source.texts(characters, "train")
    if isinstance(source, Mapping) and all(isinstance(part, RatingSet) for part in source.values()):
        return [text for part in source.values() for text in part.texts]
    raise ProblemError(
        f"A {type(source).__name__} holds no texts",
        where="texts_of",
        fix="Use the rating sentences, or files of texts.",
    )


def corpus(texts: list[str], rng: np.random.Generator, *, held_out: float = 0.1) -> Corpus:
    """Whole texts drawn into training, validation and test streams; a text is in one of them."""
    order = rng.permutation(len(texts))
    size = max(1, round(held_out * len(texts)))
    parts = np.split(order, [size, 2 * size])
    test, validation, train = (_stream([texts[i] for i in part]) for part in parts)
    return Corpus(train, validation, test)


def _stream(texts: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer(SEPARATOR.join(text.encode() for text in texts), dtype=np.uint8).copy()


def windows(stream: NDArray[np.uint8], length: int, most: int) -> Tensor:
    """Ids of windows evenly over a stream, at most so many, shape (n, length), int64.

    Raises:
        ProblemError: If the stream is shorter than a window.
    """
    count = min(most, len(stream) // length)
    if count < 1:
        raise ProblemError(f"{len(stream)} bytes of text do not fill a window of {length}")
    starts = np.linspace(0, len(stream) - length, count).astype(np.int64)
    return torch.from_numpy(stream[starts[:, None] + np.arange(length)].astype(np.int64) + FIRST_BYTE)


def draw_windows(
    stream: NDArray[np.uint8], length: int, size: int, generator: torch.Generator, *, device: str = "cpu"
) -> Iterator[Tensor]:
    """Ids of windows at random places in batches of shape (size, length), without end.

    Raises:
        ProblemError: If the stream is shorter than a window.
    """
    if len(stream) < length:
        raise ProblemError(f"{len(stream)} bytes of text do not fill a window of {length}")
    whole, place = torch.from_numpy(stream).to(device), torch.arange(length, device=device)
    while True:
        starts = integers(len(stream) - length + 1, (size, 1), generator, device=device)
        yield whole[starts + place].long() + FIRST_BYTE


@dataclass(frozen=True)
class Spans:
    """Windows with spans cut out: what the encoder reads, and what the decoder is to write.

    Attributes:
        source: Shape (B, S).
        target: Shape (B, T).
        source_mask: False at padding, shape (B, S); None where no row has any.
        target_mask: False at padding, shape (B, T); None where no row has any.
    """

    source: Tensor
    target: Tensor
    source_mask: Tensor | None
    target_mask: Tensor | None


def cut_spans(windows: Tensor, rng: np.random.Generator) -> Spans:
    """T5's span corruption of each window, on the device of the windows."""
    pairs = [corrupt_spans(row, rng) for row in windows.cpu().numpy()]
    source, target = (torch.from_numpy(padded([pair[side] for pair in pairs])) for side in (0, 1))
    masks = (None if bool(mask.all()) else mask.to(windows.device) for mask in (source != PAD, target != PAD))
    return Spans(source.to(windows.device), target.to(windows.device), *masks)
