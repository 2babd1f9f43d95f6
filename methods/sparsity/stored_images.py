"""Images on disk, in parquet files as the hub gives them: ImageNet and the like, read as a stream."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.method import HubSource, Resource, ResourceError

Pixels = NDArray[np.float32]
"""An image in [0, 1], shape (3, side, side)."""

_READ_AHEAD = 1024
"""Size of the shuffling buffer in images: rows of a file are mixed no further than that."""


IMAGENET_1K = Resource(
    name="imagenet-1k",
    kind="dataset",
    licence="ImageNet terms (non-commercial research)",
    version="as of the source",
    sources=(HubSource("ILSVRC/imagenet-1k", repo_type="dataset", files=("data/*.parquet",)),),
    loader="methods.sparsity.stored_images:load_images",
    size_mb=160_000,
)


@dataclass(frozen=True)
class StoredImage:
    """One image, still encoded.

    Attributes:
        index: Its number in the split, in the order of files and rows.
        content: A JPEG or PNG file.
        label: Its class.
    """

    index: int
    content: bytes
    label: int


@dataclass
class StoredImages:
    """A folder of parquet files with the columns ``image`` (with ``bytes``) and ``label``.

    Attributes:
        folder: Where they are, at any depth; the names of files begin with their split.
    """

    folder: Path
    _files: dict[str, list[tuple[Path, int]]] = field(default_factory=dict, repr=False)

    def files(self, split: str) -> list[tuple[Path, int]]:
        """Files of a split, each with its number of rows.

        Raises:
            ResourceError: If there are none.
        """
        import pyarrow.parquet as pq

        if split not in self._files:
            paths = sorted(self.folder.rglob(f"{split}*.parquet"))
            if not paths:
                raise ResourceError(
                    f"The folder holds no files {split}*.parquet",
                    where=str(self.folder),
                    fix="Bind a copy as the hub has it, with the columns 'image' and 'label'.",
                )
            self._files[split] = [(path, pq.read_metadata(path).num_rows) for path in paths]
        return self._files[split]

    def count(self, split: str) -> int:
        """Images of a split."""
        return sum(rows for _, rows in self.files(split))

    def stream(
        self,
        split: str,
        rng: np.random.Generator | None = None,
        wanted: Callable[[int], bool] = lambda index: True,
        passed: int = 0,
    ) -> Iterator[StoredImage]:
        """The wanted images once, in order, or in an order that ``rng`` draws.

        Args:
            split: Which.
            rng: Draws the order.
            wanted: Chooses images by their numbers.
            passed: So many of them are left out, and not read.
        """
        shelf = _Shelf(self.files(split), reading=not passed)
        places = shelf.places(rng)
        for place in places if rng is None else _mixed(places, rng):
            if not wanted(place):
                shelf.take(place)
            elif passed:
                shelf.take(place)
                passed -= 1
                shelf.reading = not passed
            else:
                yield shelf.image(place)


def load_images(folder: Path) -> StoredImages:
    """Loader of the data sets; nothing is read yet."""
    return StoredImages(folder)


def _mixed(places: Iterator[int], rng: np.random.Generator) -> Iterator[int]:
    """The places in an order that ``rng`` draws, none far from where it was."""
    waiting: list[int] = []
    for place in places:
        waiting.append(place)
        if len(waiting) >= _READ_AHEAD:
            yield waiting.pop(int(rng.integers(len(waiting))))
    yield from (waiting[i] for i in rng.permutation(len(waiting)))


class _Shelf:
    """The shuffling buffer; images that are only passed over are not read.

    Args:
        files: Paths with their numbers of rows.
        reading: Whether images are read as they arrive.
    """

    def __init__(self, files: Sequence[tuple[Path, int]], *, reading: bool) -> None:
        self.reading = reading
        self._files = files
        self._starts = np.concatenate([[0], np.cumsum([rows for _, rows in files])]).tolist()
        self._images: dict[int, StoredImage | None] = {}

    def places(self, rng: np.random.Generator | None) -> Iterator[int]:
        """Numbers of all images as they arrive, file by file."""
        for number in range(len(self._files)) if rng is None else rng.permutation(len(self._files)).tolist():
            rows: Iterator[StoredImage] | None = None
            for place in range(self._starts[number], self._starts[number + 1]):
                if self.reading and rows is None:
                    start = self._starts[number]
                    rows = itertools.islice(_rows(self._files[number][0], start), place - start, None)
                self._images[place] = next(rows) if rows is not None else None
                yield place

    def take(self, place: int) -> StoredImage | None:
        """Remove an image."""
        return self._images.pop(place)

    def image(self, place: int) -> StoredImage:
        """Remove an image, and read it if it arrived while nothing was read."""
        if self._images[place] is None:
            self._read_waiting()
        found = self.take(place)
        assert found is not None
        return found

    def _read_waiting(self) -> None:
        missing = {place for place, image in self._images.items() if image is None}
        for (path, _), start, stop in zip(self._files, self._starts, self._starts[1:], strict=False):
            here = {place for place in missing if start <= place < stop}
            if here:
                rows = itertools.islice(_rows(path, start), max(here) - start + 1)
                self._images.update({row.index: row for row in rows if row.index in here})


def _rows(path: Path, start: int) -> Iterator[StoredImage]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    lacking = {"image", "label"} - set(file.schema_arrow.names)
    if lacking:
        raise ResourceError(f"The file lacks the column {' and '.join(sorted(lacking))}", where=str(path))
    index = start
    for batch in file.iter_batches(batch_size=64, columns=["image", "label"]):
        for image, label in zip(batch["image"].to_pylist(), batch["label"].to_pylist(), strict=True):
            yield StoredImage(index, image["bytes"], int(label))
            index += 1


def whole(image: StoredImage, side: int) -> Pixels:
    """The middle square of an image, resized: for evaluation."""
    opened = _opened(image)
    short = min(opened.size)
    left, top = (opened.width - short) // 2, (opened.height - short) // 2
    return _pixels(opened, (left, top, left + short, top + short), side)


def cropped(image: StoredImage, side: int, rng: np.random.Generator) -> Pixels:
    """A random crop of 8 to 100 % of the area, resized and perhaps mirrored: for training."""
    opened = _opened(image)
    area = opened.width * opened.height * rng.uniform(0.08, 1.0)
    ratio = float(np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3))))
    width = min(opened.width, max(1, round((area * ratio) ** 0.5)))
    height = min(opened.height, max(1, round((area / ratio) ** 0.5)))
    left = int(rng.integers(opened.width - width + 1))
    top = int(rng.integers(opened.height - height + 1))
    found = _pixels(opened, (left, top, left + width, top + height), side)
    return found[:, :, ::-1].copy() if rng.random() < 0.5 else found


def _opened(image: StoredImage) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(image.content)).convert("RGB")


def _pixels(opened: Any, box: tuple[int, int, int, int], side: int) -> Pixels:
    from PIL import Image

    small = opened.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / np.float32(255.0)


def decoded(
    images: Iterator[StoredImage],
    side: int,
    size: int,
    seed: int | None,
    *,
    workers: int = 8,
    place: int = 0,
) -> Iterator[tuple[Pixels, NDArray[np.int64], NDArray[np.int64]]]:
    """Batches of pixels (B, 3, side, side), labels (B,) and indices (B,); the last may be smaller.

    Args:
        images: What to decode.
        side: Of the images.
        size: B.
        seed: Random crops, drawn from it and the image's place in the stream; whole without it.
        workers: Threads that decode.
        place: Of the first image in the stream.
    """

    def decode(job: tuple[int, StoredImage]) -> Pixels:
        place, image = job
        if seed is None:
            return whole(image, side)
        return cropped(image, side, np.random.default_rng([seed, place]))

    with ThreadPoolExecutor(workers) as pool:
        while batch := [image for _, image in zip(range(size), images, strict=False)]:
            pixels = np.stack(list(pool.map(decode, enumerate(batch, start=place))))
            labels = np.array([image.label for image in batch])
            yield pixels, labels, np.array([image.index for image in batch])
            place += len(batch)
