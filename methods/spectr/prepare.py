"""What the experiments need beforehand: a pair trained from scratch, and a draft for Gemma.

The rating data's texts are split once: nine of ten train, the tenth is for prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, Reference, param
from methods.common.gemma import SafeWeights
from methods.common.ratings import RATINGS, RatingSet

if TYPE_CHECKING:
    from methods.common.causal_lm import Checkpoint
    from methods.spectr.hidden_mlp import HiddenWeights
    from methods.spectr.ngram import NGram

HELD_OUT = 10
"""Every tenth text of a set is held out."""

GEMMA_TARGET = SafeWeights()


def held_out(sets: Mapping[str, RatingSet]) -> list[tuple[str, str]]:
    """Identifier and text of the held-out texts."""
    return [
        (f"{name}-{key}", text)
        for name, group in sorted(sets.items())
        for index, (key, text) in enumerate(zip(group.ids, group.texts, strict=True))
        if index % HELD_OUT == 0
    ]


def training_texts(sets: Mapping[str, RatingSet]) -> list[str]:
    """The other texts, without any that is also held out under another identifier."""
    held = {text for _, text in held_out(sets)}
    return [
        text
        for _, group in sorted(sets.items())
        for index, text in enumerate(group.texts)
        if index % HELD_OUT and text not in held
    ]


@dataclass(frozen=True)
class Tokenizer(Artifact):
    """The tokenizer that the pair trained from scratch shares."""

    title: ClassVar[str] = "byte-level BPE tokenizer of the rating texts"

    texts: Reference = RATINGS
    vocabulary: int = param(1024, source="card, section 9", doc="token ids")

    def build(self, folder: Path, ctx: Context) -> None:
        """Train on the training texts."""
        from methods.common.tiny_lm import train_tokenizer

        train_tokenizer(training_texts(ctx.load(self.texts)), self.vocabulary).save_pretrained(folder)

    def load(self, path: Path) -> Any:
        """The tokenizer."""
        from methods.common.causal_lm import load_tokenizer

        return load_tokenizer(path)


@dataclass(frozen=True)
class Scratch(Artifact):
    """A transformer trained from scratch on the rating texts."""

    title: ClassVar[str] = "target trained from scratch on the rating texts"

    texts: Reference = RATINGS
    tokenizer: Artifact = Tokenizer()
    layers: int = param(4, source="card, section 9")
    hidden: int = param(256, source="card, section 9")
    steps: int = param(450, source="ours", doc="updates; fewer than the card's 1-3k, to fit ten minutes")
    batch: int = param(32, source="ours", doc="sequences of 64 tokens an update")
    rate: float = param(2e-3, source="ours", doc="largest learning rate")
    minutes: float = field(default=45.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Train; about nine minutes for the target on one core, one for the draft."""
        from methods.common import draws, tiny_lm

        tokenizer = ctx.load(self.tokenizer)
        stream = tiny_lm.encode(tokenizer, training_texts(ctx.load(self.texts)))
        generator = draws.generator(0)
        model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(self.layers, self.hidden), generator)
        schedule = tiny_lm.Schedule(steps=self.steps, batch=self.batch, rate=self.rate)
        tiny_lm.train(model, stream, schedule, generator, ctx.progress, checkpoints=ctx.checkpoints)
        tiny_lm.save(model, tokenizer, folder)

    def load(self, path: Path) -> Checkpoint:
        """The model, with its tokenizer."""
        from methods.common.causal_lm import load_checkpoint

        return load_checkpoint(path)


@dataclass(frozen=True)
class ScratchDraft(Scratch):
    """The small model of the pair."""

    title: ClassVar[str] = "draft trained from scratch on the rating texts"

    layers: int = param(1, source="card, section 9")
    hidden: int = param(64, source="card, section 9")
    steps: int = param(1500, source="card, section 9", doc="updates")


SCRATCH_TARGET = Scratch()
"""4 layers of width 256, 4.5M parameters."""
SCRATCH_DRAFT = ScratchDraft()
"""1 layer of width 64, .13M parameters."""


