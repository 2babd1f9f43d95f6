"""What the experiments need beforehand: models pretrained on the formal language."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Artifact, Context, param
from methods.promot.world import Architecture

if TYPE_CHECKING:
    from methods.promot.checkpoint import LanguageModel


@dataclass(frozen=True)
class FormatModel(Artifact):
    """A small transformer that knows the formats of the formal language, with and without examples."""

    title: ClassVar[str] = "in-context learner pretrained from scratch"

    architecture: Architecture = "decoder"
    seed: int = param(0, source="ours", doc="draws weights and episodes")
    layers: int = param(2, source="card, section 9")
    hidden: int = param(64, source="card, section 9")
    heads: int = param(4, source="card, section 9")
    steps: int = param(1700, source="ours", doc="updates")
    batch: int = param(32, source="ours", doc="episodes an update")
    length: int = param(66, source="ours", doc="tokens of an episode")
    rate: float = param(3e-3, source="ours", doc="largest learning rate")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Pretrain; some two minutes on one core."""
        import numpy as np

        from methods.common import draws
        from methods.promot import pretraining

        generator = draws.generator(self.seed)
        model = pretraining.new_model(self.architecture, self.layers, self.hidden, self.heads, generator)
        plan = pretraining.Pretraining(self.steps, self.batch, self.length, self.rate)
        rng = np.random.default_rng(self.seed)
        pretraining.pretrain(model, plan, rng, ctx.progress, ctx.checkpoints)
        model.save_pretrained(folder)

    def load(self, path: Path) -> LanguageModel:
        """The model."""
        from methods.promot.checkpoint import load_language_model

        return load_language_model(path)


DECODER = FormatModel()
OTHER_DECODER = FormatModel(seed=1)
# An encoder-decoder learns one answer an episode, so it gets more and shorter ones.
ENCODER_DECODER = FormatModel(architecture="encoder-decoder", steps=1000, batch=128, length=26)
