"""Sizes of the models, as plain data: nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.method import ProblemError


@dataclass(frozen=True)
class VitSize:
    """A vision transformer.

    Attributes:
        d_model: Width of a token.
        d_ff: Hidden neurons of each MLP block.
        layers: Blocks.
        heads: Attention heads; they divide ``d_model``.
        patch: Side of a patch in pixels.
        image: Side of an image in pixels; a multiple of ``patch``.
        channels: Channels of an image.
        classes: Outputs.
        pooling: What the head reads: the mean of all tokens, or a class token.
    """

    d_model: int = 32
    d_ff: int = 128
    layers: int = 3
    heads: int = 2
    patch: int = 2
    image: int = 8
    channels: int = 1
    classes: int = 10
    pooling: Literal["mean", "class"] = "mean"

    def __post_init__(self) -> None:
        _positive(self, "d_model", "d_ff", "layers", "heads", "patch", "image", "channels", "classes")
        _divides(self, "heads", "d_model")
        _divides(self, "patch", "image")

    @property
    def patches(self) -> int:
        """Patches of an image."""
        return (self.image // self.patch) ** 2

    @property
    def tokens(self) -> int:
        """Tokens of an image, the class token included."""
        return self.patches + (self.pooling == "class")


@dataclass(frozen=True)
class MixerSize:
    """An MLP-Mixer.

    Attributes:
        d_model: Width of a token (channels of the mixer).
        d_tokens: Hidden neurons of the MLPs that mix tokens.
        d_ff: Hidden neurons of the MLPs that mix channels.
        layers: Blocks, each with one MLP of either kind.
        patch: Side of a patch in pixels.
        image: Side of an image in pixels; a multiple of ``patch``.
        channels: Channels of an image.
        classes: Outputs.
    """

    d_model: int = 32
    d_tokens: int = 64
    d_ff: int = 128
    layers: int = 3
    patch: int = 2
    image: int = 8
    channels: int = 1
    classes: int = 10

    def __post_init__(self) -> None:
        _positive(self, "d_model", "d_tokens", "d_ff", "layers", "patch", "image", "channels", "classes")
        _divides(self, "patch", "image")

    @property
    def patches(self) -> int:
        """Patches (tokens) of an image."""
        return (self.image // self.patch) ** 2


@dataclass(frozen=True)
class MlpSize:
    """A network of two layers: one block, whose outputs are the logits."""

    inputs: int = 64
    d_ff: int = 512
    classes: int = 10

    def __post_init__(self) -> None:
        _positive(self, "inputs", "d_ff", "classes")


@dataclass(frozen=True)
class LmSize:
    """A language model over bytes: a decoder, or an encoder and a decoder of equal size.

    Attributes:
        d_model: Width of a token.
        d_ff: Hidden neurons of each MLP block.
        layers: Blocks (of the encoder and of the decoder each, if there are both).
        heads: Attention heads; they divide ``d_model``.
        context: Longest sequence in tokens.
        vocabulary: Number of ids.
    """

    d_model: int = 64
    d_ff: int = 256
    layers: int = 3
    heads: int = 4
    context: int = 128
    vocabulary: int = 384

    def __post_init__(self) -> None:
        _positive(self, "d_model", "d_ff", "layers", "heads", "context", "vocabulary")
        _divides(self, "heads", "d_model")


def _positive(size: object, *names: str) -> None:
    for name in names:
        if getattr(size, name) < 1:
            raise ProblemError(
                f"{name} is {getattr(size, name)}", where=type(size).__name__, fix="Give at least 1."
            )


def _divides(size: object, part: str, whole: str) -> None:
    if getattr(size, whole) % getattr(size, part):
        raise ProblemError(
            f"{part} = {getattr(size, part)} does not divide {whole} = {getattr(size, whole)}",
            where=type(size).__name__,
            fix=f"Choose {whole} as a multiple of {part}.",
        )