@dataclass(frozen=True)
class CountedDraft(Artifact):
    """A trigram draft over the target's token ids, counted on the rating texts.

    Chosen over a one-layer transformer by block efficiency per second: drafting one token takes
    some 20 microseconds, since it never touches the 262,144 ids, while a transformer with the
    target's vocabulary needs a softmax over all of them at each of its serial steps.
    """

    title: ClassVar[str] = "trigram draft over the target's token ids"

    target: Artifact = GEMMA_TARGET
    texts: Reference = RATINGS
    longest: int = param(2, source="ours", doc="tokens in the longest history")

    def build(self, folder: Path, ctx: Context) -> None:
        """Tokenise and count: seconds."""
        import numpy as np

        from methods.spectr.ngram import count_ngrams

        checkpoint = ctx.load(self.target)
        stream = _stream(checkpoint.tokenizer, training_texts(ctx.load(self.texts)))
        width = checkpoint.config["vocab_size"]
        model = count_ngrams([(np.array(stream, dtype=np.int64), 1.0)], width, longest=self.longest)
        model.save(folder / "ngram.safetensors")

    def load(self, path: Path) -> NGram:
        """The model."""
        from methods.spectr.ngram import load_ngram

        return load_ngram(path / "ngram.safetensors")


@dataclass(frozen=True)
class TrainedDraft(Artifact):
    """A small network over the target's last hidden state, trained on the rating texts.

    It learns the target's own probabilities of frequent ids.
    """

    title: ClassVar[str] = "draft over the target's last hidden state"

    target: Artifact = GEMMA_TARGET
    texts: Reference = RATINGS
    windows: int = param(200, source="ours", doc="pieces of text")
    length: int = param(128, source="ours", doc="tokens of a piece")
    frequent: int = param(8192, source="ours", doc="ids that may be drafted, by count in the texts")
    rounds: int = param(5, source="ours", doc="times that each token is seen, each with another lag")
    inner: int = param(1024, source="ours", doc="units of the inner layer")
    rate: float = param(1e-3, source="ours", doc="largest learning rate")
    seed: int = param(0, source="ours", doc="of pieces, first weights and order")
    minutes: float = field(default=15.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Read the pieces with the target, then train: two minutes on one core."""
        import numpy as np
        import torch

        from methods.spectr.hidden_mlp import Lesson, train_hidden_mlp

        checkpoint = ctx.load(self.target)
        stream = np.array(_stream(checkpoint.tokenizer, training_texts(ctx.load(self.texts))))
        starts = ctx.rng("pieces").integers(len(stream) - self.length, size=self.windows)
        tokens = stream[starts[:, None] + np.arange(self.length)]
        tokens[:, 0] = checkpoint.tokenizer.bos_token_id
        counts = np.bincount(stream, minlength=checkpoint.config["vocab_size"])
        ids = np.sort(np.argsort(-counts, kind="stable")[: self.frequent])
        model = checkpoint.model(ctx.device, ctx.dtype)
        pieces = torch.from_numpy(tokens).to(ctx.device)
        with torch.no_grad():
            read = [
                model.base_model(part, use_cache=False).last_hidden_state for part in torch.split(pieces, 8)
            ]
        lesson = Lesson(inner=self.inner, rounds=self.rounds, rate=self.rate, seed=self.seed)
        found = train_hidden_mlp(
            pieces, torch.cat(read), torch.from_numpy(ids), model, lesson, progress=ctx.progress
        )
        found.save(folder / "draft.safetensors")

    def load(self, path: Path) -> HiddenWeights:
        """What was trained."""
        from methods.spectr.hidden_mlp import load_hidden_weights

        return load_hidden_weights(path / "draft.safetensors")


def _stream(tokenizer: Any, texts: list[str]) -> list[int]:
    """The token ids of texts, one after the other, each after the beginning-of-text token."""
    pieces = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return [token for piece in pieces for token in (tokenizer.bos_token_id, *piece)]


GEMMA_COUNTED = CountedDraft()
GEMMA_TRAINED = TrainedDraft()
