"""Equivalent starts of a pretrained language model's adapters, in float32 (C1).

The same question as :mod:`methods.lora_rite.descent` asks of small problems in float64, where weights,
widths and gradients are those of a model that people fine-tune.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Reference, Resource, param
from methods.common.ratings import RATINGS
from methods.lora_rite.descent import Equivalent, Start, opener, turned
from methods.lora_rite.models import GEMMA_SMALL

if TYPE_CHECKING:
    from torch import Tensor

    from methods.common.examples import Batch

ROUNDING = 1e-4
"""Relative deviation of Z allowed to an invariant optimizer in float32: the rounding of a sum over 640
inputs (√640 · 6e-8), times the conditioning of R (30), with room for its growth over the steps."""
NUDGE = 1e-6
"""Relative change of the start whose effect shows what rounding alone can do: some ten units of it."""
TURNS = ("general", "scale", "rotation")
"""R of the moved starts; to permutations, all optimizers that treat entries alike are invariant."""


@dataclass(frozen=True)
class PretrainedStarts(Equivalent):
    """LoRA on queries and values of a pretrained model, with B that is not zero; a few texts, all at once."""

    rounding: ClassVar[float] = ROUNDING
    beyond: ClassVar[float] = 10.0

    model: Reference = GEMMA_SMALL
    data: Resource = RATINGS
    steps: int = param(3, source="ours", doc="optimizer steps")
    rank: int = param(4, source="card, section 9", doc="r")
    size: float = param(0.02, source="ours", doc="standard deviation of B")
    texts: int = param(2, source="ours", doc="texts that the loss is of")
    longest: int = param(16, source="ours", doc="tokens of a text")

    def starts(self, ctx: Context) -> Iterator[Start]:
        """One case, moved by three kinds of R; each pair has an R of its own."""
        import torch

        from methods.common.draws import fill_normal
        from methods.common.lora import QUERY_VALUE, add_lora, layers_of
        from methods.common.training import token_loss
        from methods.lora_rite.pairs import find_pairs

        rng = ctx.torch_rng("pretrained")
        model = ctx.load(self.model, fresh=True).model(ctx.device, "float32")
        layers = layers_of(model, QUERY_VALUE)
        pairs = find_pairs(add_lora(model, layers, self.rank, float(self.rank), rng))
        for pair in pairs:
            fill_normal(pair.b, 0.0, self.size, rng)
        batch = self._batch(ctx)

        def loss() -> Tensor:
            return token_loss(model, batch, 0.0) / len(batch.gold)

        factors = [(p.a.detach().cpu().double(), p.b.detach().cpu().double()) for p in pairs]
        nudged = [(a * (1 + NUDGE * _signs(a, rng)), b) for a, b in factors]
        yield Start("pretrained", "base", opener(pairs, factors, loss), self.steps)
        yield Start("pretrained", "nudged", opener(pairs, nudged, loss), self.steps)
        with torch.no_grad():
            for kind in TURNS:
                moved = opener(pairs, turned(factors, kind, rng), loss)
                yield Start("pretrained", "moved", moved, self.steps, turn=kind)

    def _batch(self, ctx: Context) -> Batch:
        """The first tokens of some texts, each of which predicts the next one."""
        from methods.common.examples import Example, collate, pad_token

        texts = ctx.load(self.data)["movie"].texts
        tokenizer = ctx.load(self.model).tokenizer
        chosen = ctx.rng("texts").permutation(len(texts))[: self.texts]
        rows = [tuple(tokenizer(texts[i])["input_ids"])[: self.longest] for i in chosen]
        examples = [Example(str(i), row[:1], row[1:]) for i, row in zip(chosen, rows, strict=True)]
        return collate(examples, pad_token(tokenizer), ctx.device)


def _signs(like: Tensor, rng: Any) -> Tensor:
    """1 or −1 for each entry."""
    import torch

    from methods.common.draws import uniform

    return torch.sign(uniform(tuple(like.shape), rng, dtype=torch.float64) - 0.5)
