"""A pretrained language model as the largest agent, fine-tuned on states in plain text.

The smaller sizes remain toy policies: they learn from the same texts, delexicalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from harness.method import Checkpoints, Context
from methods.common.causal_lm import Checkpoint, load_checkpoint, load_model
from methods.common.examples import Cut, Example, encode, pad_token
from methods.common.language_model import LanguageModel
from methods.common.language_model.kept import kept
from methods.common.language_model.local import LocalModel
from methods.common.loop import last_tenth
from methods.common.lora import add_lora, layers_of, lora_parameters, merge
from methods.common.training import Recipe, fit
from methods.rest_react.cloning import fits
from methods.rest_react.compact import Compact
from methods.rest_react.delexical import Lexicon
from methods.rest_react.students import Streams, Student, Students
from methods.rest_react.training_data import StepExample

if TYPE_CHECKING:
    from methods.common.causal_lm import Model

_LINE_END = "\n"
"""What every action ends with, and sampling stops at."""


@dataclass(frozen=True)
class FineTuning:
    """How a pretrained model is fine-tuned.

    Attributes:
        steps: Updates.
        batch: Steps of trajectories an update.
        rate: Largest learning rate of AdamW.
        rank: Of LoRA factors; 0 trains all weights.
        limit: Tokens of a state with its action, at most.
        rows: Texts sampled at once.
    """

    steps: int
    batch: int
    rate: float
    rank: int
    limit: int
    rows: int


@dataclass(frozen=True)
class PretrainedStudents:
    """Agents of some sizes are pretrained models, fine-tuned from their bases; others are ``smaller``.

    Attributes:
        bases: The pretrained models by size.
        plan: How it is fine-tuned.
        smaller: Trains the other sizes.
        device: Where it runs.
        dtype: Type of the weights in use; training has float32 weights.
    """

    bases: Mapping[str, Checkpoint]
    plan: FineTuning
    smaller: Students
    device: str
    dtype: str

    def train(
        self, examples: Sequence[StepExample], lexicon: Lexicon, size: str, name: str, streams: Streams
    ) -> Student:
        """See :class:`~methods.rest_react.students.Students`."""
        base = self.bases.get(size)
        if base is None:
            return self.smaller.train(_within_reach(examples, lexicon, name), lexicon, size, name, streams)
        model = load_model(base.folder, device=self.device, dtype="float32")
        loss = self._fit(model, base.tokenizer, examples, name=name, streams=streams)
        tuned = model.to(getattr(torch, self.dtype))
        return local_student(
            tuned, base.tokenizer, name, self.plan.rows, checkpoints=streams.checkpoints, loss=loss
        )

    def encoded(self, tokenizer: Any, examples: Sequence[StepExample]) -> list[Example]:
        """Steps as tokens; states that do not fit lose their oldest part, which the paper's never do."""
        cut = Cut(keep="end")
        return [
            encode(
                tokenizer,
                f"step {number}",
                example.state,
                f" {example.target}{_LINE_END}",
                limit=self.plan.limit,
                cut=cut,
            )
            for number, example in enumerate(examples)
        ]

    def _fit(
        self, model: Model, tokenizer: Any, steps: Sequence[StepExample], *, name: str, streams: Streams
    ) -> float:
        plan = self.plan
        parameters = list(model.parameters())
        if plan.rank:
            add_lora(model, layers_of(model), plan.rank, 2.0 * plan.rank, streams.torch_rng(f"lora {name}"))
            parameters = lora_parameters(model)
        optimizer = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=0.0, fused=True)
        recipe = Recipe(
            steps=plan.steps,
            batch=plan.batch,
            warmup=max(1, plan.steps // 20),
            schedule="linear",
            clip=1.0,
        )
        rng = streams.rng(f"order {name}")
        examples = self.encoded(tokenizer, steps)
        history = fit(
            model,
            optimizer,
            examples,
            recipe,
            rng=rng,
            pad=pad_token(tokenizer),
            checkpoints=streams.checkpoints,
            name=name,
        )
        if plan.rank:
            merge(model)
        return last_tenth(history.losses)


def _within_reach(examples: Sequence[StepExample], lexicon: Lexicon, name: str) -> list[StepExample]:
    """The steps that a toy policy can learn: a language model may write longer ones."""
    compact = Compact(lexicon)
    short = [example for example in examples if fits(example, compact)]
    if left := len(examples) - len(short):
        print(f"{name}: {left} of {len(examples)} steps are too long for it.")  # noqa: T201 - the log
    return short


def local_student(
    model: Model,
    tokenizer: Any,
    name: str,
    rows: int,
    *,
    checkpoints: Checkpoints,
    loss: float = float("nan"),
) -> Student:
    """A language model in memory as an agent; it speaks of every world."""
    spoken = kept(LocalModel(name, f"fine-tuned {name}", model.eval(), tokenizer, batch=rows), checkpoints)

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    def speak(lexicon: Lexicon) -> LanguageModel:
        return spoken

    return Student(speak, sum(p.numel() for p in model.parameters()), save, loss)


def load_student(folder: Path, name: str, rows: int, ctx: Context) -> Student:
    """An agent that was saved."""
    saved = load_checkpoint(folder)
    model = load_model(folder, device=ctx.device, dtype=ctx.dtype)
    return local_student(model, saved.tokenizer, name, rows, checkpoints=ctx.checkpoints)
