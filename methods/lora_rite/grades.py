"""Adapting a pretrained language model to a question about short texts: how did people rate this review?

A review of a film is read and its grade is answered in words, on the means of many people's ratings. All
that it takes arrives as packages, so that it runs without a hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Context, Reference, Resource, Scores, mean_of, param
from methods.common.ratings import RATINGS
from methods.lora_rite.adaptation import Adaptation, Adapted
from methods.lora_rite.finetune import AdaptationTask, recipe_of
from methods.lora_rite.models import GEMMA_SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from methods.common.examples import Example

NATS = mean_of("nats", better="lower", name="nats a target token", digits=3, worst=12.5)
"""Held-out cross-entropy of answers; a diverged run counts as guessing among 262,144 tokens."""
GRADES = (" terrible", " bad", " good", " excellent")
"""Answers, from mean ratings below −1.5 to those of 1.5 and more."""
BOUNDS = (-1.5, 0.0, 1.5)
"""Mean ratings at which the next grade begins."""

LONGEST = 64
"""Tokens of an example; a text of a few words is never cut."""


def grade(rating: float) -> str:
    """A mean rating from −4 to 4 in words."""
    return GRADES[int(np.searchsorted(BOUNDS, rating, side="right"))]


@dataclass(frozen=True)
class GradeTask(AdaptationTask):
    """Answer with the grade of a film review; scored by the cross-entropy of held-out answers.

    Seeds draw disjoint training and held-out texts.
    """

    model: Reference = GEMMA_SMALL
    data: Resource = RATINGS
    steps: int = param(12, source="ours", doc="updates")
    batch: int = param(6, source="ours", doc="texts an update")
    test: int = param(48, source="ours", doc="test (or validation) texts")
    words: int = param(8, source="ours", doc="words of a text, at most; longer ones are left out")

    def problem(self, ctx: Context) -> Adaptation:
        """The pretrained model and this seed's training texts."""
        from methods.common.examples import pad_token
        from methods.common.lora import ALL

        held = ctx.load(self.model)
        return Adaptation(
            model=lambda: ctx.load(self.model, fresh=True).model(ctx.device, ctx.dtype),
            train=self._examples(self._split(ctx)[0], ctx),
            pad=pad_token(held.tokenizer),
            recipe=recipe_of(self.steps, self.batch),
            roles=ALL,
            folder=held.folder,
        )

    def answers(self, result: Adapted, ctx: Context) -> Scores:
        """Nats a target token of each held-out answer."""
        import torch

        from methods.common.examples import collate, pad_token
        from methods.common.forward import target_logits

        examples = self._examples(self._split(ctx)[1], ctx)
        pad = pad_token(ctx.load(self.model).tokenizer)
        nats: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(examples), 40):
                chunk = examples[start : start + 40]
                batch = collate(chunk, pad, ctx.device)
                logits = target_logits(result.model, batch).float()
                lost = torch.nn.functional.cross_entropy(logits, batch.gold, reduction="none")
                total = torch.zeros(len(chunk), device=lost.device).index_add_(0, batch.owner, lost)
                nats += [value / len(e.target) for value, e in zip(total.tolist(), chunk, strict=True)]
        rows: dict[str, Any] = {"unit_id": [example.id for example in examples], "nats": nats}
        return Scores({"validation" if ctx.stage == "tune" else "main": rows})

    def _split(self, ctx: Context) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Training and held-out texts."""
        texts = ctx.load(self.data)["movie"].texts
        short = np.flatnonzero([len(text.split()) <= self.words for text in texts])
        order = short[ctx.rng("texts").permutation(len(short))]
        seen = self.steps * self.batch
        return order[:seen], order[seen : seen + self.test]

    def _examples(self, chosen: NDArray[np.intp], ctx: Context) -> list[Example]:
        from methods.common.examples import Cut, encode

        texts = ctx.load(self.data)["movie"].take(chosen)
        tokenizer, cut = ctx.load(self.model).tokenizer, Cut()
        return [
            encode(tokenizer, name, f"{text}\nThis film is", grade(mean), limit=LONGEST, cut=cut)
            for name, text, mean in zip(texts.ids, texts.texts, texts.means.tolist(), strict=True)
        ]
