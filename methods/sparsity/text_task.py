"""Training byte-level language models on text: a decoder, or a small T5 with span corruption."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from harness.method import Context, Resource, param
from methods.sparsity.activation import Activation
from methods.sparsity.scoring import layer_rows
from methods.sparsity.sizes import LmSize
from methods.sparsity.task import Training, TrainingTask, counted, looks

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from methods.sparsity.counting import Counts
    from methods.sparsity.texts import Corpus

Kind = Literal["spans", "next"]
GENERATED = 200_000
"""Characters of made-up text where no resource is given."""


@dataclass(frozen=True)
class TextTraining(Training):
    """Text to train on.

    Attributes:
        kind: ``"spans"`` (encoder and decoder, T5's task) or ``"next"`` (decoder, next byte).
        stream: Bytes of the training text.
        size: Of the model.
        length: Bytes of a window.
        batch: Windows of a batch.
    """

    kind: Kind
    stream: np.ndarray
    size: LmSize
    length: int
    batch: int
    steps: int
    warmup: int
    accumulate: int = 1
    looks: tuple[int, ...] = (0,)

    def model(self, activation: Activation, d_ff: int, generator: torch.Generator) -> nn.Module:
        """A decoder, or an encoder and a decoder."""
        from methods.sparsity.text_models import DecoderLm, EncoderDecoder

        size = replace(self.size, d_ff=d_ff) if d_ff else self.size
        kind = EncoderDecoder if self.kind == "spans" else DecoderLm
        return kind(size, activation=activation, generator=generator)

    def batches(self, generator: torch.Generator, device: str) -> Iterator[Any]:
        """Windows at random places; for spans with what is cut out of them."""
        return _Windows(self, generator, device)

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """Mean cross-entropy of a target token."""
        return token_losses(model, self.kind, batch).mean()


class _Windows:
    """Batches of a text, with the state that a checkpoint keeps."""

    def __init__(self, text: TextTraining, generator: torch.Generator, device: str) -> None:
        from methods.sparsity.texts import draw_windows

        self._drawn = draw_windows(text.stream, text.length, text.batch, generator, device=device)
        self._generator = generator
        self._rng = np.random.default_rng(generator.initial_seed()) if text.kind == "spans" else None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        from methods.sparsity.texts import cut_spans

        windows = next(self._drawn)
        return windows if self._rng is None else cut_spans(windows, self._rng)

    def state_dict(self) -> dict[str, Any]:
        """Both generators."""
        spans = None if self._rng is None else self._rng.bit_generator.state
        return {"windows": self._generator.get_state(), "spans": spans}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self._generator.set_state(state["windows"])
        if self._rng is not None:
            self._rng.bit_generator.state = state["spans"]


def random_bytes(count: int, ctx: Context) -> np.ndarray:
    """Text that resembles none: uniform bytes, shape (count,), uint8."""
    return ctx.rng("foreign").integers(256, size=count, dtype=np.uint8)


def token_losses(model: nn.Module, kind: Kind, batch: Any) -> Tensor:
    """Cross-entropy of each target token in nats, flat."""
    from torch.nn.functional import cross_entropy

    if kind == "next":
        logits, gold = model(batch)[:, :-1], batch[:, 1:]
        return cross_entropy(logits.flatten(0, 1), gold.flatten(), reduction="none")
    logits, mask = model(*spans_input(batch)), batch.target_mask
    if mask is None:
        return cross_entropy(logits.flatten(0, 1), batch.target.flatten(), reduction="none")
    return cross_entropy(logits[mask], batch.target[mask], reduction="none")


def spans_input(batch: Any) -> tuple[Any, ...]:
    """Arguments of the encoder-decoder."""
    from methods.sparsity.text_models import shifted

    return batch.source, shifted(batch.target), batch.source_mask, batch.target_mask


@dataclass(frozen=True)
class TextTask(TrainingTask):
    """A language model from scratch on bytes of text; each seed draws its own split of the texts.

    Attributes:
        data: Where texts come from; made-up words without it.
    """

    kind: Kind = param("spans", source="paper, section 2", doc="T5's task, or the next byte")  # noqa: RUF009
    data: tuple[Resource, ...] = ()
    size: LmSize = LmSize()  # noqa: RUF009
    characters: int = param(50_000_000, source="ours", doc="how much is read of large sources")
    length: int = param(64, source="ours", doc="bytes of a window")
    batch: int = param(16, source="ours", doc="windows of an update")
    accumulate: int = param(1, source="ours", doc="batches of an update")
    steps: int = param(800, source="ours", doc="updates")
    warmup: int = param(100, source="ours", doc="updates of warm-up")
    counted: int = param(128, source="ours", doc="windows on which neurons are counted, and the loss")
    curve: bool = param(default=False, source="ours", doc="count neurons during training, too")

    def problem(self, ctx: Context) -> TextTraining:
        """This seed's training text."""
        return TextTraining(
            kind=self.kind,
            stream=self.corpus(ctx).train,
            size=self.size,
            length=self.length,
            batch=self.batch,
            accumulate=self.accumulate,
            steps=self.steps,
            warmup=self.warmup,
            looks=looks(self.steps, curve=self.curve),
        )

    def corpus(self, ctx: Context) -> Corpus:
        """Texts drawn into training, validation and test text."""
        from methods.sparsity.texts import corpus, generated, texts_of

        if self.data:
            texts = [text for ref in self.data for text in texts_of(ctx.load(ref), self.characters)]
        else:
            texts = generated(GENERATED, ctx.rng("words"))
        return corpus(texts, ctx.rng("split"))

    def _batches(self, which: str, ctx: Context) -> Iterator[Any]:
        """The windows that are looked at, the same at every look."""
        from methods.sparsity.texts import cut_spans, windows

        corpus = self.corpus(ctx)
        stream = random_bytes(len(corpus.test), ctx) if which == "foreign" else getattr(corpus, which)
        rng = ctx.rng(f"spans of {which}")
        found = windows(stream, self.length, self.counted)
        for start in range(0, len(found), 64):
            moved = found[start : start + 64].to(ctx.device)
            yield moved if self.kind == "next" else cut_spans(moved, rng)

    def counts(self, model: nn.Module, which: str, ctx: Context) -> Counts:
        """Active neurons on windows of training or test text, or foreign ones; padding is not counted."""
        batches = self._batches(which, ctx)
        if self.kind == "next":
            return counted(model, ((batch,) for batch in batches))
        return counted(model, (spans_input(batch) for batch in batches))

    def validation(self, model: nn.Module, ctx: Context) -> dict[str, Any]:
        """One row: the loss on validation text."""
        return self._loss_row(model, "validation", ctx)

    def answers(self, model: nn.Module, ctx: Context) -> dict[str, dict[str, Any]]:
        """``main``, ``validation`` and ``fit``: the loss on test, validation and training text.

        Also ``foreign``: one row a layer, on random bytes.
        """
        sets = {"main": "test", "validation": "validation", "fit": "train"}
        losses = {part: self._loss_row(model, which, ctx) for part, which in sets.items()}
        return {**losses, "foreign": layer_rows(self.counts(model, "foreign", ctx))}

    def _loss_row(self, model: nn.Module, which: str, ctx: Context) -> dict[str, Any]:
        import torch

        with torch.inference_mode():
            found = [token_losses(model, self.kind, batch) for batch in self._batches(which, ctx)]
        return {"unit_id": [f"{which} text"], "loss": [float(torch.cat(found).double().mean())]}
