"""Measuring pretrained models of ``transformers`` on text: T5 v1.0, OPT, any with plain ReLU blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from harness.method import (
    Context,
    HubSource,
    Method,
    MirrorSource,
    ProblemError,
    Resource,
    Scores,
    Task,
    param,
)
from methods.sparsity.method import LI
from methods.sparsity.scoring import gap_row, layer_rows, neuron_rows

if TYPE_CHECKING:
    from methods.sparsity.counting import Counts


def _model(name: str, repo: str, licence: str, size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="model",
        licence=licence,
        version="as of the source",
        sources=(HubSource(repo),),
        loader="methods.sparsity.pretrained:load_pretrained",
        size_mb=size_mb,
    )


T5_BASE = _model("t5-base", "google-t5/t5-base", "Apache-2.0", 900)
"""T5 v1.0, whose blocks are plain ReLU; v1.1 is gated."""
OPT_125M = _model("opt-125m", "facebook/opt-125m", "OPT licence", 260)
C4 = Resource(
    name="c4-en",
    kind="dataset",
    licence="ODC-BY",
    version="as of the source",
    sources=(
        MirrorSource("c4_en"),
        HubSource(
            "allenai/c4",
            repo_type="dataset",
            files=("en/c4-train.0000?-of-01024.json.gz", "en/c4-validation.00000-of-00008.json.gz"),
        ),
    ),
    loader="methods.sparsity.texts:load_text_files",
    size_mb=3_300,
)
"""Ten of the 1,024 files of the training split, and one of the validation split."""

_HIDDEN = 10_000_000
"""Positions stand in for tokens while spans are cut: above every id."""


@dataclass(frozen=True)
class Checkpoint:
    """A model on disk, loaded on demand.

    Attributes:
        folder: Safetensors weights, configuration and tokenizer.
    """

    folder: Path

    def model(self, device: str) -> Any:
        """The model in float32.

        Raises:
            ResourceError: If the folder holds no safetensors weights.
        """
        from methods.common.causal_lm import load_model

        return load_model(self.folder, device=device, dtype="float32")

    @property
    def tokenizer(self) -> Any:
        """The tokenizer beside the weights."""
        from methods.common.causal_lm import load_tokenizer

        return load_tokenizer(self.folder)


def load_pretrained(folder: Path) -> Checkpoint:
    """Loader of the models; nothing is read yet."""
    return Checkpoint(folder)


@dataclass(frozen=True)
class Reading:
    """A model and what it reads.

    Attributes:
        checkpoint: The model.
        texts: By set (``train``, ``test``).
        length: Tokens of a text, at most.
        batch: Texts of a pass.
    """

    checkpoint: Checkpoint
    texts: Mapping[str, tuple[str, ...]]
    length: int
    batch: int


@dataclass(frozen=True)
class ReadingTask(Task[Reading, "dict[str, Counts]"]):
    """Texts of the set that a model was trained on, and of its validation split.

    Attributes:
        checkpoint: A model of ``transformers``.
        data: Loads as text files.
    """

    checkpoint: Resource
    data: Resource
    examples: int = param(800, source="paper, Figure 3", doc="texts of each set")
    length: int = param(512, source="paper, Figure 3", doc="tokens of a text, at most")
    batch: int = param(8, source="ours", doc="texts of a pass")
    characters: int = param(20_000_000, source="ours", doc="characters that texts are drawn from")

    def problem(self, ctx: Context) -> Reading:
        """This seed's texts."""
        files = ctx.load(self.data)
        drawn = {
            name: self._drawn(files.texts(self.characters, split), ctx.rng(f"texts of {name}"))
            for name, split in (("train", "train"), ("test", "validation"))
        }
        return Reading(ctx.load(self.checkpoint), drawn, self.length, self.batch)

    def _drawn(self, texts: list[str], rng: np.random.Generator) -> tuple[str, ...]:
        chosen = rng.permutation(len(texts))[: self.examples]
        return tuple(texts[i] for i in chosen)

    def evaluate(self, result: dict[str, Counts], ctx: Context) -> Scores:
        """``train`` and ``test``: one row a layer; ``neurons`` of the first layer; ``gap``."""
        parts: dict[str, Any] = {name: layer_rows(counts) for name, counts in result.items()}
        parts["neurons"] = neuron_rows(result["test"].layers[0])
        parts["gap"] = gap_row(result["train"], result["test"])
        return Scores(parts)


