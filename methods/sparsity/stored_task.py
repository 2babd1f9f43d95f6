"""Training vision models on images from disk, with the same variations as on digits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Context, ProblemError, Resource, param
from methods.sparsity.activation import Activation
from methods.sparsity.image_task import KINDS, Content, Size, image_model, mean_row, score_rows
from methods.sparsity.sizes import VitSize
from methods.sparsity.task import Training, TrainingTask, counted, looks

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from methods.sparsity.counting import Counts
    from methods.sparsity.stored_images import StoredImages

PARTS, TRAINED = 1000, 980
"""Images are assigned in thousandths; so many are for training, the rest for validation."""
SETS = ("train", "validation", "test")
_EVALUATION = 2**40
"""Number of a visit that no training reaches: fresh noise of evaluation is its own."""

MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels."""


@dataclass(frozen=True)
class Variation:
    """What is changed in the data; labels and noise belong to an image once and for all.

    Attributes:
        seed: Of the draws.
        classes: Number of classes.
        images: Given, or uniform noise.
        labels: Given, or uniform draws.
        noise: Share of labels drawn from all classes.
        fresh: Draw images and labels anew each time they are asked for.
    """

    seed: int
    classes: int
    images: Content
    labels: Content
    noise: float
    fresh: bool

    def __call__(
        self, pixels: np.ndarray, labels: np.ndarray, indices: np.ndarray, visit: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and labels as they are learnt.

        Args:
            pixels: In [0, 1], shape (B, 3, side, side).
            labels: Shape (B,).
            indices: Numbers of the images, shape (B,).
            visit: Which batch this is; it matters only to what is fresh.
        """
        pixels, labels = pixels.copy(), labels.copy()
        for row, index in enumerate(indices):
            place = [self.seed, int(index), visit if self.fresh else 0]
            rng = np.random.default_rng(place)
            chosen, drawn = rng.random() < self.noise, int(rng.integers(self.classes))
            if self.fresh or self.labels == "random" or chosen:
                labels[row] = drawn
            if self.fresh or self.images == "random":
                pixels[row] = rng.random(pixels[row].shape, dtype=np.float32)
        return pixels, labels


@dataclass(frozen=True)
class StoredTraining(Training):
    """Images on disk to train on."""

    source: StoredImages
    split: str
    keep: int
    variation: Variation
    size: Size
    batch: int
    steps: int
    warmup: int
    accumulate: int
    looks: tuple[int, ...]

    def model(self, activation: Activation, d_ff: int, generator: torch.Generator) -> nn.Module:
        """A vision transformer or a mixer."""
        return image_model(self.size, activation, d_ff, generator)

    def batches(self, generator: torch.Generator, device: str) -> Iterator[Any]:
        """Random crops, epoch after epoch; a share of the images only where that is asked for."""
        return self.batches_after(0, generator, device)

    def batches_after(self, done: int, generator: torch.Generator, device: str) -> Iterator[Any]:
        """As :meth:`batches`; what was seen before is neither read nor decoded again."""
        from methods.sparsity.stored_images import decoded

        rng = np.random.default_rng(generator.initial_seed())
        an_epoch = sum(_hashed(i) < self.keep for i in range(self.source.count(self.split))) // self.batch
        visits = itertools.count(done)
        while True:
            passed = min(done, an_epoch) * self.batch
            done -= passed // self.batch
            # The seed is drawn before the order, which is drawn once the first image is asked for.
            images = self.source.stream(self.split, rng, lambda i: _hashed(i) < self.keep, passed)
            seed = int(rng.integers(2**31))
            side = image_side(self.size)
            for pixels, labels, indices in decoded(images, side, self.batch, seed, place=passed):
                if len(labels) == self.batch:
                    varied = self.variation(pixels, labels, indices, next(visits))
                    yield tensors(*varied, device)

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """Cross-entropy."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(model(batch[0]), batch[1])


def _hashed(index: int) -> int:
    """A number below :data:`PARTS` that spreads images evenly."""
    return index * 7919 % PARTS


def image_side(size: Size) -> int:
    """Side of the images that a model takes.

    Raises:
        ProblemError: If the model takes vectors.
    """
    side = getattr(size, "image", None)
    if side is None:
        raise ProblemError("A network of two layers takes no images from disk", where=type(size).__name__)
    return int(side)


def tensors(pixels: np.ndarray, labels: np.ndarray, device: Any) -> tuple[Tensor, Tensor]:
    """Scaled inputs and labels on a device."""
    import torch

    mean, deviation = (np.array(v, dtype=np.float32)[:, None, None] for v in (MEANS, DEVIATIONS))
    inputs = torch.from_numpy((pixels - mean) / deviation).to(device)
    return inputs, torch.from_numpy(labels.astype(np.int64)).to(device)


@dataclass(frozen=True)
class StoredImageTask(TrainingTask):
    """Images from disk, or noise in place of their pixels or labels.

    Attributes:
        data: Loads as stored images.
    """

    data: Resource
    size: Size = VitSize(768, 3072, 12, 12, 16, 224, 3, 1000)  # noqa: RUF009
    images: Content = param("real", source="paper, section on causes", doc="given, or noise")  # noqa: RUF009
    labels: Content = param("real", source="paper, section on causes", doc="given, or drawn once")  # noqa: RUF009
    fresh: bool = param(default=False, source="paper, section on causes", doc="new noise in every batch")
    share: float = param(1.0, source="paper, Figure 2c", doc="share of the training images that is used")
    noise: float = param(0.0, source="paper, Table 1", doc="share of training labels drawn from all classes")
    corrupted: bool = param(default=False, source="paper, Table 1", doc="score corrupted test images, too")
    split: str = param("train", source="paper, section 2", doc="training split")
    held_out: str = param("validation", source="paper, section 2", doc="test split")
    steps: int = param(112_000, source="ours", doc="updates: about 90 epochs of ImageNet-1k")
    warmup: int = param(10_000, source="ours", doc="updates of warm-up")
    batch: int = param(256, source="ours", doc="images of a pass")
    accumulate: int = param(4, source="ours", doc="passes of an update")
    counted: int = param(2_048, source="ours", doc="images on which neurons are counted")
    scored: int = param(50_000, source="paper, Table 1", doc="test images, at most")
    curve: bool = param(default=False, source="ours", doc="count neurons during training, too")

    def problem(self, ctx: Context) -> StoredTraining:
        """The training split."""
        return StoredTraining(
            source=ctx.load(self.data),
            split=self.split,
            keep=self._keep,
            variation=self._variation(ctx),
            size=self.size,
            batch=self.batch,
            steps=self.steps,
            warmup=self.warmup,
            accumulate=self.accumulate,
            looks=looks(self.steps, curve=self.curve),
        )

    @property
    def _keep(self) -> int:
        return max(1, round(self.share * TRAINED))

    def _variation(self, ctx: Context, *, noise: bool = True) -> Variation:
        seed = int(ctx.rng("variation").integers(2**31))
        share = self.noise if noise else 0.0
        return Variation(seed, self.size.classes, self.images, self.labels, share, self.fresh)

    def _batches(self, which: str, most: int, ctx: Context) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Whole images in the order of the files: pixels in [0, 1] and labels as they are learnt."""
        from methods.sparsity.stored_images import decoded

        source: StoredImages = ctx.load(self.data)
        images = source.stream(self.held_out if which == "test" else self.split)
        if which == "train":
            images = (image for image in images if _hashed(image.index) < self._keep)
        if which == "validation":
            images = (image for image in images if _hashed(image.index) >= TRAINED)
        vary = self._variation(ctx, noise=which == "train")
        visit = _EVALUATION + SETS.index(which)
        first = itertools.islice(images, most)
        for pixels, labels, indices in decoded(first, image_side(self.size), 256, None):
            yield vary(pixels, labels, indices, visit)

    def counts(self, model: nn.Module, which: str, ctx: Context) -> Counts:
        """Active neurons on the first images of a split."""
        batches = self._batches(which, self.counted, ctx)
        return counted(model, ((tensors(*batch, ctx.device)[0],) for batch in batches))

    def validation(self, model: nn.Module, ctx: Context) -> dict[str, Any]:
        """One row an image of those kept out of the training split."""
        rows = self._rows(model, "validation", self.counted, ctx)
        return {**rows, "correct": rows["correct"].astype(np.float64)}

    def answers(self, model: nn.Module, ctx: Context) -> dict[str, dict[str, Any]]:
        """``main``: test images; ``validation``; ``fit``: training images.

        With :attr:`corrupted` also a part for each kind of corruption.
        """
        parts = {
            "main": self._rows(model, "test", self.scored, ctx),
            "fit": mean_row("training images", self._rows(model, "train", self.counted, ctx)),
            "validation": mean_row("validation images", self.validation(model, ctx)),
        }
        if self.corrupted:
            parts |= {kind: self._corrupted(model, kind, ctx) for kind in KINDS}
        return parts

    def _rows(
        self, model: nn.Module, which: str, most: int, ctx: Context, corruption: tuple[str, int] | None = None
    ) -> dict[str, Any]:
        import torch

        from methods.sparsity.corruptions import CORRUPTIONS

        logits, gold = [], []
        rng = ctx.rng(f"corruption {corruption}")
        for pixels, labels in self._batches(which, most, ctx):
            given = pixels if corruption is None else CORRUPTIONS[corruption[0]](pixels, corruption[1], rng)
            inputs, wanted = tensors(given, labels, ctx.device)
            with torch.inference_mode():
                logits.append(model(inputs).cpu())
            gold.append(wanted.cpu())
        names = np.array([f"image-{index:06d}" for index in range(sum(map(len, gold)))])
        return {"unit_id": names, **score_rows(torch.cat(logits), torch.cat(gold))}

    def _corrupted(self, model: nn.Module, kind: str, ctx: Context) -> dict[str, Any]:
        from methods.sparsity.corruptions import SEVERITIES

        found = [self._rows(model, "test", self.scored, ctx, (kind, severity)) for severity in SEVERITIES]
        mean = np.mean([rows["correct"] for rows in found], axis=0)
        return {"unit_id": found[0]["unit_id"], "correct": mean}
