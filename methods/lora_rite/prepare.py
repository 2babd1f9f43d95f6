"""What the language-model experiment needs beforehand: a model that knows ten string functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Artifact, Context, param

if TYPE_CHECKING:
    from methods.common.causal_lm import Checkpoint


@dataclass(frozen=True)
class StringModel(Artifact):
    """A transformer trained from scratch on ten functions of strings."""

    title: ClassVar[str] = "language model trained from scratch on functions of strings"

    layers: int = param(2, source="ours")
    hidden: int = param(64, source="ours")
    steps: int = param(2000, source="ours", doc="updates of 64 examples")
    rate: float = param(2e-3, source="ours", doc="largest learning rate")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Train; about a minute on one core."""
        import torch

        from methods.common import tiny_lm
        from methods.common.draws import generator
        from methods.common.training import Recipe, fit
        from methods.lora_rite.strings import END, LONGEST, PRETRAINED, VOCABULARY, string_examples

        size = tiny_lm.Size(self.layers, self.hidden, context=LONGEST)
        model = tiny_lm.new_model(VOCABULARY, size, generator(0))
        optimizer = torch.optim.AdamW(model.parameters(), lr=self.rate, betas=(0.9, 0.98), weight_decay=0.01)
        examples = string_examples(tuple(PRETRAINED), 40 * self.steps // 3, ctx.rng("examples"))
        recipe = Recipe(steps=self.steps, batch=64, warmup=100, schedule="cosine", clip=1.0)
        fit(
            model,
            optimizer,
            examples,
            recipe,
            rng=ctx.rng("order"),
            pad=END,
            progress=ctx.progress,
            checkpoints=ctx.checkpoints,
        )
        model.save_pretrained(folder)

    def load(self, path: Path) -> Checkpoint:
        """The model; it has no tokenizer, since its text is made of token ids."""
        from methods.common.causal_lm import load_checkpoint

        return load_checkpoint(path)


STRING_MODEL = StringModel()
"""2 layers of width 64, .13M parameters."""
