"""Training on small images: natural or random, with natural, noisy or random labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from harness.method import Context, ProblemError, param
from methods.sparsity.activation import Activation
from methods.sparsity.sizes import MixerSize, MlpSize, VitSize
from methods.sparsity.task import Training, TrainingTask, counted, looks

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from methods.sparsity.counting import Counts
    from methods.sparsity.images import Batch, Images, ImageSets, Scaler

Size = VitSize | MixerSize | MlpSize
Content = Literal["real", "random"]

CLASSES = 10
SHAPE = (1, 8, 8)
KINDS = ("gaussian", "impulse", "shot")
"""Corruptions of the paper's Table 1."""


@dataclass(frozen=True)
class ImageTraining(Training):
    """Images to train on.

    Attributes:
        images: With the labels to be learnt; they set the number of images also where these are
            drawn anew.
        scaler: Of the images.
        size: Of the model.
        batch: Images of a batch.
        fresh: Draw random images and labels for each batch, and never twice.
    """

    images: Images
    scaler: Scaler
    size: Size
    batch: int
    fresh: bool
    steps: int
    warmup: int
    accumulate: int = 1
    looks: tuple[int, ...] = (0,)

    def model(self, activation: Activation, d_ff: int, generator: torch.Generator) -> nn.Module:
        """A vision transformer, a mixer or a network of two layers."""
        return image_model(self.size, activation, d_ff, generator)

    def batches(self, generator: torch.Generator, device: str) -> Iterator[Batch]:
        """Epochs of the images, or fresh noise."""
        from methods.sparsity.images import epochs, fresh

        if self.fresh:
            return fresh(SHAPE, self.scaler, CLASSES, self.batch, generator, device=device)
        return epochs(self.images, self.scaler, self.batch, generator, device=device)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Cross-entropy."""
        from torch.nn.functional import cross_entropy

        inputs, labels = batch
        return cross_entropy(model(inputs), labels)


def image_model(size: Size, activation: Activation, d_ff: int, generator: torch.Generator) -> nn.Module:
    """An untrained model of a size."""
    from methods.sparsity.mixer import Mixer
    from methods.sparsity.two_layer import TwoLayer
    from methods.sparsity.vit import VisionTransformer

    given: Any = replace(size, d_ff=d_ff) if d_ff else size
    kinds: dict[type, Any] = {VitSize: VisionTransformer, MixerSize: Mixer, MlpSize: TwoLayer}
    model: nn.Module = kinds[type(given)](given, activation=activation, generator=generator)
    return model


@dataclass(frozen=True)
class ImageTask(TrainingTask):
    """The digits of scikit-learn, or noise in place of their pixels or labels.

    Each seed draws its own split into training, validation and test images.
    """

    size: Size = VitSize()  # noqa: RUF009
    images: Content = param("real", source="paper, section on causes", doc="digits or noise")  # noqa: RUF009
    labels: Content = param("real", source="paper, section on causes", doc="given, or drawn once")  # noqa: RUF009
    fresh: bool = param(default=False, source="paper, section on causes", doc="new noise in every batch")
    share: float = param(1.0, source="paper, Figure 2c", doc="share of the training images that is used")
    noise: float = param(0.0, source="paper, Table 1", doc="share of training labels drawn from all classes")
    corrupted: bool = param(default=False, source="paper, Table 1", doc="score corrupted test images, too")
    steps: int = param(800, source="card, section 9", doc="updates")
    warmup: int = param(100, source="card, section 9", doc="updates of warm-up")
    batch: int = param(64, source="card, section 9", doc="images of an update")
    test: int = param(597, source="card, section 9", doc="test images")
    validation_images: int = param(200, source="ours", doc="images kept for choosing a rate")
    counted: int = param(512, source="ours", doc="training images on which neurons are counted")
    curve: bool = param(default=False, source="ours", doc="count neurons during training, too")

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0 or not 0.0 <= self.noise <= 1.0:
            raise ProblemError(
                f"A share of {self.share} or a noise of {self.noise} is none",
                where="ImageTask",
                fix="Give a share in (0, 1] and a noise in [0, 1].",
            )

    def problem(self, ctx: Context) -> ImageTraining:
        """This seed's training images."""
        sets = self.sets(ctx)
        return ImageTraining(
            images=sets.train,
            scaler=sets.scaler,
            size=self.size,
            batch=min(self.batch, len(sets.train)),
            fresh=self.fresh,
            steps=self.steps,
            warmup=self.warmup,
            looks=looks(self.steps, curve=self.curve),
        )

    def sets(self, ctx: Context) -> ImageSets:
        """Training images as they are learnt, validation and test images as they are asked for."""
        from methods.sparsity import images

        source = images.digits()
        if self.fresh:
            source = images.random_images(len(source), SHAPE, CLASSES, ctx.rng("images"))
        if self.images == "random":
            source = images.with_random_pixels(source, ctx.rng("pixels"))
        if self.labels == "random":
            source = images.with_random_labels(source, CLASSES, ctx.rng("labels"))
        found = images.split(source, test=self.test, validation=self.validation_images, rng=ctx.rng("split"))
        train = found.train.take(np.arange(round(self.share * len(found.train))))
        if self.share < 1.0:
            found = replace(found, train=train, scaler=images.Scaler.of(train.pixels))
        return replace(found, train=self._noisy(found.train, ctx))

    def _noisy(self, train: Images, ctx: Context) -> Images:
        import torch

        from methods.sparsity.corruptions import noisy_labels

        if self.noise == 0.0:
            return train
        labels, _ = noisy_labels(train.labels.numpy(), self.noise, CLASSES, ctx.rng("label noise"))
        return replace(train, labels=torch.from_numpy(labels))

    def counts(self, model: nn.Module, which: str, ctx: Context) -> Counts:
        """Active neurons on some of the training images, or on all test images."""
        from methods.sparsity.images import slices

        sets = self.sets(ctx)
        pixels = sets.train.pixels[: self.counted] if which == "train" else sets.test.pixels
        return counted(model, slices(sets.scaler(pixels), 256, ctx.device))

    def validation(self, model: nn.Module, ctx: Context) -> dict[str, Any]:
        """One row a validation image."""
        sets = self.sets(ctx)
        rows = answer_rows(model, sets.validation, sets.scaler, ctx.device)
        # After training the part holds means: one type for both.
        return {**rows, "correct": rows["correct"].astype(np.float64)}

    def answers(self, model: nn.Module, ctx: Context) -> dict[str, dict[str, Any]]:
        """``main``: test images; ``validation``; ``fit``: how well the training labels are learnt.

        With :attr:`corrupted` also a part for each kind of corruption: the mean over severities.
        """
        sets = self.sets(ctx)
        fit = answer_rows(model, sets.train, sets.scaler, ctx.device)
        checked = answer_rows(model, sets.validation, sets.scaler, ctx.device)
        parts = {
            "main": answer_rows(model, sets.test, sets.scaler, ctx.device),
            "fit": mean_row("training images", fit),
            "validation": mean_row("validation images", checked),
        }
        if self.corrupted:
            parts |= {kind: self._corrupted(model, sets, kind, ctx) for kind in KINDS}
        return parts

    def _corrupted(self, model: nn.Module, sets: ImageSets, kind: str, ctx: Context) -> dict[str, Any]:
        import torch

        from methods.sparsity.corruptions import CORRUPTIONS, SEVERITIES

        rng = ctx.rng(f"corruption {kind}")
        total = np.zeros(len(sets.test))
        for severity in SEVERITIES:
            pixels = CORRUPTIONS[kind](sets.test.pixels.numpy(), severity, rng)
            noisy = replace(sets.test, pixels=torch.from_numpy(pixels))
            total += answer_rows(model, noisy, sets.scaler, ctx.device)["correct"]
        return {"unit_id": sets.test.names, "correct": total / len(SEVERITIES)}


def answer_rows(model: nn.Module, images: Images, scaler: Scaler, device: str) -> dict[str, Any]:
    """One row an image: whether the most likely class is right, its probability, and the loss."""
    import torch

    from methods.sparsity.images import slices

    with torch.inference_mode():
        logits = torch.cat([model(*part).cpu() for part in slices(scaler(images.pixels), 512, device)])
    return {"unit_id": images.names, **score_rows(logits, images.labels)}


def score_rows(logits: Tensor, labels: Tensor) -> dict[str, Any]:
    """Columns on answers: logits (n, classes), labels (n,)."""
    log_p = logits.double().log_softmax(-1)
    best, at = log_p.max(-1)
    return {
        "correct": (at == labels).numpy(),
        # Three decimals: enough for bins and means, and small to store.
        "confidence": best.exp().numpy().round(3),
        "loss": (-log_p.gather(1, labels.unsqueeze(1)).squeeze(1)).numpy().round(3),
    }


def mean_row(name: str, rows: dict[str, Any]) -> dict[str, Any]:
    """Accuracy and loss over all rows, as one."""
    return {
        "unit_id": [name],
        "correct": [float(np.mean(rows["correct"]))],
        "loss": [float(np.mean(rows["loss"]))],
    }