@dataclass(frozen=True)
class Read(Method[Reading, "dict[str, Counts]"]):
    """The model reads; nothing is trained."""

    problem_type: ClassVar[type] = Reading
    cites: ClassVar[str] = LI

    def model(self, problem: Reading, ctx: Context) -> Any:
        """What reads."""
        return problem.checkpoint.model(ctx.device)

    def run(self, problem: Reading, ctx: Context) -> dict[str, Counts]:
        """Active neurons on each set."""
        import torch

        from methods.sparsity.hooks import PretrainedCounter

        model, tokenizer = self.model(problem, ctx), problem.checkpoint.tokenizer
        counter, found = PretrainedCounter(model), {}
        for name, texts in problem.texts.items():
            rng = ctx.rng(f"spans of {name}")
            with torch.no_grad(), counter:
                for inputs in text_batches(
                    texts, tokenizer, model.config, rng, length=problem.length, batch=problem.batch
                ):
                    model(**{key: value.to(ctx.device) for key, value in inputs.items()})
            found[name] = counter.take()
        return found


def text_batches(
    texts: Sequence[str], tokenizer: Any, config: Any, rng: np.random.Generator, *, length: int, batch: int
) -> Iterator[dict[str, Any]]:
    """Keyword arguments of forward passes: spans for an encoder-decoder, plain text otherwise.

    Args:
        texts: What is read; texts of a single token are passed over.
        tokenizer: The model's.
        config: The model's.
        rng: Of the spans.
        length: Tokens of a text, at most.
        batch: Texts of a pass.

    Raises:
        ProblemError: If the model reads spans and its tokenizer has no sentinels.
    """
    import torch

    from methods.sparsity.span_corruption import padded
    from methods.sparsity.text_models import shifted

    for start in range(0, len(texts), batch):
        rows = [
            np.array(tokenizer(text, truncation=True, max_length=length)["input_ids"])
            for text in texts[start : start + batch]
        ]
        rows = [row for row in rows if len(row) > 1]
        if not rows:
            continue
        if not config.is_encoder_decoder:
            ids = torch.from_numpy(padded(rows))
            yield {
                "input_ids": ids,
                "attention_mask": torch.from_numpy(padded([row * 0 + 1 for row in rows])),
            }
            continue
        # Without the tokenizer's end token, since span corruption adds its own.
        pairs = [cut_spans(row[:-1], tokenizer, rng) for row in rows]
        source, target = (torch.from_numpy(padded([pair[side] for pair in pairs])) for side in (0, 1))
        yield {
            "input_ids": source,
            "attention_mask": (source != config.pad_token_id).long(),
            "decoder_input_ids": shifted(target, config.decoder_start_token_id),
            "decoder_attention_mask": (target != config.pad_token_id).long(),
        }


def cut_spans(ids: np.ndarray, tokenizer: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """T5's span corruption of a text in the ids of its own tokenizer.

    Raises:
        ProblemError: If the tokenizer has no sentinels.
    """
    from methods.sparsity import span_corruption

    sentinel = tokenizer.convert_tokens_to_ids("<extra_id_0>")
    if sentinel is None or sentinel == tokenizer.unk_token_id:
        raise ProblemError("The tokenizer has no sentinels <extra_id_…>", where=type(tokenizer).__name__)
    sides = span_corruption.corrupt_spans(np.arange(len(ids)) + _HIDDEN, rng)
    found = []
    for side in sides:
        number = span_corruption.VOCABULARY - 1 - side
        named = np.where(side == span_corruption.END, tokenizer.eos_token_id, sentinel - number)
        inside = side >= _HIDDEN
        named[inside] = ids[side[inside] - _HIDDEN]
        found.append(named)
    return found[0], found[1]
