"""Images to learn from: digits, or random images and labels in their place.

Pixels are in [0, 1]. A model sees them centred pixel by pixel with the means of the training images
and scaled by their standard deviations: a common mean would lift many units at once and hide the
effect (card, section 8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.method import ProblemError
from methods.common import draws

LEAST_DEVIATION = 0.1
"""Floor of a pixel's standard deviation: pixels at the rim hardly vary, and divided by less, slight noise
there would outweigh the rest of the image."""

Batch = tuple[Tensor, Tensor]
"""Inputs, shape (B, channels, side, side), and classes, shape (B,)."""


@dataclass(frozen=True)
class Images:
    """A set of images.

    Attributes:
        names: One for each image, shape (n,).
        pixels: In [0, 1], shape (n, channels, side, side), float32.
        labels: Classes, shape (n,), int64.
    """

    names: NDArray[np.str_]
    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.names)

    def take(self, index: NDArray[np.intp]) -> Images:
        """The images at these positions."""
        chosen = torch.from_numpy(index)
        return Images(self.names[index], self.pixels[chosen], self.labels[chosen])


@dataclass(frozen=True)
class Scaler:
    """Centres and scales pixels, each by its own statistics, shape (channels, side, side)."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, pixels: Tensor) -> Scaler:
        """The statistics of training images."""
        return cls(pixels.mean(0), pixels.std(0).clamp_min(LEAST_DEVIATION))

    def __call__(self, pixels: Tensor) -> Tensor:
        """The pixels as a model sees them."""
        return (pixels - self.mean) / self.deviation


@dataclass(frozen=True)
class ImageSets:
    """Disjoint sets of images, and the scaler of the training images."""

    train: Images
    validation: Images
    test: Images
    scaler: Scaler


@cache
def digits() -> Images:
    """The 1,797 digits of scikit-learn, 8 × 8 pixels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = torch.tensor(found.images / 16.0, dtype=torch.float32).unsqueeze(1)
    names = np.array([f"digit-{index:04d}" for index in range(len(pixels))])
    return Images(names, pixels, torch.tensor(found.target, dtype=torch.int64))


def split(images: Images, *, test: int, validation: int, rng: np.random.Generator) -> ImageSets:
    """Draw the three sets.

    Raises:
        ProblemError: If too few images remain for training.
    """
    order = rng.permutation(len(images))
    if test + validation >= len(images):
        raise ProblemError(
            f"{len(images)} images do not suffice for {test} test and {validation} validation images"
        )
    parts = np.split(order, [test, test + validation])
    held, checked, train = (images.take(np.sort(part)) for part in parts)
    return ImageSets(train, checked, held, Scaler.of(train.pixels))


def with_random_labels(images: Images, classes: int, rng: np.random.Generator) -> Images:
    """Each label replaced by one of all classes, uniformly."""
    return replace(images, labels=torch.from_numpy(rng.integers(classes, size=len(images))))


def with_random_pixels(images: Images, rng: np.random.Generator) -> Images:
    """Each pixel replaced by uniform noise."""
    noise = rng.random(tuple(images.pixels.shape), dtype=np.float32)
    return replace(images, pixels=torch.from_numpy(noise))


def random_images(count: int, shape: tuple[int, int, int], classes: int, rng: np.random.Generator) -> Images:
    """Uniform noise under uniform labels."""
    names = np.array([f"noise-{index:04d}" for index in range(count)])
    blank = Images(names, torch.zeros(count, *shape), torch.zeros(count, dtype=torch.int64))
    return with_random_labels(with_random_pixels(blank, rng), classes, rng)


def epochs(
    images: Images, scaler: Scaler, size: int, generator: torch.Generator, *, device: str = "cpu"
) -> Iterator[Batch]:
    """Batches of all images in a new order for each epoch; what does not fill a batch is left out.

    Raises:
        ProblemError: If there are fewer images than a batch takes.
    """
    if len(images) < size:
        raise ProblemError(f"{len(images)} images do not fill a batch of {size}", fix="Make batches smaller.")
    inputs, labels = scaler(images.pixels).to(device), images.labels.to(device)
    while True:
        order = draws.permutation(len(images), generator, device=device)
        for start in range(0, len(images) - size + 1, size):
            chosen = order[start : start + size]
            yield inputs[chosen], labels[chosen]


def fresh(
    shape: tuple[int, int, int],
    scaler: Scaler,
    classes: int,
    size: int,
    generator: torch.Generator,
    *,
    device: str = "cpu",
) -> Iterator[Batch]:
    """Uniform noise under uniform labels, drawn anew for each batch."""
    local = Scaler(scaler.mean.to(device), scaler.deviation.to(device))
    while True:
        pixels = draws.uniform((size, *shape), generator, device=device)
        yield local(pixels), draws.integers(classes, (size,), generator, device=device)


def slices(inputs: Tensor, size: int, device: str) -> Iterator[tuple[Tensor]]:
    """Inputs in batches, on a device."""
    for start in range(0, len(inputs), size):
        yield (inputs[start : start + size].to(device),)
